//! Training: epochs of batches, each a step down the gradient of its mean loss.

use crate::callbacks::{Callback, Progress};
use crate::data::Dataset;
use crate::engine::buffers::{Buffers, TrainingBuffers};
use crate::engine::forward::{Position, gather};
use crate::error::Error;
use crate::history::{Epoch, History};
use crate::model::Model;
use crate::random::shuffle_order;
use densely_tensor::Scalar;
use std::ops::ControlFlow;
use std::time::Instant;

/// How a model is fitted; names and defaults are Keras's.
///
/// ```
/// # use densely::Fit;
/// let fit = Fit { epochs: 20, batch_size: 128, ..Fit::default() };
/// assert!(fit.shuffle);
/// ```
pub struct Fit<'a> {
    /// How often every sample is trained on; at least 1. Default: 1.
    pub epochs: usize,
    /// Samples of a step; at least 1. The last batch of an epoch is smaller where the samples run out, and is trained on
    /// and counted by its size. Default: 32.
    pub batch_size: usize,
    /// Whether each epoch goes through the samples in a new random order. Default: `true`.
    pub shuffle: bool,
    /// What is evaluated after each epoch. Default: nothing.
    pub validation: Option<&'a Dataset>,
    /// The weight of each sample of the data in the loss; 0 or more. Validation does not use them. Default: none, all count
    /// alike.
    pub sample_weights: Option<&'a [f64]>,
    /// Classes with the weight of their samples in the loss; 0 or more. Classes that are not named have 1. Where both kinds
    /// of weights are given (which Keras refuses), a sample has their product. Validation does not use them. Default: none.
    pub class_weights: &'a [(u32, f64)],
    /// Who watches, and may stop the run. Default: nobody.
    pub callbacks: Vec<&'a mut dyn Callback>,
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Self {
            epochs: 1,
            batch_size: 32,
            shuffle: true,
            validation: None,
            sample_weights: None,
            class_weights: &[],
            callbacks: Vec::new(),
        }
    }
}

/// Sums over the samples of an epoch so far.
#[derive(Default)]
struct Sums {
    samples: usize,
    loss: f64,
    /// Samples that count for the accuracy, and those of them whose class was predicted rightly.
    counted: usize,
    correct: Option<usize>,
}

impl Sums {
    fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    fn accuracy(&self) -> Option<f64> {
        self.correct.map(|correct| correct as f64 / self.counted.max(1) as f64)
    }
}

