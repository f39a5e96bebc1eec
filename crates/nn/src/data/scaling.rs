//! Scaling of features: fitted to the training samples, then the same for all others.

use super::dataset::{Dataset, Sample};
use crate::error::Error;
use serde::{Deserialize, Serialize};

/// How features are scaled before they enter a network.
///
/// Bytes that are not scaled stay bytes, and enter one as shares of 255; scaled ones become numbers of eight bytes each. What
/// `Standardize` and `MinMax` give does not depend on whether bytes or their shares are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Scaling {
    /// Not at all.
    #[default]
    None,
    /// To mean 0 and standard deviation 1 of each feature over the training samples: (x − mean)/deviation, with the
    /// deviation of the samples themselves (divided by n), as Keras's `Normalization` layer has it.
    Standardize,
    /// To the range 0 to 1 of each feature over the training samples: (x − min)/(max − min).
    MinMax,
    /// By one divisor for all features, such as 255 for pixels. Of bytes, `Divide(255)` changes nothing.
    Divide(f64),
}

/// A scaling with what it took from the training samples: (x − offset)/scale, feature by feature.
///
/// A feature that is the same in all training samples has scale 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedScaling {
    /// What is subtracted from each feature; one number if it is the same for all.
    pub offset: Vec<f64>,
    /// What the difference is divided by; one number if it is the same for all.
    pub scale: Vec<f64>,
}

/// The least and the largest value of each feature.
pub(crate) struct Ranges {
    least: Vec<f64>,
    most: Vec<f64>,
}

impl Ranges {
    pub(crate) fn new(features: usize) -> Self {
        Self { least: vec![f64::INFINITY; features], most: vec![f64::NEG_INFINITY; features] }
    }

    pub(crate) fn widen(&mut self, feature: usize, value: f64) {
        self.least[feature] = self.least[feature].min(value);
        self.most[feature] = self.most[feature].max(value);
    }

    /// The value of a feature that has only one. Neither a mean nor a variance that were rounded can tell.
    pub(crate) fn constant(&self, feature: usize) -> Option<f64> {
        (self.least[feature] == self.most[feature]).then(|| self.least[feature])
    }
}

impl Scaling {
    /// Checks the divisor.
    pub(super) fn validate(self) -> Result<(), Error> {
        match self {
            Self::Divide(divisor) if !(divisor > 0.0 && divisor.is_finite()) => Err(Error::DataSetting {
                setting: "divisor of scaling",
                found: divisor.to_string(),
                expected: "a finite number above 0",
            }),
            _ => Ok(()),
        }
    }

    /// Takes from the training samples what the scaling needs; `None` if nothing is to be done. Sums go through the samples
    /// in their order.
    ///
    /// ```
    /// # use densely::{Dataset, data::Scaling};
    /// let train = Dataset::from_floats(1, vec![1.0, 5.0], vec![0, 0], 1)?;
    /// let scaling = Scaling::Standardize.fit(&train)?.ok_or("unscaled")?;
    /// assert_eq!((&scaling.offset[..], &scaling.scale[..]), (&[3.0][..], &[2.0][..]));
    ///
    /// let mut batch = [0.0_f32; 2];
    /// train.scaled(&scaling)?.gather(&[0, 1], &mut batch)?;
    /// assert_eq!(batch, [-1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If samples are in a file and cannot be read.
    pub fn fit(self, training: &Dataset) -> Result<Option<FittedScaling>, Error> {
        let features = training.features();
        let fitted = |offset, scale: Vec<f64>| {
            let usable = |scale: f64| if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
            Some(FittedScaling { offset, scale: scale.into_iter().map(usable).collect() })
        };
        Ok(match self {
            Self::None => None,
            Self::Divide(divisor) => {
                let divisor = if training.has_bytes() { divisor / 255.0 } else { divisor };
                (divisor != 1.0).then(|| FittedScaling { offset: vec![0.0], scale: vec![divisor] })
            }
            Self::Standardize => {
                let samples = training.len() as f64;
                let (mut mean, mut ranges) = (vec![0.0; features], Ranges::new(features));
                for_each_value(training, |feature, value| {
                    mean[feature] += value;
                    ranges.widen(feature, value);
                })?;
                for (feature, mean) in mean.iter_mut().enumerate() {
                    *mean = ranges.constant(feature).unwrap_or(*mean / samples);
                }
                let mut square = vec![0.0; features];
                for_each_value(training, |feature, value| {
                    let distance = value - mean[feature];
                    square[feature] += distance * distance;
                })?;
                let deviation = square.into_iter().map(|sum| (sum / samples).sqrt()).collect();
                fitted(mean, deviation)
            }
            Self::MinMax => {
                let mut ranges = Ranges::new(features);
                for_each_value(training, |feature, value| ranges.widen(feature, value))?;
                let Ranges { least, most } = ranges;
                let range = most.iter().zip(&least).map(|(most, least)| most - least).collect();
                fitted(least, range)
            }
        })
    }
}

/// Calls with the feature and its value, sample after sample; bytes are shares of 255.
fn for_each_value(data: &Dataset, mut visit: impl FnMut(usize, f64)) -> Result<(), Error> {
    let mut room = Vec::new();
    for sample in 0..data.len() {
        match data.sample(sample, &mut room)? {
            Sample::Bytes(bytes) => {
                bytes.iter().enumerate().for_each(|(feature, &byte)| visit(feature, f64::from(byte) / 255.0));
            }
            Sample::Floats(floats) => {
                floats.iter().enumerate().for_each(|(feature, &value)| visit(feature, value));
            }
        }
    }
    Ok(())
}

