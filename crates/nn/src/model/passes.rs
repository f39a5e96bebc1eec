//! The order in which samples are trained on: pass after pass over the data, cut into batches.

use crate::random::shuffle_order;

/// Where a run is in its data. Passes are counted by the model, for as long as it lives.
pub(crate) struct Passes {
    order: Vec<u32>,
    batch_size: usize,
    shuffle: bool,
    seed: u64,
    /// Where the next batch begins; the length of the order if it begins a pass.
    next: usize,
}

impl Passes {
    /// Before a pass over so many samples; a `batch_size` beyond them is all of them.
    pub(crate) fn new(samples: usize, batch_size: usize, shuffle: bool, seed: u64) -> Self {
        let order = (0..samples as u32).collect();
        Self { order, batch_size: batch_size.min(samples), shuffle, seed, next: samples }
    }

    pub(crate) fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Steps of a whole pass.
    pub(crate) fn steps(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Goes to where a run stands after so many steps; `passes` becomes the count of passes begun. `None` if that is beyond
    /// what a count can be.
    pub(crate) fn skip(&mut self, steps: u128, passes: &mut u64) -> Option<()> {
        let whole = steps / self.steps() as u128;
        *passes = u64::try_from(whole).ok()?;
        let inside = (steps % self.steps() as u128) as usize;
        if inside > 0 {
            self.begin(passes);
            self.next = inside * self.batch_size;
        }
        Some(())
    }

    /// How many samples of the last pass that was begun were trained on.
    pub(crate) fn samples_of_pass(&self) -> usize {
        self.next
    }

    /// Goes to where so many samples of pass number `pass` were trained on; says whether a run can be there.
    pub(crate) fn resume(&mut self, samples: usize, pass: u64) -> bool {
        if samples > self.order.len()
            || (samples < self.order.len() && !samples.is_multiple_of(self.batch_size))
        {
            return false;
        }
        if self.shuffle && samples < self.order.len() {
            shuffle_order(&mut self.order, self.seed, pass);
        }
        self.next = samples;
        true
    }

    /// How many samples the next so many steps have.
    pub(crate) fn samples_of(&self, steps: usize) -> usize {
        let (samples, steps_of_pass) = (self.order.len() as u128, self.steps() as u128);
        let before = |step: u128| {
            let inside = (step % steps_of_pass) * self.batch_size as u128;
            step / steps_of_pass * samples + inside.min(samples)
        };
        let start = self.next.div_ceil(self.batch_size) as u128;
        usize::try_from(before(start + steps as u128) - before(start)).unwrap_or(usize::MAX)
    }

    /// The next batch, and how many samples of its pass come before it.
    pub(crate) fn next_batch(&mut self, passes: &mut u64) -> (&[u32], usize) {
        if self.next == self.order.len() {
            self.begin(passes);
        }
        let first = self.next;
        self.next = (first + self.batch_size).min(self.order.len());
        (&self.order[first..self.next], first)
    }

    /// The batch after the present one, as far as it is known: none behind the last of a pass.
    pub(crate) fn following(&self) -> &[u32] {
        &self.order[self.next..(self.next + self.batch_size).min(self.order.len())]
    }

    fn begin(&mut self, passes: &mut u64) {
        *passes += 1;
        if self.shuffle {
            shuffle_order(&mut self.order, self.seed, *passes);
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(passes: &mut Passes, count: &mut u64, steps: usize) -> Vec<(u64, usize, Vec<u32>)> {
        let batch = |_| {
            let (batch, first) = passes.next_batch(count);
            let batch = batch.to_vec();
            (*count, first, batch)
        };
        (0..steps).map(batch).collect()
    }

    #[test]
    fn a_pass_ends_with_what_is_left_and_the_next_begins_anew() {
        let (mut passes, mut count) = (Passes::new(5, 2, false, 0), 7);
        assert_eq!(passes.steps(), 3);
        assert_eq!(
            batches(&mut passes, &mut count, 4),
            [(8, 0, vec![0, 1]), (8, 2, vec![2, 3]), (8, 4, vec![4]), (9, 0, vec![0, 1])]
        );
    }

    #[test]
    fn the_following_batch_is_known_within_a_pass() {
        let (mut passes, mut count) = (Passes::new(7, 3, true, 4), 0);
        assert!(passes.following().is_empty(), "the first pass is not shuffled yet");
        for step in 1..=6 {
            let _ = passes.next_batch(&mut count);
            let following = passes.following().to_vec();
            assert_eq!(following.len(), [3, 1, 0][(step - 1) % 3], "behind step {step}");
            if !following.is_empty() {
                let mut next = Passes::new(7, 3, true, 4);
                next.skip(step as u128, &mut 0);
                assert_eq!(next.next_batch(&mut 0).0, following);
            }
        }
    }

    #[test]
    fn a_run_can_begin_anywhere() {
        for skipped in 0..12 {
            let (mut from_start, mut first) = (Passes::new(7, 3, true, 4), 0);
            let whole = batches(&mut from_start, &mut first, 20);
            let (mut behind, mut second) = (Passes::new(7, 3, true, 4), 99);
            behind.skip(skipped as u128, &mut second).unwrap();
            let samples: usize = whole[skipped..skipped + 5].iter().map(|(_, _, batch)| batch.len()).sum();
            assert_eq!(behind.samples_of(5), samples, "behind {skipped}");
            assert_eq!(batches(&mut behind, &mut second, 20 - skipped), whole[skipped..], "behind {skipped}");
        }
    }

    #[test]
    fn a_run_can_be_taken_up_anywhere() {
        for done in 0..12 {
            let (mut before, mut count) = (Passes::new(7, 3, true, 4), 0);
            batches(&mut before, &mut count, done);
            let mut behind = Passes::new(7, 3, true, 4);
            assert!(behind.resume(before.samples_of_pass(), count));
            let mut second = count;
            assert_eq!(
                batches(&mut behind, &mut second, 5),
                batches(&mut before, &mut count, 5),
                "behind {done}"
            );
        }
        for samples in [1, 2, 4, 8, usize::MAX] {
            assert!(!Passes::new(7, 3, true, 4).resume(samples, 1), "{samples}");
        }
    }

    #[test]
    fn numbers_beyond_any_run_are_no_panic() {
        let mut passes = Passes::new(7, usize::MAX, true, 4);
        assert_eq!((passes.batch_size(), passes.steps()), (7, 1));
        assert_eq!(passes.samples_of(usize::MAX), usize::MAX);
        assert!(passes.skip(u128::MAX, &mut 0).is_none());
    }
}
