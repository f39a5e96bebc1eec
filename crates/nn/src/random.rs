//! Randomness that is counted, not drawn: every use has a stream of its own, keyed by what it is for and where it is.
//! Any of them can be computed again at any point without replaying the ones before, so a run that is resumed, or runs
//! on another number of threads, sees the same numbers.
//!
//! Everything here is part of the format of a trained model: to change a key, a number of [`Purpose`] or a shuffle would
//! change every result.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is used for. The numbers are part of its key and stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// Initial parameters; `epoch` is 0, `index` the tensor's position in [`Parameters`](crate::Parameters).
    Weights = 1,
    /// The order of the samples in an epoch; `index` is 0.
    Shuffle = 2,
    /// Dropout masks; `index` is the layer's position in the network, and a sample's place in the epoch that in the stream.
    Dropout = 3,
    /// Which samples are held out; `epoch` is 0, `index` the class.
    Split = 4,
    /// Noise of a layer other than dropout; `index` is its position in the network.
    Noise = 5,
}

/// The stream of random numbers for one use: ChaCha with 8 rounds, its 32-byte key the four numbers in this order, each
/// little-endian.
///
/// ```
/// # use densely::random::{Purpose, stream};
/// use rand_chacha::rand_core::Rng;
/// let (mut one, mut again) = (stream(1, Purpose::Dropout, 5, 2), stream(1, Purpose::Dropout, 5, 2));
/// assert_eq!(one.next_u64(), again.next_u64());
/// ```
pub fn stream(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, number) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Fills `order` with 0, 1, … in the random order of this `epoch`. Allocates nothing.
///
/// # Panics
///
/// If `order` is longer than `u32::MAX`.
#[track_caller]
pub fn shuffle_order(order: &mut [u32], seed: u64, epoch: u64) {
    assert!(u32::try_from(order.len()).is_ok(), "an order has at most {} samples", u32::MAX);
    for (position, sample) in order.iter_mut().enumerate() {
        *sample = position as u32;
    }
    shuffle(order, &mut stream(seed, Purpose::Shuffle, epoch, 0));
}

/// Puts `values` into random order: the shuffle of Fisher and Yates in Durstenfeld's form, from the last position down to
/// the second, each value changing places with one at or before it (Knuth, TAOCP 2, 3.4.2, algorithm P). Written here
/// rather than taken from a crate, so that it stays the same.
pub(crate) fn shuffle(values: &mut [u32], random: &mut ChaCha8Rng) {
    for last in (1..values.len()).rev() {
        let bound = u32::try_from(last + 1).expect("callers shuffle at most u32::MAX values");
        values.swap(last, below(bound, random) as usize);
    }
}

/// A number below `bound`, each with the same probability: the high half of a 64-bit product, drawn again where its low
/// half shows that the number would come up too often (D. Lemire, "Fast random integer generation in an interval",
/// ACM TOMACS 29 (2019), algorithm 5).
fn below(bound: u32, random: &mut ChaCha8Rng) -> u32 {
    let mut product = u64::from(random.next_u32()) * u64::from(bound);
    if (product as u32) < bound {
        let threshold = bound.wrapping_neg() % bound;
        while (product as u32) < threshold {
            product = u64::from(random.next_u32()) * u64::from(bound);
        }
    }
    (product >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_key_selects_another_stream() {
        let first = |mut stream: ChaCha8Rng| stream.next_u64();
        let values = [
            first(stream(1, Purpose::Weights, 2, 3)),
            first(stream(2, Purpose::Weights, 2, 3)),
            first(stream(1, Purpose::Shuffle, 2, 3)),
            first(stream(1, Purpose::Dropout, 2, 3)),
            first(stream(1, Purpose::Split, 2, 3)),
            first(stream(1, Purpose::Weights, 3, 3)),
            first(stream(1, Purpose::Weights, 2, 4)),
            first(stream(1, Purpose::Weights, 3, 2)),
        ];
        for (position, value) in values.iter().enumerate() {
            assert!(!values[..position].contains(value), "stream {position} repeats an earlier one");
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        for n in [0, 1, 2, 3, 64, 1000] {
            let mut order = vec![u32::MAX; n];
            shuffle_order(&mut order, 3, 1);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..n as u32));
        }
    }

    /// 24 orders of four, 24,000 shuffles: χ² with 23 degrees of freedom stays below 58.6 with probability 0.99994.
    #[test]
    fn every_order_is_as_likely_as_any_other() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            let mut order = [0; 4];
            shuffle_order(&mut order, 11, epoch);
            *counts.entry(order).or_insert(0_u32) += 1;
        }
        let chi_squared: f64 =
            counts.values().map(|&count| (f64::from(count) - 1000.0).powi(2) / 1000.0).sum();
        assert_eq!(counts.len(), 24);
        assert!(chi_squared < 58.6, "χ² = {chi_squared}");
    }

    #[test]
    fn bounded_numbers_reach_both_ends_and_nothing_beyond() {
        let mut random = stream(5, Purpose::Split, 0, 0);
        for bound in [1, 2, 3, 10, 1 << 31, (1 << 31) + 1, u32::MAX] {
            assert!((0..1000).all(|_| below(bound, &mut random) < bound));
        }
        let tens: std::collections::BTreeSet<u32> = (0..1000).map(|_| below(10, &mut random)).collect();
        assert!(tens.into_iter().eq(0..10));
    }

    /// Other numbers would change every trained model. Printed by tests/reference/streams.py.
    #[test]
    fn streams_and_shuffles_never_change() {
        assert_eq!(stream(1, Purpose::Weights, 0, 0).next_u64(), 4_344_717_217_939_160_907);
        let mut order = [0; 8];
        shuffle_order(&mut order, 1, 1);
        assert_eq!(order, [6, 1, 0, 3, 7, 5, 2, 4]);
    }
}
