//! Whether two datasets are the same.

use super::dataset::{Dataset, Sample};
use crate::error::Error;
use sha2::{Digest, Sha256};

impl Dataset {
    /// The first 16 hex digits of a SHA-256 over the numbers of features, samples, classes and target values (u64 each), and
    /// for each sample its features (0 and the bytes, or 1 and the floats) and its target; all little-endian. Two datasets
    /// have the same fingerprint if and only if they have the same samples in the same order bit for bit, but for chances of
    /// 2⁻⁶⁴. Where they are stored makes no difference.
    ///
    /// ```
    /// # use densely::Dataset;
    /// let data = Dataset::from_bytes(1, vec![1, 2, 3], vec![0, 1, 0], 2)?;
    /// let same = Dataset::from_bytes(1, vec![1, 2, 3], vec![0, 1, 0], 2)?;
    /// let other = Dataset::from_bytes(1, vec![1, 2, 3], vec![0, 1, 1], 2)?;
    /// assert_eq!(data.fingerprint()?, same.fingerprint()?);
    /// assert_ne!(data.fingerprint()?, other.fingerprint()?);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If samples are in a file and cannot be read.
    pub fn fingerprint(&self) -> Result<String, Error> {
        let mut hash = Sha256::new();
        for count in [self.features(), self.len(), self.classes(), self.outputs().unwrap_or(0)] {
            hash.update((count as u64).to_le_bytes());
        }
        let (mut bytes, mut room) = (Vec::new(), Vec::new());
        for sample in 0..self.len() {
            bytes.clear();
            match self.sample(sample, &mut room)? {
                Sample::Bytes(features) => {
                    bytes.push(0);
                    bytes.extend_from_slice(features);
                }
                Sample::Floats(features) => {
                    bytes.push(1);
                    features.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
                }
            }
            match self.targets(sample) {
                Some(values) => values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes())),
                None => bytes.extend_from_slice(&self.label(sample).to_le_bytes()),
            }
            hash.update(&bytes);
        }
        Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_counts_and_the_storage_does_not() {
        let floats = |features: &[f64], labels: &[u32], classes| {
            Dataset::from_floats(2, features.to_vec(), labels.to_vec(), classes).unwrap()
        };
        let data = floats(&[0.0, 1.0, 2.0, 3.0], &[0, 1], 2);
        let others = [
            floats(&[-0.0, 1.0, 2.0, 3.0], &[0, 1], 2),
            floats(&[2.0, 3.0, 0.0, 1.0], &[1, 0], 2),
            floats(&[0.0, 1.0, 2.0, 3.0], &[1, 0], 2),
            floats(&[0.0, 1.0, 2.0, 3.0], &[0, 1], 3),
            Dataset::from_values(2, vec![0.0, 1.0, 2.0, 3.0], 1, vec![0.0, 1.0]).unwrap(),
            Dataset::from_values(1, vec![0.0, 1.0, 2.0, 3.0], 1, vec![0.0, 1.0, 2.0, 3.0]).unwrap(),
            Dataset::from_bytes(2, vec![0, 1, 2, 3], vec![0, 1], 2).unwrap(),
        ];
        for other in &others {
            assert_ne!(data.fingerprint().unwrap(), other.fingerprint().unwrap(), "{other:?}");
        }
        let longer = floats(&[9.0, 9.0, 0.0, 1.0, 2.0, 3.0], &[1, 0, 1], 2);
        assert_eq!(longer.select(&[1, 2]).fingerprint().unwrap(), data.fingerprint().unwrap());
    }
}
