//! Holding out a part of the data.

use super::dataset::Dataset;
use crate::error::Error;
use crate::random::{Purpose, shuffle, stream};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which samples of a file are held out for testing and for validation, as shares of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Split {
    /// How they are chosen. Default: `Stratified`.
    pub method: SplitMethod,
    /// The share of the samples to test with, above 0 and below 1, rounded to the nearest number of samples; of no
    /// account where the test samples have a file of their own. Default: 0.2.
    pub test: f64,
    /// The share of the others to validate on, 0 or more and below 1. Default: none given.
    pub validation: Option<f64>,
    /// What the choice of test samples follows from: not the seed of the training, so that runs with different seeds
    /// have the same test. Default: 0.
    pub seed: u64,
}

/// How samples are chosen to be held out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitMethod {
    /// At random, each class by its share; where targets are numbers, as `Random`.
    #[default]
    Stratified,
    /// At random.
    Random,
    /// The last ones of the file.
    Last,
}

impl Default for Split {
    fn default() -> Self {
        Self { method: SplitMethod::default(), test: 0.2, validation: None, seed: 0 }
    }
}

impl Split {
    /// Checks the shares.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let refuse = |setting, found: f64, expected| {
            Err(Error::DataSetting { setting, found: found.to_string(), expected })
        };
        if !(self.test > 0.0 && self.test < 1.0) {
            return refuse("test of split", self.test, "a share above 0 and below 1");
        }
        match self.validation {
            Some(found) if !(0.0..1.0).contains(&found) => {
                refuse("validation of split", found, "a share of at least 0 and below 1")
            }
            _ => Ok(()),
        }
    }
}

impl SplitMethod {
    /// Splits into (rest, held out).
    ///
    /// # Errors
    ///
    /// [`Error::HeldOut`] if one part would be empty.
    pub fn split(self, data: &Dataset, held_out: usize, seed: u64) -> Result<(Dataset, Dataset), Error> {
        match self {
            Self::Stratified if data.outputs().is_some() => Self::Random.split_strictly(data, held_out, seed),
            method => method.split_strictly(data, held_out, seed),
        }
    }

    /// The same, and `Stratified` only where there are classes.
    fn split_strictly(self, data: &Dataset, held_out: usize, seed: u64) -> Result<(Dataset, Dataset), Error> {
        match self {
            Self::Stratified => data.split_stratified(held_out, seed),
            Self::Random => data.split_random(held_out, seed),
            Self::Last => data.split_last(held_out),
        }
    }
}

