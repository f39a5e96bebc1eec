//! One training step: forward, loss, backward, update.

use super::Model;
use super::compile::Compile;
use crate::data::Dataset;
use crate::engine::backward::{Target, backward};
use crate::engine::buffers::{Buffers, Position, TrainingBuffers, last_of};
use crate::engine::forward::{forward, gather};
use crate::engine::loss::loss_in_place;
use crate::engine::parameters::EngineParameters;
use crate::engine::penalties::{activity_penalties, weight_penalties};
use crate::error::Error;
use crate::parameters::Parameters;
use densely_tensor::{MatMut, Scalar};

impl<T: Scalar> Model<T> {
    /// A training step's first half, on the samples that stand in the buffers: every output, each sample's outcome, and
    /// the gradient of the batch's loss with respect to the last output. Returns the batch's loss, with the penalties.
    pub(crate) fn forward_to_gradient(
        &self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) -> f64 {
        let remembered = &mut training.remembered;
        forward(self.pool(), &self.plan, &self.parameters, buffers, samples, Some(remembered));
        let gradient = &mut training.gradient[..self.plan.outputs * samples];
        gradient.copy_from_slice(last_of(&mut buffers.outputs, samples, self.plan.outputs));
        let targets = buffers.targets.of(samples);
        let weights = &buffers.targets.weights;
        let gradient = MatMut::from_slice(gradient, self.plan.outputs, samples);
        let (head, outcomes) = (&self.plan.head, &mut buffers.outcomes[..samples]);
        let divisor = head.divisor(self.compile.reduction, targets, weights, samples);
        let scale = 1.0 / divisor;
        loss_in_place(self.pool(), head, gradient, targets, weights, &mut buffers.room, outcomes, scale);
        let losses = outcomes.iter().map(|outcome| outcome.loss).sum::<f64>();
        let activity = activity_penalties(&self.plan, buffers, samples);
        losses / divisor
            + activity / samples as f64
            + weight_penalties(&self.parameters, &mut training.matrices)
    }

    /// A training step's second half: the gradient back through the network, and the optimizer's update.
    fn backward_and_update(
        &mut self,
        buffers: &Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) {
        let Self { compile: Compile { optimizer, pool, .. }, plan, parameters, .. } = self;
        let state = &mut self.optimizer_state;
        if let Some(gradient) = &mut self.update_room.gradient {
            let target = Target::Store { parameters, gradient };
            backward(pool, plan, buffers, training, samples, target);
            state.take_gradient(pool, optimizer, parameters, &mut self.update_room);
        } else {
            let update = state.element_wise(optimizer);
            let target = Target::Update { parameters, moments: &mut state.moments, update };
            backward(pool, plan, buffers, training, samples, target);
            state.count_update(pool, optimizer, parameters);
        }
        for (pass, kept) in self.plan.passes.iter().zip(&mut training.remembered.kept) {
            pass.layer_pass.after_step(self.parameters.weights_mut(pass.tensors.clone()), kept.of(samples));
        }
    }

    /// One training step on the samples that stand in the buffers. Returns their mean loss; if it is not finite nothing was
    /// updated.
    pub(crate) fn step(
        &mut self,
        buffers: &mut Buffers<T>,
        training: &mut TrainingBuffers<T>,
        samples: usize,
    ) -> f64 {
        // A schedule-free optimizer trains at other points than the average that the model shows between steps.
        self.optimizer_state.exchange(&self.compile.optimizer, &mut self.parameters);
        let loss = self.forward_to_gradient(buffers, training, samples);
        if loss.is_finite() {
            self.backward_and_update(buffers, training, samples);
        }
        self.optimizer_state.exchange(&self.compile.optimizer, &mut self.parameters);
        loss
    }

    /// Mean loss over all of `data` as one batch, with the penalties of regularizers, and its gradient with respect to
    /// every parameter; nothing is updated. Dropout draws the masks of the first samples of `epoch`, so that the same call
    /// gives the same loss: with small changes of a parameter in between, this is what a gradient check needs.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network.
    pub fn loss_and_gradient(&self, data: &Dataset, epoch: u64) -> Result<(f64, Parameters<T>), Error> {
        let (loss, gradient) = self.gradient_of(data, epoch)?;
        let mut described = Parameters::zeros(&self.network)?;
        gradient.copy_to_described(&mut described);
        Ok((loss, described))
    }

    /// The same with the gradient as the engine stores it.
    pub(super) fn gradient_of(
        &self,
        data: &Dataset,
        epoch: u64,
    ) -> Result<(f64, EngineParameters<T>), Error> {
        self.check_data(data)?;
        let samples = data.len();
        let mut buffers = Buffers::new(&self.plan, samples, data.outputs())?;
        let mut training = TrainingBuffers::new(&self.plan, samples, self.pool().threads())?;
        let order: Vec<u32> = (0..samples as u32).collect();
        training.remembered.position = Position { seed: self.compile.seed, epoch, first_sample: 0 };
        gather(self.pool(), &self.plan, data, &order, &mut buffers)?;
        let loss = self.forward_to_gradient(&mut buffers, &mut training, samples);
        let mut gradient = EngineParameters::zeros(&self.network)?;
        let target = Target::Store { parameters: &self.parameters, gradient: &mut gradient };
        backward(self.pool(), &self.plan, &buffers, &mut training, samples, target);
        Ok((loss, gradient))
    }
}
