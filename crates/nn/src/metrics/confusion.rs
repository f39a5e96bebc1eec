//! The confusion matrix.

use crate::data::MAX_CLASSES;

/// How often each class was taken for each other one: `count(label, predicted)`.
///
/// ```
/// # use densely::ConfusionMatrix;
/// let mut confusion = ConfusionMatrix::new(10);
/// confusion.record(4, 9);
/// confusion.record(4, 4);
/// assert_eq!((confusion.count(4, 9), confusion.count(9, 4)), (1, 0));
/// assert_eq!((confusion.correct(), confusion.total()), (1, 2));
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
    /// # Panics
    ///
    /// If there are more than [`MAX_CLASSES`] classes.
    #[track_caller]
    pub fn new(classes: usize) -> Self {
        assert!(classes <= MAX_CLASSES, "a confusion matrix of {classes} classes");
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one sample of class `label` that was predicted as `predicted`.
    ///
    /// # Panics
    ///
    /// If one of them is not below [`classes`](Self::classes).
    #[track_caller]
    pub fn record(&mut self, label: usize, predicted: usize) {
        let cell = self.cell(label, predicted);
        self.counts[cell] += 1;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of class `label` were predicted as `predicted`.
    ///
    /// # Panics
    ///
    /// If one of them is not below [`classes`](Self::classes).
    #[track_caller]
    pub fn count(&self, label: usize, predicted: usize) -> u64 {
        self.counts[self.cell(label, predicted)]
    }

    /// How many samples were predicted rightly: the sum of the diagonal.
    pub fn correct(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// How many samples were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    #[track_caller]
    fn cell(&self, label: usize, predicted: usize) -> usize {
        assert!(
            label < self.classes && predicted < self.classes,
            "label {label} or predicted class {predicted} is not below {}",
            self.classes
        );
        label * self.classes + predicted
    }
}
