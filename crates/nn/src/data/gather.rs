//! From samples in storage to the columns of a batch.

use super::dataset::{Dataset, Sample};
use crate::error::Error;
use densely_tensor::{MatMut, Nonzeros, Pool, Runs, Scalar};
use std::sync::{Mutex, PoisonError};

/// The bytes of a batch before they become numbers.
#[derive(Debug, Default)]
pub(crate) struct GatherRoom {
    /// Which samples of `bytes`, or of the data's storage, are in the batch.
    stored: Vec<u32>,
    /// The bytes of samples that are not in memory.
    bytes: Vec<u8>,
}

impl GatherRoom {
    /// For batches of up to so many samples.
    pub(crate) fn new(samples: usize) -> Self {
        Self { stored: Vec::with_capacity(samples), bytes: Vec::new() }
    }
}

/// What first went wrong on any of several threads.
#[derive(Default)]
pub(crate) struct FirstError(Mutex<Option<Error>>);

impl FirstError {
    pub(crate) fn note(&self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), Error> {
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Dataset {
    /// Writes the samples of `order` to the columns of `out`, features × samples, column-major. A byte b becomes b/255,
    /// rounded once; a float is rounded to `T`. Allocates nothing where the samples are in memory; parts of a batch can be gathered
    /// by several threads.
    ///
    /// # Errors
    ///
    /// If samples are in a file and cannot be read.
    ///
    /// # Panics
    ///
    /// If `out` does not have [`features`](Self::features) values for each sample, or a sample is not below
    /// [`len`](Self::len).
    #[track_caller]
    pub fn gather<T: Scalar>(&self, order: &[u32], out: &mut [T]) -> Result<(), Error> {
        assert_eq!(out.len(), order.len() * self.features(), "gather: out is not features × samples");
        let (scaled, mut room) = (scaled_bytes::<T>(), Vec::new());
        for (column, &sample) in out.chunks_exact_mut(self.features()).zip(order) {
            match self.sample(sample as usize, &mut room)? {
                Sample::Bytes(bytes) => scale(&scaled, bytes, column),
                Sample::Floats(floats) => round(floats, column),
            }
        }
        Ok(())
    }

    /// Finds the bytes of the samples of `order`: reads them on all threads of `pool` if they are not in memory. `room` is what
    /// the two functions below take.
    pub(crate) fn find_bytes(
        &self,
        pool: &Pool,
        order: &[u32],
        GatherRoom { stored, bytes }: &mut GatherRoom,
    ) -> Result<(), Error> {
        stored.clear();
        if self.all_bytes().is_some() {
            stored.extend(order.iter().map(|&sample| self.stored(sample as usize) as u32));
            return Ok(());
        }
        stored.extend(0..order.len() as u32);
        let memory = |_| Error::Memory { what: "the bytes of a batch" };
        let len = order.len() * self.features();
        bytes.try_reserve_exact(len.saturating_sub(bytes.len())).map_err(memory)?;
        bytes.resize(len, 0);
        let result = FirstError::default();
        pool.for_each_part(1, (order, Runs::new(bytes, self.features())), |_, (order, bytes)| {
            let mut samples = order.iter().zip(bytes.chunks_exact_mut(self.features()));
            result.note(samples.try_for_each(|(&sample, bytes)| self.read(sample as usize, bytes)));
        });
        result.into_result()
    }

    /// What is not 0 of the samples whose bytes were found, with the values that [`gather`](Self::gather) gives.
    ///
    /// # Panics
    ///
    /// If features are not bytes, or there is not enough room.
    pub(crate) fn fill_nonzeros<T: Scalar>(
        &self,
        pool: &Pool,
        room: &GatherRoom,
        nonzeros: &mut Nonzeros<T>,
    ) {
        let bytes = self.all_bytes().unwrap_or(&room.bytes);
        nonzeros.fill_from_bytes(pool, self.features(), bytes, &room.stored, &scaled_bytes());
    }

    /// [`gather`](Self::gather) on all threads of `pool`, from bytes that were found if features are bytes.
    pub(crate) fn fill_columns<T: Scalar>(
        &self,
        pool: &Pool,
        order: &[u32],
        room: &GatherRoom,
        out: &mut [T],
    ) {
        let (features, scaled) = (self.features(), scaled_bytes::<T>());
        let out = MatMut::from_slice(out, features, order.len());
        let bytes = if self.has_bytes() { Some(self.all_bytes().unwrap_or(&room.bytes)) } else { None };
        pool.for_each_part(1, (order, out), |range, (order, out)| {
            let columns = out.into_slice().chunks_exact_mut(features);
            match bytes {
                Some(bytes) => {
                    for (column, &stored) in columns.zip(&room.stored[range]) {
                        scale(&scaled, &bytes[stored as usize * features..][..features], column);
                    }
                }
                None => {
                    for (column, &sample) in columns.zip(order) {
                        round(self.floats(sample as usize), column);
                    }
                }
            }
        });
    }

    /// Writes the labels of the samples of `order` to `out`.
    ///
    /// # Panics
    ///
    /// If the targets are values, `out` and `order` differ in length, or a sample is not below [`len`](Self::len).
    #[track_caller]
    pub fn gather_labels(&self, order: &[u32], out: &mut [u32]) {
        assert_eq!(out.len(), order.len(), "gather_labels: out and order differ in length");
        let labels = self.stored_labels();
        for (label, &sample) in out.iter_mut().zip(order) {
            *label = labels[self.stored(sample as usize)];
        }
    }

    /// Writes the target values of the samples of `order` to the columns of `out`, outputs × samples, column-major.
    ///
    /// # Panics
    ///
    /// If the targets are class labels, `out` does not have [`outputs`](Self::outputs) values for each sample, or a sample is
    /// not below [`len`](Self::len).
    #[track_caller]
    pub fn gather_targets(&self, order: &[u32], out: &mut [f64]) {
        let outputs = self.outputs().expect("the targets are class labels");
        assert_eq!(out.len(), order.len() * outputs, "gather_targets: out is not outputs × samples");
        for (column, &sample) in out.chunks_exact_mut(outputs).zip(order) {
            column.copy_from_slice(self.targets(sample as usize).unwrap_or_default());
        }
    }
}

/// A sample of bytes as a column.
fn scale<T: Scalar>(scaled: &[T; 256], bytes: &[u8], column: &mut [T]) {
    for (value, &byte) in column.iter_mut().zip(bytes) {
        *value = scaled[usize::from(byte)];
    }
}

/// A sample of floats as a column.
fn round<T: Scalar>(floats: &[f64], column: &mut [T]) {
    for (value, &float) in column.iter_mut().zip(floats) {
        *value = T::from_f64(float);
    }
}

/// What each byte stands for: itself/255, rounded once.
fn scaled_bytes<T: Scalar>() -> [T; 256] {
    // Rounding twice, the quotient to f64 and then to f32, gives what rounding once gives: f64 has more than twice
    // the digits of f32 and two to spare (S. Figueroa, "When is double rounding innocuous?", SIGNUM 30 (1995)).
    std::array::from_fn(|byte| T::from_f64(byte as f64 / 255.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_becomes_its_share_of_255_rounded_once() {
        let data = Dataset::from_bytes(256, (0..=255).collect(), vec![0], 1).unwrap();
        let (mut single, mut double) = ([0.0_f32; 256], [0.0_f64; 256]);
        data.gather(&[0], &mut single).unwrap();
        data.gather(&[0], &mut double).unwrap();
        for byte in 0..=255_u8 {
            let place = usize::from(byte);
            assert_eq!(single[place].to_bits(), (f32::from(byte) / 255.0).to_bits());
            assert_eq!(double[place].to_bits(), (f64::from(byte) / 255.0).to_bits());
        }
    }

    #[test]
    fn columns_and_labels_follow_the_order() {
        let data = Dataset::from_floats(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![7, 8, 9], 10).unwrap();
        let (mut batch, mut labels) = ([0.0_f64; 8], [0; 4]);
        data.gather(&[2, 0, 2, 1], &mut batch).unwrap();
        data.gather_labels(&[2, 0, 2, 1], &mut labels);
        assert_eq!(batch, [5.0, 6.0, 1.0, 2.0, 5.0, 6.0, 3.0, 4.0]);
        assert_eq!(labels, [9, 7, 9, 8]);
    }

    #[test]
    #[should_panic(expected = "features × samples")]
    fn a_batch_of_another_size_is_a_bug_of_the_caller() {
        let data = Dataset::from_bytes(2, vec![1, 2], vec![0], 1).unwrap();
        let _ = data.gather(&[0], &mut [0.0_f32; 3]);
    }
}