impl Dataset {
    /// The same samples with scaled features, as numbers. They have storage of their own.
    ///
    /// # Errors
    ///
    /// [`Error::Features`] if the scaling was fitted to samples of another width, [`Error::Feature`] if a scaled value is
    /// beyond single precision, [`Error::Memory`] if there is not enough.
    pub fn scaled(&self, scaling: &FittedScaling) -> Result<Dataset, Error> {
        let FittedScaling { offset, scale } = scaling;
        for numbers in [offset, scale] {
            if numbers.len() != 1 && numbers.len() != self.features() {
                return Err(Error::Features { expected: numbers.len(), found: self.features() });
            }
        }
        let of =
            |numbers: &[f64], feature: usize| if let [number] = *numbers { number } else { numbers[feature] };
        let mut scaled = Vec::new();
        let memory = |_| Error::Memory { what: "the scaled features" };
        scaled.try_reserve_exact(self.len() * self.features()).map_err(memory)?;
        for_each_value(self, |feature, value| {
            scaled.push((value - of(offset, feature)) / of(scale, feature))
        })?;
        self.with_floats(scaled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scaling: Scaling, data: &Dataset, expected: &[f64]) {
        let scaled = match scaling.fit(data).unwrap() {
            Some(fitted) => data.scaled(&fitted).unwrap(),
            None => data.clone(),
        };
        let mut values = vec![0.0_f64; expected.len()];
        let order: Vec<u32> = (0..data.len() as u32).collect();
        scaled.gather(&order, &mut values).unwrap();
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() <= 1e-15, "{scaling:?}: {values:?}, expected {expected}");
        }
        assert!((0..data.len()).all(|sample| scaled.label(sample) == data.label(sample)));
    }

    #[test]
    fn each_feature_is_scaled_by_its_own_numbers_and_a_constant_one_is_only_moved() {
        let floats = Dataset::from_floats(2, vec![1.0, 7.0, 3.0, 7.0, 8.0, 7.0], vec![0, 1, 2], 3).unwrap();
        check(Scaling::None, &floats, &[1.0, 7.0, 3.0, 7.0, 8.0, 7.0]);
        check(Scaling::Divide(2.0), &floats, &[0.5, 3.5, 1.5, 3.5, 4.0, 3.5]);
        check(Scaling::MinMax, &floats, &[0.0, 0.0, 2.0 / 7.0, 0.0, 1.0, 0.0]);
        let deviation = (26.0_f64 / 3.0).sqrt(); // of 1, 3, 8 around 4: (9 + 1 + 16)/3
        check(
            Scaling::Standardize,
            &floats,
            &[-3.0 / deviation, 0.0, -1.0 / deviation, 0.0, 4.0 / deviation, 0.0],
        );
    }

    #[test]
    fn a_constant_whose_mean_would_be_rounded_is_constant() {
        let floats = Dataset::from_floats(1, vec![0.1; 3], vec![0; 3], 1).unwrap();
        assert_ne!((0.1 + 0.1 + 0.1) / 3.0, 0.1);
        for scaling in [Scaling::Standardize, Scaling::MinMax] {
            let expected = Some(FittedScaling { offset: vec![0.1], scale: vec![1.0] });
            assert_eq!(scaling.fit(&floats).unwrap(), expected, "{scaling:?}");
        }
    }

    #[test]
    fn one_divisor_is_one_number_whatever_the_width() {
        let floats = Dataset::from_floats(3, vec![2.0, 4.0, 6.0], vec![0], 1).unwrap();
        let fitted = FittedScaling { offset: vec![0.0], scale: vec![2.0] };
        assert_eq!(Scaling::Divide(2.0).fit(&floats).unwrap(), Some(fitted));
        check(Scaling::Divide(2.0), &floats, &[1.0, 2.0, 3.0]);
        for (offset, scale) in [(2, 3), (3, 2)] {
            let other = FittedScaling { offset: vec![0.0; offset], scale: vec![1.0; scale] };
            assert!(matches!(floats.scaled(&other), Err(Error::Features { expected: 2, found: 3 })));
        }
    }

    #[test]
    fn bytes_are_scaled_from_their_shares_of_255() {
        let bytes = Dataset::from_bytes(1, vec![0, 51, 255], vec![0, 0, 0], 1).unwrap();
        assert_eq!(Scaling::Divide(255.0).fit(&bytes).unwrap(), None);
        check(Scaling::None, &bytes, &[0.0, 0.2, 1.0]);
        check(Scaling::Divide(51.0), &bytes, &[0.0, 1.0, 5.0]);
        check(Scaling::MinMax, &bytes, &[0.0, 0.2, 1.0]);
    }

    #[test]
    fn only_the_training_part_is_looked_at() {
        let data = Dataset::from_floats(1, vec![0.0, 2.0, 100.0], vec![0; 3], 1).unwrap();
        let (train, held_out) = data.split_last(1).unwrap();
        let scaling = Scaling::MinMax.fit(&train).unwrap().unwrap();
        assert_eq!((&scaling.offset[..], &scaling.scale[..]), (&[0.0][..], &[2.0][..]));
        let mut value = [0.0_f64];
        held_out.scaled(&scaling).unwrap().gather(&[0], &mut value).unwrap();
        assert_eq!(value, [50.0]);
    }
}
