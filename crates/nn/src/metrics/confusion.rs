//! The confusion matrix.

use super::error::MetricError;
use super::room::filled;
use crate::data::MAX_CLASSES;
use crate::error::Error;

/// How often each class was taken for each other one: `count(label, predicted)`.
///
/// ```
/// # use densely::ConfusionMatrix;
/// let mut confusion = ConfusionMatrix::new(10)?;
/// confusion.record(4, 9)?;
/// confusion.record(4, 4)?;
/// assert_eq!((confusion.count(4, 9), confusion.count(9, 4)), (1, 0));
/// assert_eq!((confusion.correct(), confusion.total()), (1, 2));
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row by row: a row is a true class, a column a predicted one.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// A matrix of zeros, `classes` × `classes`.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyClasses`] beyond [`MAX_CLASSES`]; [`Error::Memory`] if there is not enough, of which so many take 2 GiB.
    pub fn new(classes: usize) -> Result<Self, Error> {
        if classes > MAX_CLASSES {
            return Err(Error::TooManyClasses { found: classes, limit: MAX_CLASSES });
        }
        Ok(Self { classes, counts: filled(0, classes * classes, "the counts of a confusion matrix")? })
    }

    /// Counts one sample of class `label` that was predicted as `predicted`.
    ///
    /// # Errors
    ///
    /// [`MetricError::Class`] if one of them is not below [`classes`](Self::classes); nothing is then counted.
    pub fn record(&mut self, label: usize, predicted: usize) -> Result<(), Error> {
        let classes = self.classes;
        for (what, found) in [("label", label), ("predicted class", predicted)] {
            if found >= classes {
                return Err(MetricError::Class { what, found, classes }.into());
            }
        }
        self.counts[label * classes + predicted] += 1;
        Ok(())
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of class `label` were predicted as `predicted`; 0 if one of them is not below
    /// [`classes`](Self::classes).
    pub fn count(&self, label: usize, predicted: usize) -> u64 {
        if label < self.classes && predicted < self.classes {
            self.counts[label * self.classes + predicted]
        } else {
            0
        }
    }

    /// How many samples were predicted rightly: the sum of the diagonal.
    pub fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// How many samples were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_class_is_refused_and_was_never_counted() {
        let mut confusion = ConfusionMatrix::new(2).unwrap();
        let message = confusion.record(2, 0).unwrap_err().to_string();
        assert_eq!(message, "label 2 is no class of the confusion matrix, expected one below 2");
        let message = confusion.record(1, usize::MAX).unwrap_err().to_string();
        assert!(message.starts_with("predicted class 18446744073709551615 is no class"), "{message}");
        assert_eq!((confusion.total(), confusion.count(2, 0), confusion.count(0, usize::MAX)), (0, 0, 0));
        let message = ConfusionMatrix::new(MAX_CLASSES + 1).unwrap_err().to_string();
        assert_eq!(message, "the dataset has 16385 classes, expected at most 16384");
    }
}
