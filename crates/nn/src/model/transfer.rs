//! Reusing what was learned: statistics of data, weights of another model, layers that stay as they are.

use super::Model;
use super::inference::EVALUATION_BATCH;
use crate::data::{Dataset, Ranges};
use crate::engine::buffers::Buffers;
use crate::engine::forward::{forward, gather};
use crate::engine::plan::Kind;
use crate::error::{DescriptionError, Error};
use crate::layers::{Layer, MEAN, VARIANCE};
use crate::parameters::Tensor;
use densely_tensor::Scalar;

impl<T: Scalar> Model<T> {
    /// Gives every [`Normalization`](crate::layers::Normalization) layer the mean and the variance of what enters it for
    /// these data, from the first such layer to the last. Nothing else changes. A feature that never varies keeps its
    /// scale.
    ///
    /// Sums are taken in the order of the samples, in double precision, the variance around the mean.
    ///
    /// ```
    /// use densely::{Compile, Dataset, Dense, Sequential, layers::Normalization};
    ///
    /// let data = Dataset::from_floats(2, vec![1., 10., 3., 10., 5., 10.], vec![0, 1, 0], 2)?;
    /// let network = Sequential::new(2).add(Normalization::default()).add(Dense::new(2));
    /// let compile = Compile { loss: densely::Loss::MeanSquaredError, ..Compile::default() };
    /// let mut model = network.compile::<f64>(compile)?;
    /// model.adapt(&data)?;
    /// assert_eq!(model.parameters().tensor(0), [3.0, 10.0]); // means
    /// assert_eq!(model.parameters().tensor(1), [8.0 / 3.0, 1.0]); // variances
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Features`] if the samples have another width than the network's input, [`Error::Memory`]; what reading them from
    /// their file meets;
    /// [`Error::Parameter`] if a mean or a variance is beyond the model's precision: that layer, and those behind it, stay as
    /// they were.
    pub fn adapt(&mut self, data: &Dataset) -> Result<(), Error> {
        let (expected, found) = (self.plan.inputs, data.features());
        if expected != found {
            return Err(Error::Features { expected, found });
        }
        let mut buffers = Buffers::new(&self.plan, EVALUATION_BATCH.min(data.len()), data.outputs())?;
        for index in 0..self.plan.stages.len() {
            let stage = self.plan.stages[index];
            let Kind::Pass(pass) = stage.kind else { continue };
            let (layer, first) = (self.plan.passes[pass].layer, self.plan.passes[pass].tensors.start);
            if !matches!(self.network.walk()[layer].layer, Layer::Normalization(_)) {
                continue;
            }
            let share = 1.0 / data.len() as f64;
            let inputs = stage.inputs;
            let (mut means, mut ranges) = (vec![0.0; inputs], Ranges::new(inputs));
            self.for_each_before(index, data, &mut buffers, |feature, x| {
                means[feature] += x;
                ranges.widen(feature, x);
            })?;
            for (feature, mean) in means.iter_mut().enumerate() {
                *mean = ranges.constant(feature).unwrap_or(*mean * share);
            }
            let mut variances = vec![0.0; inputs];
            self.for_each_before(index, data, &mut buffers, |feature, x| {
                let distance = x - means[feature];
                variances[feature] += distance * distance;
            })?;
            // What is 0 in this precision cannot be divided by, as that of a constant feature cannot.
            let variance = |sum: f64| if T::from_f64(sum * share) > T::ZERO { sum * share } else { 1.0 };
            let variances: Vec<f64> = variances.into_iter().map(variance).collect();
            let rounded = |numbers: Vec<f64>| numbers.into_iter().map(T::from_f64).collect::<Vec<T>>();
            let statistics = [(first + MEAN, rounded(means)), (first + VARIANCE, rounded(variances))];
            for (tensor, numbers) in &statistics {
                if let Some(index) = numbers.iter().position(|number| !number.is_finite()) {
                    let (name, value) = (&self.parameters.tensors()[*tensor].name, numbers[index].to_f64());
                    return Err(Error::Parameter { tensor: name.clone(), index, value });
                }
            }
            for (tensor, numbers) in &statistics {
                self.parameters.stored_mut(*tensor).copy_from_slice(numbers);
            }
        }
        Ok(())
    }

    /// Calls with each value that enters the stage at `index` and its feature, sample after sample.
    fn for_each_before(
        &self,
        index: usize,
        data: &Dataset,
        buffers: &mut Buffers<T>,
        mut visit: impl FnMut(usize, f64),
    ) -> Result<(), Error> {
        let inputs = self.plan.stages[index].inputs;
        let order: Vec<u32> = (0..data.len() as u32).collect();
        for order in order.chunks(EVALUATION_BATCH) {
            gather(self.pool(), &self.plan, data, order, buffers)?;
            if index > 0 {
                forward(self.pool(), &self.plan, &self.parameters, buffers, order.len(), None);
            }
            let entering = index.checked_sub(1).map_or(&buffers.input, |before| &buffers.outputs[before]);
            for sample in entering[..inputs * order.len()].chunks_exact(inputs) {
                sample.iter().enumerate().for_each(|(feature, x)| visit(feature, x.to_f64()));
            }
        }
        Ok(())
    }

    /// Lets training change the layer of this name, or freezes it; see [`Sequential::set_trainable`]. The optimizer's
    /// memory of the layer stays, without gradients of it that [wait for an update][accumulation].
    ///
    /// [`Sequential::set_trainable`]: crate::Sequential::set_trainable
    /// [accumulation]: crate::Adam::gradient_accumulation_steps
    ///
    /// # Errors
    ///
    /// [`DescriptionError::NoSuchLayer`] if no layer has the name.
    pub fn set_trainable(&mut self, layer: &str, trainable: bool) -> Result<(), Error> {
        self.network.set_trainable(layer, trainable)?;
        let plan = self.network.plan(&self.compile)?;
        self.take_plan(plan);
        Ok(())
    }

    /// Copies the tensors of the layers of these names from another model, and gives back the tensors' names.
    /// With [`set_trainable`](Self::set_trainable) this fine-tunes a model: build one with the same first layers, copy,
    /// freeze, fit. In `f32`, weights of an `f64` model are rounded.
    ///
    /// ```
    /// use densely::{Activation, Compile, Dense, Sequential};
    ///
    /// let body = |classes| {
    ///     let hidden = Dense::new(8).activation(Activation::Tanh);
    ///     Sequential::new(4).add(hidden).add(Dense::new(classes).activation(Activation::Softmax))
    /// };
    /// let ten = body(10).compile::<f32>(Compile::default())?;
    /// let mut three = body(3).compile::<f32>(Compile { seed: 1, ..Compile::default() })?;
    /// assert!(three.copy_weights_from(&ten, &["dense", "dense_1"]).is_err()); // the ends differ
    /// assert_eq!(three.copy_weights_from(&ten, &["dense"])?, ["dense.kernel", "dense.bias"]);
    /// # Ok::<(), densely::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DescriptionError::NoSuchLayer`] if one of the models has no layer of a name, [`Error::TensorMissing`] if a layer of
    /// one lacks a tensor that it has in the other, [`Error::TensorShape`] if two tensors of the same name differ in shape,
    /// [`Error::Parameter`] for a value that is not finite, or is too large for this model's precision. Nothing is copied then.
    pub fn copy_weights_from<U: Scalar>(
        &mut self,
        other: &Model<U>,
        layers: &[&str],
    ) -> Result<Vec<String>, Error> {
        for names in [self.network.layer_names(), other.network.layer_names()] {
            if let Some(&layer) = layers.iter().find(|&&layer| !names.iter().any(|name| name == layer)) {
                return Err(DescriptionError::NoSuchLayer { name: layer.to_owned(), names }.into());
            }
        }
        let of_layer = |tensor: &Tensor, layer: &str| {
            tensor.name.strip_prefix(layer).is_some_and(|rest| rest.starts_with('.'))
        };
        let mut copies = Vec::new();
        for (from, tensor) in other.parameters.tensors().iter().enumerate() {
            if !layers.iter().any(|layer| of_layer(tensor, layer)) {
                continue;
            }
            let mut own = self.parameters.tensors().iter().enumerate();
            let Some((to, own)) = own.find(|(_, own)| own.name == tensor.name) else {
                return Err(Error::TensorMissing { tensor: tensor.name.clone() });
            };
            if own.shape != tensor.shape {
                let [expected, found] = [own, tensor].map(Tensor::shape_in_file);
                return Err(Error::TensorShape { tensor: tensor.name.clone(), expected, found });
            }
            let mut values = vec![U::ZERO; tensor.len()];
            other.parameters.read(from, &mut values);
            let values: Vec<T> = values.iter().map(|value| T::from_f64(value.to_f64())).collect();
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                let value = values[index].to_f64();
                return Err(Error::Parameter { tensor: tensor.name.clone(), index, value });
            }
            copies.push((to, values));
        }
        let named = |tensor: &&Tensor| layers.iter().any(|layer| of_layer(tensor, layer));
        let mut own = self.parameters.tensors().iter().filter(named);
        if let Some(tensor) =
            own.find(|own| !other.parameters.tensors().iter().any(|other| other.name == own.name))
        {
            return Err(Error::TensorMissing { tensor: tensor.name.clone() });
        }
        self.optimizer_state.starts_anew = true;
        for (to, values) in &copies {
            self.parameters.write(*to, values);
        }
        Ok(copies.into_iter().map(|(to, _)| self.parameters.tensors()[to].name.clone()).collect())
    }
}