impl Dataset {
    /// Splits into (rest, held out) so that each class gives its share: the nearest whole numbers by largest remainder,
    /// the lower class first where remainders are equal. A class that would give all its samples keeps one as long as
    /// another class, the one with the most left, has one to spare. Which samples of a class are held out is random, from the
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
        let mut by_class = vec![Vec::new(); self.classes()];
        for sample in 0..self.len() {
            by_class[self.label(sample) as usize].push(sample as u32);
        }
        self.split_groups(by_class, held_out, seed)
    }

    /// Splits into (rest, held out), the latter chosen at random from the stream (`seed`, [`Purpose::Split`], 0, 0); both
    /// parts keep the order of the data.
    ///
    /// # Errors
    ///
    /// [`Error::HeldOut`] if one part would be empty.
    pub fn split_random(&self, held_out: usize, seed: u64) -> Result<(Dataset, Dataset), Error> {
        self.split_groups(vec![(0..self.len() as u32).collect()], held_out, seed)
    }

    /// Splits into (rest, held out), the latter being the last samples, as Keras's `validation_split` does. Data that are
    /// sorted by class have no business here.
    ///
    /// ```
    /// # use densely::Dataset;
    /// let data = Dataset::from_bytes(1, vec![0; 5], vec![0, 1, 0, 1, 1], 2)?;
    /// let (rest, held_out) = data.split_last(2)?;
    /// assert_eq!((rest.class_counts(), held_out.class_counts()), (vec![2, 1], vec![0, 2]));
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::HeldOut`] if one part would be empty.
    pub fn split_last(&self, held_out: usize) -> Result<(Dataset, Dataset), Error> {
        self.refuse_empty_part(held_out)?;
        let order: Vec<u32> = (0..self.len() as u32).collect();
        let (rest, last) = order.split_at(self.len() - held_out);
        Ok((self.select(rest), self.select(last)))
    }

    /// Where each of these samples stands in `whole`, which they were split from.
    pub(crate) fn positions_in(&self, whole: &Dataset) -> Vec<usize> {
        let mut positions = std::collections::HashMap::with_capacity(whole.len());
        positions.extend((0..whole.len()).map(|sample| (whole.stored(sample), sample)));
        (0..self.len()).filter_map(|sample| positions.get(&self.stored(sample)).copied()).collect()
    }

    fn refuse_empty_part(&self, held_out: usize) -> Result<(), Error> {
        let samples = self.len();
        if held_out == 0 || held_out >= samples { Err(Error::HeldOut { held_out, samples }) } else { Ok(()) }
    }

    /// Holds out of each group its share, at random.
    fn split_groups(
        &self,
        mut groups: Vec<Vec<u32>>,
        held_out: usize,
        seed: u64,
    ) -> Result<(Dataset, Dataset), Error> {
        self.refuse_empty_part(held_out)?;
        let counts: Vec<usize> = groups.iter().map(Vec::len).collect();
        let (mut rest, mut chosen) =
            (Vec::with_capacity(self.len() - held_out), Vec::with_capacity(held_out));
        for ((group, members), share) in groups.iter_mut().enumerate().zip(shares(&counts, held_out)) {
            shuffle(members, &mut stream(seed, Purpose::Split, 0, group as u64));
            let (held, kept) = members.split_at(share);
            chosen.extend_from_slice(held);
            rest.extend_from_slice(kept);
        }
        rest.sort_unstable();
        chosen.sort_unstable();
        Ok((self.select(&rest), self.select(&chosen)))
    }
}

/// A part of the data that [`Fit`](crate::Fit) holds out for validation: which share, between 0 and 1, and which samples.
/// As in Keras, `n − ⌊n·(1 − share)⌋` of n samples are held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ValidationSplit {
    /// The last samples, as in Keras, before any shuffling: [`Dataset::split_last`].
    Last(f64),
    /// Random samples: [`Dataset::split_random`] with the model's seed.
    Random(f64),
    /// Random samples, of each class its share: [`Dataset::split_stratified`] with the model's seed.
    Stratified(f64),
}

/// What a [`ValidationSplit`] held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// How it was chosen.
    pub split: ValidationSplit,
    /// The seed of the choice; it plays no part in [`ValidationSplit::Last`].
    pub seed: u64,
    /// How many samples were held out.
    pub held_out: usize,
    /// How many of them a validation takes, from the first on: all, unless
    /// [`validation_steps`](crate::Fit::validation_steps) come to fewer.
    pub evaluated: usize,
    /// How many there were.
    pub samples: usize,
}

impl fmt::Display for HeldOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { split, seed, held_out, evaluated, samples } = self;
        match split {
            ValidationSplit::Last(_) => write!(formatter, "the last {held_out} of {samples} samples")?,
            ValidationSplit::Random(_) => {
                write!(formatter, "{held_out} of {samples} samples, chosen at random with seed {seed}")?;
            }
            ValidationSplit::Stratified(_) => {
                write!(
                    formatter,
                    "{held_out} of {samples} samples, of each class its share, with seed {seed}"
                )?;
            }
        }
        if evaluated < held_out {
            write!(formatter, "; the first {evaluated} of these {held_out} are evaluated")?;
        }
        Ok(())
    }
}

impl ValidationSplit {
    fn method_and_share(self) -> (SplitMethod, f64) {
        match self {
            Self::Last(share) => (SplitMethod::Last, share),
            Self::Random(share) => (SplitMethod::Random, share),
            Self::Stratified(share) => (SplitMethod::Stratified, share),
        }
    }

    /// The rest, the part that is held out, and what was done.
    pub(crate) fn apply(self, data: &Dataset, seed: u64) -> Result<(Dataset, Dataset, HeldOut), Error> {
        let (method, share) = self.method_and_share();
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::ValidationShare { found: share });
        }
        let samples = data.len();
        let held_out = samples - (samples as f64 * (1.0 - share)).floor() as usize;
        let (rest, part) = method.split_strictly(data, held_out, seed)?;
        Ok((rest, part, HeldOut { split: self, seed, held_out, evaluated: held_out, samples }))
    }
}

/// `total` divided in proportion to `counts`, whose sum is at least `total`: every share rounded down, and one more for
/// those that lost most by it (Hamilton's method of largest remainders). Whoever would give all gives one less if another
/// can give one more and keep one.
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
    for class in 0..counts.len() {
        if counts[class] == 0 || shares[class] < counts[class] {
            continue;
        }
        let left = |class: usize| counts[class] - shares[class];
        let giver = (0..counts.len()).rev().max_by_key(|&other| left(other)); // of equals the last: the lower class
        if let Some(giver) = giver.filter(|&giver| left(giver) > 1) {
            shares[giver] += 1;
            shares[class] -= 1;
        }
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
            (vec![1, 9], 5, vec![0, 5]), // 0.5, 4.5: the class of one sample keeps it
            (vec![1, 4, 4], 6, vec![0, 3, 3]), // 0.67, 2.67, 2.67: 1, 3, 2 would take it away
            (vec![1, 2, 2], 4, vec![1, 2, 1]), // nobody has one to spare
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
    fn the_last_ones_or_any_are_held_out() {
        let data = Dataset::from_bytes(1, (0..10).collect(), [0, 1].repeat(5), 2).unwrap();
        let bytes = |part: &Dataset| -> Vec<u8> {
            (0..part.len()).map(|sample| part.bytes(sample).unwrap()[0]).collect()
        };
        let (rest, held_out) = data.split_last(3).unwrap();
        assert_eq!((bytes(&rest), bytes(&held_out)), ((0..7).collect(), vec![7, 8, 9]));

        let (rest, held_out) = data.split_random(3, 1).unwrap();
        assert!(bytes(&rest).is_sorted() && bytes(&held_out).is_sorted());
        let one_class = Dataset::from_bytes(1, (0..10).collect(), vec![0; 10], 1).unwrap();
        assert_eq!(bytes(&held_out), bytes(&one_class.split_stratified(3, 1).unwrap().1));
        for refused in [0, 10] {
            assert!(data.split_last(refused).is_err() && data.split_random(refused, 1).is_err());
        }
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

    #[test]
    fn the_last_and_random_samples_can_be_held_out() {
        let data = Dataset::from_bytes(1, (0..100).collect(), (0..100).map(|i| i / 50).collect(), 2).unwrap();
        let bytes = |part: &Dataset| -> Vec<u8> {
            (0..part.len()).map(|sample| part.bytes(sample).unwrap()[0]).collect()
        };
        let (rest, last) = data.split_last(30).unwrap();
        assert!(bytes(&rest).into_iter().eq(0..70) && bytes(&last).into_iter().eq(70..100));
        let (rest, random) = data.split_random(30, 1).unwrap();
        let mut all = [bytes(&rest), bytes(&random)].concat();
        assert!(bytes(&rest).is_sorted() && bytes(&random).is_sorted() && bytes(&random) != bytes(&last));
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        assert_eq!(bytes(&random), bytes(&data.split_random(30, 1).unwrap().1));
        assert_ne!(bytes(&random), bytes(&data.split_random(30, 2).unwrap().1));
        for held_out in [0, 100, 101] {
            assert!(data.split_last(held_out).is_err() && data.split_random(held_out, 1).is_err());
        }
    }

    /// `split_at = int(math.floor(n * (1.0 - validation_split)))`, keras/src/trainers/data_adapters/data_adapter_utils.py.
    #[test]
    fn a_share_is_as_many_samples_as_in_keras() {
        for (samples, share, expected) in
            [(10, 0.2, 2), (10, 0.25, 3), (3, 0.1, 1), (100, 0.3, 30), (7, 0.999, 7), (1, 0.5, 1)]
        {
            let data = Dataset::from_bytes(1, vec![0; samples], vec![0; samples], 1).unwrap();
            match ValidationSplit::Last(share).apply(&data, 0) {
                Ok((_, part, done)) => assert_eq!((part.len(), done.held_out), (expected, expected)),
                Err(Error::HeldOut { held_out, .. }) => assert_eq!(held_out, expected),
                Err(other) => panic!("{other}"),
            }
        }
        let data = Dataset::from_bytes(1, vec![0; 9], vec![0; 9], 1).unwrap();
        for share in [0.0, 1.0, -0.1, 2.0, f64::NAN] {
            let error = ValidationSplit::Random(share).apply(&data, 0).unwrap_err().to_string();
            assert_eq!(error, format!("validation_split is {share}, expected a share above 0 and below 1"));
        }
    }
}
