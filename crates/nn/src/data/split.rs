//! Holding out a part of the data.

use super::dataset::Dataset;
use crate::error::Error;
use crate::random::{Purpose, shuffle, stream};

impl Dataset {
    /// Splits into (rest, held out) so that each class gives its share: the nearest whole numbers by largest remainder,
    /// the lower class first where remainders are equal. Which samples of a class are held out is random, from the
    /// stream (`seed`, [`Purpose::Split`], 0, class); both parts keep the order of the data.
    ///
    /// ```
    /// # use densely::Dataset;
    /// let data = Dataset::from_bytes(1, vec![0; 10], vec![0, 0, 0, 0, 0, 0, 1, 1, 1, 2], 3)?;
    /// let (rest, held_out) = data.split_stratified(5, 1)?;
    /// assert_eq!(rest.class_counts(), [3, 1, 1]);
    /// assert_eq!(held_out.class_counts(), [3, 2, 0]);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::HeldOut`] if one part would be empty, [`Error::ClassesNeeded`] if the targets are values.
    pub fn split_stratified(&self, held_out: usize, seed: u64) -> Result<(Dataset, Dataset), Error> {
        if self.outputs().is_some() {
            return Err(Error::ClassesNeeded { what: "a stratified split".to_owned() });
        }
        let samples = self.len();
        if held_out == 0 || held_out >= samples {
            return Err(Error::HeldOut { held_out, samples });
        }
        let mut by_class = vec![Vec::new(); self.classes()];
        for sample in 0..samples {
            by_class[self.label(sample) as usize].push(sample as u32);
        }
        let counts: Vec<usize> = by_class.iter().map(Vec::len).collect();

        let (mut rest, mut chosen) = (Vec::with_capacity(samples - held_out), Vec::with_capacity(held_out));
        for ((class, members), share) in by_class.iter_mut().enumerate().zip(shares(&counts, held_out)) {
            shuffle(members, &mut stream(seed, Purpose::Split, 0, class as u64));
            let (held, kept) = members.split_at(share);
            chosen.extend_from_slice(held);
            rest.extend_from_slice(kept);
        }
        rest.sort_unstable();
        chosen.sort_unstable();
        Ok((self.select(&rest), self.select(&chosen)))
    }
}

/// `total` divided in proportion to `counts`, whose sum is at least `total`: every share rounded down, and one more for
/// those that lost most by it (Hamilton's method of largest remainders).
fn shares(counts: &[usize], total: usize) -> Vec<usize> {
    let sum: u128 = counts.iter().map(|&count| count as u128).sum();
    let exact = |count: usize| count as u128 * total as u128; // in units of 1/sum
    let mut shares: Vec<usize> = counts.iter().map(|&count| (exact(count) / sum) as usize).collect();
    let missing = total - shares.iter().sum::<usize>();
    let mut by_remainder: Vec<usize> = (0..counts.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(exact(counts[class]) % sum)); // stable: equal ones stay in order
    for &class in &by_remainder[..missing] {
        shares[class] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_largest_remainders() {
        for (counts, total, expected) in [
            (vec![6, 3, 1], 5, vec![3, 2, 0]), // 3.0, 1.5, 0.5: the lower class wins the tie
            (vec![1, 1, 1], 2, vec![1, 1, 0]),
            (vec![0, 4, 0], 3, vec![0, 3, 0]),
            (vec![53, 24, 23], 10, vec![5, 3, 2]), // 5.3, 2.4, 2.3
            (vec![5923, 6742], 1, vec![0, 1]),
        ] {
            assert_eq!(shares(&counts, total), expected, "{counts:?} into {total}");
        }
    }

    #[test]
    fn parts_are_disjoint_complete_and_in_order() {
        let labels: Vec<u32> = (0..100).map(|sample| sample % 7).collect();
        let data = Dataset::from_bytes(1, (0..100).collect(), labels, 7).unwrap();
        let (rest, held_out) = data.split_stratified(30, 5).unwrap();
        let bytes = |part: &Dataset| -> Vec<u8> {
            (0..part.len()).map(|sample| part.bytes(sample).unwrap()[0]).collect()
        };
        let (rest, held_out) = (bytes(&rest), bytes(&held_out));
        assert_eq!((rest.len(), held_out.len()), (70, 30));
        assert!(rest.is_sorted() && held_out.is_sorted());
        let mut all = [rest, held_out].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
    }

    #[test]
    fn a_part_can_be_split_again() {
        let data = Dataset::from_bytes(1, (0..40).collect(), vec![0; 40], 1).unwrap();
        let (rest, _) = data.split_stratified(10, 1).unwrap();
        let (smaller, taken) = rest.split_stratified(10, 2).unwrap();
        assert_eq!((smaller.len(), taken.len()), (20, 10));
        let kept: Vec<_> = (0..30).map(|sample| rest.bytes(sample).unwrap()).collect();
        assert!((0..10).all(|sample| kept.contains(&taken.bytes(sample).unwrap())));
    }

    #[test]
    fn the_seed_chooses_and_no_part_may_be_empty() {
        let data = Dataset::from_bytes(1, (0..100).collect(), vec![0; 100], 1).unwrap();
        let first = |seed| data.split_stratified(10, seed).unwrap().1.bytes(0).unwrap().to_vec();
        assert_eq!(first(1), first(1));
        assert!((2..8).any(|seed| first(seed) != first(1)));
        for held_out in [0, 100, 101] {
            let error = data.split_stratified(held_out, 1).unwrap_err().to_string();
            assert_eq!(error, format!("cannot hold out {held_out} of 100 samples, expected 1 to 99"));
        }
    }

    /// The same seed holds out the same samples in every version. Printed by tests/reference/streams.py.
    #[test]
    fn the_choice_never_changes() {
        let data = Dataset::from_bytes(1, (0..20).collect(), [0, 1].repeat(10), 2).unwrap();
        let (_, held_out) = data.split_stratified(4, 1).unwrap();
        let bytes: Vec<u8> = (0..4).map(|sample| held_out.bytes(sample).unwrap()[0]).collect();
        assert_eq!(bytes, [7, 13, 14, 18]);
    }
}
