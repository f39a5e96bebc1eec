//! `metrics.json`: a run's figures for other programs.

use densely::History;
use densely::metrics::MetricValue;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The figures, in the order in which they stand in the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Metrics {
    /// Share of the test images whose class was predicted rightly, between 0 and 1; `null` without classes.
    pub(crate) test_accuracy: Option<f64>,
    /// Mean loss of the test images.
    pub(crate) test_loss: f64,
    /// For each true class how often each class was predicted; `null` without classes.
    pub(crate) confusion_matrix: Option<Vec<Vec<u64>>>,
    /// What the recipe's metrics come to on the test images; left out if it has none.
    #[serde(skip_serializing_if = "Measured::is_empty")]
    pub(crate) metrics: Measured,
    /// Epochs that ran to their end.
    pub(crate) epochs: usize,
    /// See [`steady_speed`]; `null` if no epoch ran to its end.
    pub(crate) images_per_second: Option<f64>,
    /// Seconds of the whole process, up to the writing of this.
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    /// The instruction set of the kernels.
    pub(crate) isa: String,
    /// 16 hexadecimal digits that tell the weights from any others.
    pub(crate) fingerprint: String,
    /// The name of the dataset, or its folder.
    pub(crate) dataset: String,
    /// Whether Ctrl-C ended training early.
    pub(crate) interrupted: bool,
    /// How many images were held out for validation, `"test"`, or `"none"`.
    pub(crate) validation: String,
}

/// Metrics by name: a number, `null` where nothing was there to be measured, or a table as a list of rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured(pub(crate) Vec<(String, MetricValue)>);

impl Measured {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Measured {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match value {
                MetricValue::Number(number) => map.serialize_entry(name, number)?,
                MetricValue::Table(rows) => map.serialize_entry(name, rows)?,
            }
        }
        map.end()
    }
}

impl Metrics {
    /// The file's content.
    pub(crate) fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON");
        json + "\n"
    }
}

/// Images per second of steady training: the median over the epochs after the first, which also warms caches and
/// threads up, or that of the first if it is the only one. Validation is not counted in.
pub(crate) fn steady_speed(history: &History) -> Option<f64> {
    let first_alone = history.epochs.len() == 1;
    let mut speeds: Vec<f64> =
        history.epochs.iter().skip(usize::from(!first_alone)).map(|epoch| epoch.images_per_second).collect();
    speeds.sort_by(f64::total_cmp);
    let middle = speeds.len() / 2;
    match speeds.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(speeds[middle]),
        _ => Some((speeds[middle - 1] + speeds[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use densely::Epoch;

    #[test]
    fn the_steady_speed_is_the_median_without_the_first_epoch() {
        for (speeds, expected) in [
            (&[][..], None),
            (&[10.0], Some(10.0)),
            (&[10.0, 30.0], Some(30.0)),
            (&[10.0, 30.0, 20.0], Some(25.0)),
            (&[90.0, 30.0, 20.0, 70.0], Some(30.0)),
        ] {
            let epoch = |&images_per_second: &f64| Epoch { images_per_second, ..Epoch::default() };
            let history = History { epochs: speeds.iter().map(epoch).collect(), ..History::default() };
            assert_eq!(steady_speed(&history), expected, "{speeds:?}");
        }
    }
}