impl<T: Scalar> Model<T> {
    /// Trains the model. A second call goes on where the first ended.
    ///
    /// ```
    /// use densely::{Activation, Adam, Compile, Dataset, Dense, Fit, Sequential};
    ///
    /// // Exclusive or, which no network without a hidden layer can learn.
    /// let data = Dataset::from_floats(2, vec![0., 0., 0., 1., 1., 0., 1., 1.], vec![0, 1, 1, 0], 2)?;
    /// let mut model = Sequential::new(2)
    ///     .add(Dense::new(8).activation(Activation::Tanh))
    ///     .add(Dense::new(2).activation(Activation::Softmax))
    ///     .compile::<f32>(Compile { optimizer: Adam::new(0.1).into(), ..Compile::default() })?;
    /// model.fit(&data, Fit { epochs: 100, batch_size: 4, ..Fit::default() })?;
    /// assert_eq!(model.evaluate(&data)?.accuracy, Some(1.0));
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the data do not fit the network and its loss, the weights do not fit the data, `epochs` or `batch_size` is 0, there is not enough memory, the loss of a step or
    /// of the validation stops being a finite number (such a step is not taken), or a parameter does by the end of an
    /// epoch.
    pub fn fit(&mut self, data: &Dataset, mut fit: Fit<'_>) -> Result<History, Error> {
        self.check_data(data)?;
        if let Some(validation) = fit.validation {
            self.check_data(validation)?;
        }
        let weights = sample_weights(data, fit.sample_weights, fit.class_weights)?;
        for (setting, found) in [("epochs", fit.epochs), ("batch_size", fit.batch_size)] {
            if found == 0 {
                return Err(Error::FitSetting { setting, found, expected: "at least 1" });
            }
        }
        let batch_size = fit.batch_size.min(data.len());
        let mut buffers = Buffers::new(&self.plan, batch_size, data.outputs())?;
        let mut training = TrainingBuffers::new(&self.plan, batch_size, self.pool().threads())?;
        let mut order: Vec<u32> = (0..data.len() as u32).collect();

        let mut history = History::default();
        for callback in &mut fit.callbacks {
            callback.on_train_begin(fit.epochs, data.len());
        }
        for epoch in 1..=fit.epochs {
            for callback in &mut fit.callbacks {
                callback.on_epoch_begin(epoch);
            }
            let start = Instant::now();
            self.epochs += 1;
            if fit.shuffle {
                shuffle_order(&mut order, self.compile.seed, self.epochs);
            }
            let mut sums = Sums::default();
            for (step, batch) in order.chunks(batch_size).enumerate() {
                gather(self.pool(), data, batch, &mut buffers);
                buffers.targets.weigh(batch, &weights);
                let loss = self.train_step(&mut buffers, &mut training, &mut sums, batch.len());
                if !loss.is_finite() {
                    return Err(Error::NonFinite { epoch, step: step + 1, loss });
                }
                let progress = Progress {
                    epoch,
                    samples_seen: sums.samples,
                    samples: data.len(),
                    loss: sums.mean_loss(),
                    accuracy: sums.accuracy(),
                };
                if notify(&mut fit.callbacks, |callback| callback.on_train_batch_end(&progress)).is_break() {
                    history.interrupted = true;
                    return Ok(history);
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            self.refuse_non_finite_parameters(epoch)?;
            let validation = fit.validation.map(|data| self.evaluate(data)).transpose()?;
            let record = Epoch {
                epoch,
                loss: sums.mean_loss(),
                accuracy: sums.accuracy(),
                val_loss: validation.as_ref().map(|evaluation| evaluation.loss),
                val_accuracy: validation.as_ref().and_then(|evaluation| evaluation.accuracy),
                seconds,
                images_per_second: sums.samples as f64 / seconds,
            };
            let stop = notify(&mut fit.callbacks, |callback| callback.on_epoch_end(&record));
            history.epochs.push(record);
            if stop.is_break() {
                history.interrupted = true;
                break;
            }
        }
        Ok(history)
    }

    /// The loss before a step tells nothing of that step: the last one of an epoch is looked at here.
    fn refuse_non_finite_parameters(&self, epoch: usize) -> Result<(), Error> {
        let mut tensors = self.parameters.iter();
        match tensors.find(|(_, values)| values.iter().any(|value| !value.is_finite())) {
            Some((tensor, _)) => Err(Error::NonFiniteParameters { epoch, tensor: tensor.name.clone() }),
            None => Ok(()),
        }
    }

    /// One step on the samples that stand in the buffers. Returns their mean loss; if it is not finite nothing was
    /// updated.
    fn train_step(
        &mut self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        sums: &mut Sums,
        samples: usize,
    ) -> f64 {
        let position = Position { seed: self.compile.seed, epoch: self.epochs, first_sample: sums.samples };
        let loss = self.forward_to_gradient(buffers, training, samples, position);
        if loss.is_finite() {
            self.backward_and_update(buffers, training, samples);
        }
        let (head, targets) = (&self.plan.head, buffers.targets.of(samples));
        if let Some(correct) = head.correct(targets, &buffers.outcomes[..samples]) {
            sums.correct = Some(sums.correct.unwrap_or(0) + correct);
            sums.counted += head.counted(targets, samples);
        }
        sums.loss += loss * samples as f64;
        sums.samples += samples;
        loss
    }
}

/// The weight of each sample, or nothing if all count alike.
fn sample_weights(
    data: &Dataset,
    by_sample: Option<&[f64]>,
    by_class: &[(u32, f64)],
) -> Result<Vec<f64>, Error> {
    let in_range = |weight: f64| (0.0..=f64::from(f32::MAX)).contains(&weight);
    if by_sample.is_none() && by_class.is_empty() {
        return Ok(Vec::new());
    }
    let mut weights = by_sample.map_or_else(|| vec![1.0; data.len()], <[f64]>::to_vec);
    if weights.len() != data.len() {
        return Err(Error::SampleWeightCount { expected: data.len(), found: weights.len() });
    }
    if let Some(sample) = weights.iter().position(|&weight| !in_range(weight)) {
        return Err(Error::SampleWeight { sample, weight: weights[sample] });
    }
    if by_class.is_empty() {
        return Ok(weights);
    }
    if data.outputs().is_some() {
        return Err(Error::ClassesNeeded { what: "class_weights".to_owned() });
    }
    let mut of_class = vec![None; data.classes()];
    for &(class, weight) in by_class {
        if !in_range(weight) {
            return Err(Error::ClassWeight { class, weight });
        }
        match of_class.get_mut(class as usize) {
            None => return Err(Error::ClassOfWeight { class, classes: data.classes() }),
            Some(Some(_)) => return Err(Error::TwoClassWeights { class }),
            Some(place) => *place = Some(weight),
        }
    }
    for (sample, weight) in weights.iter_mut().enumerate() {
        *weight *= of_class[data.label(sample) as usize].unwrap_or(1.0);
    }
    Ok(weights)
}

/// Tells every callback, also after one has asked to stop.
fn notify(
    callbacks: &mut [&mut dyn Callback],
    mut event: impl FnMut(&mut dyn Callback) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut answer = ControlFlow::Continue(());
    for callback in callbacks {
        if event(&mut **callback).is_break() {
            answer = ControlFlow::Break(());
        }
    }
    answer
}
