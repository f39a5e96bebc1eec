//! The table of precision, recall and F-score per class.

use super::confusion::ConfusionMatrix;
use super::scores::{ClassCounts, mean_score};
use std::fmt;

/// How well each class was told from the others: what scikit-learn's `classification_report` prints.
///
/// ```
/// # use densely::ConfusionMatrix;
/// let mut confusion = ConfusionMatrix::new(3)?;
/// for (label, predicted) in [(0, 0), (1, 0), (2, 2), (2, 2), (2, 1)] {
///     confusion.record(label, predicted)?;
/// }
/// let report = confusion.report().with_names(&["ant", "bee", "cat"]);
/// assert_eq!(
///     report.to_string(),
///     "              precision    recall  f1-score   support
///
///          ant       0.50      1.00      0.67         1
///          bee       0.00      0.00      0.00         1
///          cat       1.00      0.67      0.80         3
///
///     accuracy                           0.60         5
///    macro avg       0.50      0.56      0.49         5
/// weighted avg       0.70      0.60      0.61         5
/// "
/// );
/// assert_eq!(report.classes[2].recall, 2.0 / 3.0);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClassificationReport {
    /// Each class.
    pub classes: Vec<ClassScores>,
    /// The share of all samples that were predicted rightly; 0 of none.
    pub accuracy: f64,
    /// The mean over the classes that are there or were predicted.
    pub macro_average: ClassScores,
    /// The same, each class counted by its samples.
    pub weighted_average: ClassScores,
}

/// A line of a [`ClassificationReport`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores {
    /// What the line is about.
    pub name: String,
    /// The share of the predictions of this class that are right; 0 of none.
    pub precision: f64,
    /// The share of the samples of this class that were found; 0 of none.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1_score: f64,
    /// How many samples of this class there are.
    pub support: u64,
    /// How often it was predicted.
    pub predicted: u64,
}

impl ConfusionMatrix {
    /// Precision, recall and F-score of each class, which are called by their numbers.
    pub fn report(&self) -> ClassificationReport {
        let classes = 0..self.classes();
        let counts: Vec<ClassCounts> = classes
            .clone()
            .map(|class| ClassCounts {
                hits: self.count(class, class) as f64,
                actual: classes.clone().map(|other| self.count(class, other)).sum::<u64>() as f64,
                predicted: classes.clone().map(|other| self.count(other, class)).sum::<u64>() as f64,
            })
            .collect();
        let average = |name: &str, weight: fn(&ClassCounts) -> f64| ClassScores {
            name: name.to_owned(),
            precision: mean_score(&counts, ClassCounts::precision, weight),
            recall: mean_score(&counts, ClassCounts::recall, weight),
            f1_score: mean_score(&counts, |class| class.f_score(1.0), weight),
            support: self.total(),
            predicted: self.total(),
        };
        let of_class = |(class, counts): (usize, &ClassCounts)| ClassScores {
            name: class.to_string(),
            precision: counts.precision(),
            recall: counts.recall(),
            f1_score: counts.f_score(1.0),
            support: counts.actual as u64,
            predicted: counts.predicted as u64,
        };
        ClassificationReport {
            accuracy: super::sum::share(self.correct() as f64, self.total() as f64),
            macro_average: average("macro avg", |_| 1.0),
            weighted_average: average("weighted avg", |class| class.actual),
            classes: counts.iter().enumerate().map(of_class).collect(),
        }
    }
}

impl ClassificationReport {
    /// The same with names for the classes, in their order. Classes beyond the names keep their numbers.
    #[must_use]
    pub fn with_names<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        for (class, name) in self.classes.iter_mut().zip(names) {
            class.name = name.as_ref().to_owned();
        }
        self
    }
}

/// As scikit-learn prints it, with two decimals; classes that are neither there nor predicted have no line.
impl fmt::Display for ClassificationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let averages = [&self.macro_average, &self.weighted_average];
        let classes = || self.classes.iter().filter(|class| class.support > 0 || class.predicted > 0);
        let lengths = classes().chain(averages).map(|line| line.name.chars().count());
        let width = lengths.max().unwrap_or(0);
        let line = |formatter: &mut fmt::Formatter<'_>, line: &ClassScores| {
            let ClassScores { name, precision, recall, f1_score, support, .. } = line;
            writeln!(formatter, "{name:>width$}  {precision:>9.2} {recall:>9.2} {f1_score:>9.2} {support:>9}")
        };
        writeln!(formatter, "{:>width$}  precision    recall  f1-score   support\n", "")?;
        for class in classes() {
            line(formatter, class)?;
        }
        let (accuracy, samples) = (self.accuracy, self.macro_average.support);
        writeln!(formatter, "\n{:>width$}  {:>19} {accuracy:>9.2} {samples:>9}", "accuracy", "")?;
        averages.into_iter().try_for_each(|average| line(formatter, average))
    }
}
