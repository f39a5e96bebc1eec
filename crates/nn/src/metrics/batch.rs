//! What metrics are updated with: targets, outputs and weights of some samples, checked once for all metrics.

use crate::error::Error;
use crate::metrics::MetricError;

/// What is right for each sample of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BatchTargets<'a> {
    /// A class for each sample: below 2 if there is one output, else below the number of outputs.
    Classes(&'a [u32]),
    /// A value for each output of each sample, outputs × samples.
    Values(&'a [f64]),
}

/// Which of the two [`BatchTargets`] there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// Class labels.
    Classes,
    /// Values.
    Values,
}

impl TargetKind {
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Classes => "class labels",
            Self::Values => "values",
        }
    }
}

/// Some samples: their targets, the network's outputs for them, and what each counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricBatch<'a> {
    targets: BatchTargets<'a>,
    outputs: &'a [f64],
    width: usize,
    weights: Option<&'a [f64]>,
    samples: usize,
}

impl<'a> MetricBatch<'a> {
    /// A batch of `outputs`, `width` × samples; each sample counts 1, or what `weights` says. There may be no samples.
    ///
    /// ```
    /// # use densely::metrics::{BatchTargets, MetricBatch};
    /// let outputs = [0.9, 0.1, 0.3, 0.7];
    /// assert_eq!(MetricBatch::new(BatchTargets::Classes(&[0, 1]), &outputs, 2, None)?.samples(), 2);
    /// let wrong = MetricBatch::new(BatchTargets::Classes(&[0, 2]), &outputs, 2, None);
    /// assert_eq!(wrong.unwrap_err().to_string(), "sample 1 has label 2, expected a label below 2");
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MetricError::Length`] if `width` is 0 or the lengths do not belong together, [`Error::Label`] if a label is no
    /// class, [`MetricError::Number`] if an output, a value or a weight is not a finite number, or a weight is below 0.
    pub fn new(
        targets: BatchTargets<'a>,
        outputs: &'a [f64],
        width: usize,
        weights: Option<&'a [f64]>,
    ) -> Result<Self, Error> {
        let length = |what, found, expected| {
            if found == expected { Ok(()) } else { Err(MetricError::Length { what, found, expected }) }
        };
        if width == 0 {
            return Err(MetricError::Length { what: "outputs of a sample", found: 0, expected: 1 }.into());
        }
        let samples = match targets {
            BatchTargets::Classes(labels) => labels.len(),
            BatchTargets::Values(values) => values.len() / width,
        };
        length("outputs", outputs.len(), samples.saturating_mul(width))?;
        let finite = |number: f64| number.is_finite();
        numbers("output", outputs, width, finite, "a finite number")?;
        match targets {
            BatchTargets::Classes(labels) => {
                let classes = classes_of(width);
                let wrong = labels.iter().position(|&label| label as usize >= classes);
                if let Some(sample) = wrong {
                    return Err(Error::Label { sample, label: labels[sample], classes });
                }
            }
            BatchTargets::Values(values) => {
                length("target values", values.len(), outputs.len())?;
                numbers("target", values, width, finite, "a finite number")?;
            }
        }
        if let Some(weights) = weights {
            length("weights", weights.len(), samples)?;
            let in_range = |weight: f64| weight.is_finite() && weight >= 0.0;
            numbers("weight", weights, 1, in_range, "0 or a finite number above 0")?;
        }
        Ok(Self { targets, outputs, width, weights, samples })
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// How many outputs a sample has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The targets of all samples.
    pub fn targets(&self) -> BatchTargets<'a> {
        self.targets
    }

    /// Whether the targets are classes or values.
    pub fn target_kind(&self) -> TargetKind {
        match self.targets {
            BatchTargets::Classes(_) => TargetKind::Classes,
            BatchTargets::Values(_) => TargetKind::Values,
        }
    }

    /// The outputs of a sample.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    #[track_caller]
    pub fn outputs(&self, sample: usize) -> &'a [f64] {
        &self.outputs[sample * self.width..][..self.width]
    }

    /// What a sample counts.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    #[track_caller]
    pub fn weight(&self, sample: usize) -> f64 {
        assert!(sample < self.samples, "sample {sample} of {}", self.samples);
        self.weights.map_or(1.0, |weights| weights[sample])
    }

    /// The value targets of a sample; none if the targets are classes.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    #[track_caller]
    pub fn values(&self, sample: usize) -> &'a [f64] {
        match self.targets {
            BatchTargets::Classes(_) => &[],
            BatchTargets::Values(values) => &values[sample * self.width..][..self.width],
        }
    }

    /// The right class of a sample: its label, or the first largest of its values, or 1 for a single value above ½.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    #[track_caller]
    pub fn class(&self, sample: usize) -> usize {
        match self.targets {
            BatchTargets::Classes(labels) => labels[sample] as usize,
            BatchTargets::Values(_) => largest_or_above(self.values(sample), 0.5),
        }
    }

    /// The predicted class of a sample: the first largest of its outputs, or 1 for a single output above ½.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    #[track_caller]
    pub fn predicted(&self, sample: usize) -> usize {
        largest_or_above(self.outputs(sample), 0.5)
    }
}

/// Which classes a network with so many outputs tells apart.
pub(crate) fn classes_of(width: usize) -> usize {
    width.max(2)
}

fn largest_or_above(numbers: &[f64], threshold: f64) -> usize {
    match numbers {
        [number] => usize::from(*number > threshold),
        _ => (1..numbers.len())
            .fold(0, |best, place| if numbers[place] > numbers[best] { place } else { best }),
    }
}

fn numbers(
    what: &'static str,
    numbers: &[f64],
    width: usize,
    in_range: impl Fn(f64) -> bool,
    expected: &'static str,
) -> Result<(), Error> {
    match numbers.iter().position(|&number| !in_range(number)) {
        None => Ok(()),
        Some(place) => Err(MetricError::Number {
            what,
            sample: place / width,
            index: place % width,
            found: numbers[place],
            expected,
        }
        .into()),
    }
}
