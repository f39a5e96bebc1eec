//! The same training with other seeds.

use super::student::t_of_95_percent;
use super::wilson::wilson_interval;
use crate::error::Error;
use crate::metrics::{MetricError, Sum};

/// What several runs that differ in their seed came to.
#[derive(Clone, Debug, PartialEq)]
pub struct OverSeeds {
    /// The seeds and the results, in the order of the runs.
    pub runs: Vec<(u64, f64)>,
    /// The mean of the results; not a number if there are none.
    pub mean: f64,
    /// The [sample standard deviation](sample_deviation) of the results, if there are at least two.
    pub deviation: Option<f64>,
    /// The 95 % interval of the mean over all seeds, if there are at least two: `mean ± t·deviation/√n` with Student's t of
    /// n − 1 degrees of freedom ("Student", Biometrika 6 (1908), 1–25). It may reach beyond what a result can be.
    pub interval: Option<(f64, f64)>,
}

impl OverSeeds {
    fn of(runs: Vec<(u64, f64)>) -> Self {
        let results: Vec<f64> = runs.iter().map(|run| run.1).collect();
        let (mean, deviation) = (mean(&results), sample_deviation(&results));
        let interval = deviation.map(|deviation| {
            let count = results.len();
            let half_width = t_of_95_percent(count - 1) * deviation / (count as f64).sqrt();
            (mean - half_width, mean + half_width)
        });
        Self { runs, mean, deviation, interval }
    }
}

/// Calls `run` with one seed after another and sums up what it returns: a loss, an accuracy, or any other number that a
/// training ends with.
///
/// ```
/// # use densely::statistics::over_seeds;
/// # use densely::{Activation, Compile, Dataset, Dense, Fit, Sequential};
/// # let data = Dataset::from_floats(1, vec![-1.0, -0.5, 0.5, 1.0], vec![0, 0, 1, 1], 2)?;
/// let loss = over_seeds([1, 2, 3], |seed| -> Result<f64, densely::Error> {
///     let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
///     let mut model = network.compile::<f32>(Compile { seed, ..Compile::default() })?;
///     Ok(model.fit(&data, Fit { epochs: 2, ..Fit::default() })?.epochs[1].loss)
/// })?;
/// let (low, high) = loss.interval.expect("there are three runs");
/// assert!(low < loss.mean && loss.mean < high);
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// The first that `run` returns; the seeds after it are not run.
pub fn over_seeds<E>(
    seeds: impl IntoIterator<Item = u64>,
    mut run: impl FnMut(u64) -> Result<f64, E>,
) -> Result<OverSeeds, E> {
    let runs = seeds.into_iter().map(|seed| Ok((seed, run(seed)?))).collect::<Result<_, E>>()?;
    Ok(OverSeeds::of(runs))
}

/// [`over_seeds`] for accuracies, which `run` returns as how many of how many samples were predicted rightly; and
/// [Wilson's interval](wilson_interval) of all runs' samples together.
///
/// The two intervals answer different questions. That of [`OverSeeds`] is about the seeds: what another seed would give on
/// the same samples. Wilson's is about the samples, each prediction taken as independent of the others; those of several
/// runs on the same samples are not, so it is too narrow for what other samples would give. There, take Wilson's interval of
/// a single run.
///
/// ```
/// # use densely::statistics::accuracy_over_seeds;
/// let measured = |seed: u64| Ok::<_, densely::Error>((95 + (seed % 3) as usize, 100));
/// let (runs, (low, high)) = accuracy_over_seeds(0..3, measured)?;
/// assert_eq!(runs.runs, [(0, 0.95), (1, 0.96), (2, 0.97)]);
/// assert_eq!(format!("{:.3} {low:.4} {high:.4}", runs.mean), "0.960 0.9314 0.9770");
/// # Ok::<(), densely::Error>(())
/// ```
///
/// # Errors
///
/// The first that `run` returns, or [`MetricError::MoreCorrect`] if it returns more right samples than samples; the seeds after
/// it are not run.
pub fn accuracy_over_seeds<E: From<Error>>(
    seeds: impl IntoIterator<Item = u64>,
    mut run: impl FnMut(u64) -> Result<(usize, usize), E>,
) -> Result<(OverSeeds, (f64, f64)), E> {
    let (mut all_correct, mut all_samples) = (0_usize, 0_usize);
    let runs = over_seeds(seeds, |seed| -> Result<f64, E> {
        let (correct, samples) = run(seed)?;
        if correct > samples {
            return Err(Error::from(MetricError::MoreCorrect { correct, samples }).into());
        }
        all_correct = all_correct.saturating_add(correct);
        all_samples = all_samples.saturating_add(samples);
        Ok(correct as f64 / samples as f64)
    })?;
    Ok((runs, wilson_interval(all_correct, all_samples)?))
}

/// `Σx/n`; not a number if there are none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Sum>().total() / values.len() as f64
}

/// `√(Σ(x − mean)²/(n − 1))`, the standard deviation of what the values are a sample of; `None` for fewer than two.
///
/// ```
/// # use densely::statistics::{mean, sample_deviation};
/// assert_eq!((mean(&[2.0, 4.0, 6.0]), sample_deviation(&[2.0, 4.0, 6.0])), (4.0, Some(2.0)));
/// assert_eq!(sample_deviation(&[2.0]), None);
/// ```
pub fn sample_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values);
    let squares: Sum = values.iter().map(|value| (value - mean) * (value - mean)).collect();
    Some((squares.total() / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_claimed_from_too_few_runs() {
        let run = |seed: u64| Ok::<_, ()>(seed as f64);
        let none = over_seeds([], run).unwrap();
        assert!(none.mean.is_nan() && none.deviation.is_none() && none.interval.is_none());
        let one = over_seeds([7], run).unwrap();
        assert_eq!((one.mean, one.deviation, one.interval), (7.0, None, None));
    }

    #[test]
    fn the_first_error_ends_the_runs() {
        let mut asked = Vec::new();
        let result = over_seeds([3, 1, 4, 2], |seed| {
            asked.push(seed);
            if seed == 1 { Err("no") } else { Ok(0.0) }
        });
        assert_eq!((result, asked), (Err("no"), vec![3, 1]));
    }

    #[test]
    fn more_than_all_cannot_be_right() {
        let result = accuracy_over_seeds(1..3, |seed| Ok::<_, Error>((seed as usize, 1)));
        let message = result.unwrap_err().to_string();
        assert_eq!(message, "2 of 1 samples were predicted rightly, expected at most 1");
    }
}
