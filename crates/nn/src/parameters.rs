//! The numbers that a network learns, in one piece of memory.

use crate::constraints::Constraint;
use crate::error::Error;
use crate::initializers::Initializer;
use crate::layers::{Layer, Weight, WeightShape};
use crate::random::{Purpose, stream};
use crate::regularizers::Regularizer;
use crate::sequential::Sequential;
use densely_tensor::{AlignedBuffer, Scalar};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Tensors start at multiples of this many elements: 64 bytes, one cache line and one AVX-512 register, in `f32`.
pub(crate) const ALIGNMENT: usize = 16;

/// Name, shape and place of one parameter tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The layer's name and the [weight's](crate::layers::Weight), such as `dense_1.kernel`.
    pub name: String,
    /// The layer's position in the network, from 0; a block counts, and so does each layer in it.
    pub layer: usize,
    /// A vector, or a matrix that is stored column by column.
    pub shape: WeightShape,
    /// How it starts.
    pub initializer: Initializer,
    /// The penalty on it, while it is learned.
    pub regularizer: Option<Regularizer>,
    /// What it is moved back to after each step.
    pub constraint: Option<Constraint>,
    /// Whether the optimizer changes it.
    pub trainable: bool,
    /// Whether the engine keeps it in tiles: the kernel of a dense stage.
    pub(crate) tiled: bool,
    offset: usize,
}

impl Tensor {
    /// The tensors of a network in their order: layer by layer, as each describes its
    /// [weights](crate::layers::LayerDescription::weights). Of a network that is not [valid](Sequential::validate) places and
    /// lengths may be too small: they end at the largest number there is.
    pub fn all(network: &Sequential) -> Vec<Self> {
        let mut tensors: Vec<Self> = Vec::new();
        for (layer, placed) in network.walk().into_iter().enumerate() {
            let has_dense_stage = matches!(placed.layer, Layer::Dense(_) | Layer::Maxout(_));
            for weight in placed.layer.description().weights(placed.inputs) {
                let Weight { name, shape, initializer, regularizer, constraint, trainable } = weight;
                let end = tensors.last().map_or(0, |before| before.range().end);
                let name = format!("{}.{name}", placed.name);
                let offset = end.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
                tensors.push(Self {
                    name,
                    layer,
                    shape,
                    initializer,
                    regularizer,
                    constraint,
                    trainable,
                    tiled: has_dense_stage && matches!(shape, WeightShape::Matrix { .. }),
                    offset,
                });
            }
        }
        tensors
    }

    /// How many numbers it holds. Never 0 in a valid network.
    #[expect(clippy::len_without_is_empty, reason = "a tensor of a valid network is never empty")]
    pub fn len(&self) -> usize {
        self.shape.count()
    }

    /// Starts the values of the tensor at `index` among all.
    pub(crate) fn initialize<T: Scalar>(&self, index: usize, seed: u64, values: &mut [T]) {
        let mut random = stream(seed, Purpose::Weights, 0, index as u64);
        let (fan_in, fan_out) = self.shape.fans();
        self.initializer.fill(values, fan_in, fan_out, &mut random);
    }

    /// The shape as files and messages have it, slowest dimension first: a kernel is inputs × units there.
    pub(crate) fn shape_in_file(&self) -> Vec<usize> {
        match self.shape {
            WeightShape::Matrix { rows, columns } => vec![columns, rows],
            WeightShape::Vector(len) => vec![len],
        }
    }

    /// Its place in [`Parameters::values`], in a valid network. It starts at a multiple of 16 elements.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.len())
    }
}

/// Where the tensors of a run stand in [`Parameters::values`], with the gaps between them.
pub(crate) fn span(tensors: &[Tensor]) -> Range<usize> {
    match tensors {
        [] => 0..0,
        [first, ..] => first.range().start..tensors[tensors.len() - 1].range().end,
    }
}

/// All parameters of a network in one buffer, tensor after tensor, each starting on a cache line (a multiple of 16
/// elements); the gaps between them are 0 and belong to nobody.
///
/// ```
/// # use densely::{Dense, Parameters, Sequential};
/// let network = Sequential::new(784).add(Dense::new(10));
/// let mut parameters = Parameters::<f32>::zeros(&network)?;
/// parameters.initialize(1);
/// let names: Vec<&str> = parameters.iter().map(|(tensor, _)| tensor.name.as_str()).collect();
/// assert_eq!(names, ["dense.kernel", "dense.bias"]);
/// assert_eq!(parameters.tensor(0).len(), 784 * 10);
/// # Ok::<(), densely::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parameters<T: Scalar> {
    tensors: Vec<Tensor>,
    values: AlignedBuffer<T>,
}

impl<T: Scalar> Parameters<T> {
    /// Room for the parameters of a network, all 0.
    ///
    /// # Errors
    ///
    /// As [`Sequential::validate`]; [`Error::Memory`] if there is not enough.
    pub fn zeros(network: &Sequential) -> Result<Self, Error> {
        network.validate()?;
        let tensors = Tensor::all(network);
        let length = tensors.last().map_or(0, |tensor| tensor.range().end);
        let values = AlignedBuffer::try_zeros(length.next_multiple_of(ALIGNMENT));
        let values = values.ok_or(Error::Memory { what: "the network's parameters" })?;
        Ok(Self { tensors, values })
    }

    /// Starts every tensor by its initializer from the stream (`seed`, [`Purpose::Weights`], 0, index of the tensor).
    pub fn initialize(&mut self, seed: u64) {
        for (index, tensor) in self.tensors.iter().enumerate() {
            tensor.initialize(index, seed, &mut self.values[tensor.range()]);
        }
    }

    /// Names, shapes and places.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The values of the tensor at `index`.
    ///
    /// # Panics
    ///
    /// If there are not so many tensors.
    #[track_caller]
    pub fn tensor(&self, index: usize) -> &[T] {
        &self.values[self.tensors[index].range()]
    }

    /// The values of the tensor at `index`, to be changed.
    ///
    /// # Panics
    ///
    /// If there are not so many tensors.
    #[track_caller]
    pub fn tensor_mut(&mut self, index: usize) -> &mut [T] {
        &mut self.values[self.tensors[index].range()]
    }

    /// Each tensor with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&Tensor, &[T])> {
        self.tensors.iter().map(|tensor| (tensor, &self.values[tensor.range()]))
    }

    /// The whole buffer with its gaps.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The whole buffer with its gaps, to be changed. The gaps have to stay 0.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The first 16 hex digits of a SHA-256 over the tensors in order: the name's length (u64), the name, rows and
    /// columns (u64 each), the values; all little-endian, without the gaps. Two models have the same fingerprint if and
    /// only if they have the same parameters bit for bit, but for chances of 2⁻⁶⁴.
    pub fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::default();
        self.iter().for_each(|(tensor, values)| fingerprint.add(tensor, [values]));
        fingerprint.digits()
    }
}

/// A [fingerprint](Parameters::fingerprint) in the making, tensor by tensor.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a tensor with its values, which may come in several runs.
    pub(crate) fn add<'a, T: Scalar>(&mut self, tensor: &Tensor, runs: impl IntoIterator<Item = &'a [T]>) {
        let Self(hash) = self;
        hash.update((tensor.name.len() as u64).to_le_bytes());
        hash.update(&tensor.name);
        let (rows, columns) = tensor.shape.rows_and_columns();
        hash.update((rows as u64).to_le_bytes());
        hash.update((columns as u64).to_le_bytes());
        let mut bytes = Vec::new();
        for part in runs.into_iter().flat_map(|run| run.chunks(4096)) {
            bytes.clear();
            part.iter().for_each(|value| value.write_le(&mut bytes));
            hash.update(&bytes);
        }
    }

    pub(crate) fn digits(self) -> String {
        self.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activations::Activation;
    use crate::error::DescriptionError;
    use crate::layers::Dense;

    fn network() -> Sequential {
        Sequential::new(3)
            .add(
                Dense::new(5)
                    .kernel_initializer(Initializer::HeNormal)
                    .bias_initializer(Initializer::GlorotUniform),
            )
            .add(Activation::Relu)
            .add(Dense::new(2).use_bias(false))
    }

    fn initialized<T: Scalar>(seed: u64) -> Parameters<T> {
        let mut parameters = Parameters::zeros(&network()).unwrap();
        parameters.initialize(seed);
        parameters
    }

    #[test]
    fn tensors_have_names_shapes_and_aligned_places() {
        let parameters = initialized::<f32>(1);
        let found: Vec<_> = parameters
            .tensors()
            .iter()
            .map(|tensor| {
                let (rows, columns) = tensor.shape.rows_and_columns();
                (tensor.name.as_str(), tensor.layer, rows, columns, tensor.range())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("dense.kernel", 0, 5, 3, 0..15),
                ("dense.bias", 0, 5, 1, 16..21),
                ("dense_1.kernel", 2, 2, 5, 32..42)
            ]
        );
        assert_eq!(parameters.values().len(), 48);
    }

    #[test]
    fn every_tensor_has_a_stream_of_its_own_and_gaps_stay_zero() {
        let parameters = initialized::<f64>(1);
        assert_ne!(parameters.tensor(0)[..5], parameters.tensor(1)[..]);
        let in_tensors =
            |place: usize| parameters.tensors().iter().any(|tensor| tensor.range().contains(&place));
        for (place, value) in parameters.values().iter().enumerate() {
            assert_eq!(*value != 0.0, in_tensors(place), "value {place} is {value}");
        }
    }

    #[test]
    fn a_bias_takes_its_length_for_both_fans() {
        let parameters = initialized::<f64>(1);
        let limit = (6.0_f64 / 10.0).sqrt();
        assert!(parameters.tensor(1).iter().all(|value| value.abs() < limit));
    }

    #[test]
    fn fingerprints_tell_parameters_apart_to_the_last_bit() {
        let parameters = initialized::<f32>(1);
        assert_eq!(parameters.fingerprint(), initialized::<f32>(1).fingerprint());
        assert_ne!(parameters.fingerprint(), initialized::<f32>(2).fingerprint());
        for index in 0..3 {
            let mut changed = parameters.clone();
            let last = changed.tensor_mut(index).last_mut().unwrap();
            *last = f32::from_bits(last.to_bits() ^ 1);
            assert_ne!(parameters.fingerprint(), changed.fingerprint());
        }
    }

    #[test]
    fn gaps_are_not_part_of_a_fingerprint() {
        let parameters = initialized::<f32>(1);
        let mut changed = parameters.clone();
        changed.values_mut()[15] = 1.0;
        assert_eq!(parameters.fingerprint(), changed.fingerprint());
    }

    #[test]
    fn a_network_that_is_not_valid_is_refused() {
        let network = Sequential::new(usize::MAX).add(Dense::new(usize::MAX)).add(Dense::new(7));
        let error = Parameters::<f32>::zeros(&network).unwrap_err();
        assert!(matches!(error, Error::Description(DescriptionError::TooManyParameters { .. })), "{error}");
        let names: Vec<String> = Tensor::all(&network).into_iter().map(|tensor| tensor.name).collect();
        assert_eq!(names, ["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]);
        assert!(Tensor::all(&network).iter().all(|tensor| tensor.range().end == usize::MAX));
    }

    /// Kept from the first version: the tutorial's network in both types. The same bits on every machine.
    #[test]
    fn initial_parameters_never_change() {
        let tutorial = Sequential::new(784)
            .add(Dense::new(512).activation(Activation::Relu))
            .add(Dense::new(512).activation(Activation::Relu))
            .add(Dense::new(10).activation(Activation::Softmax));
        let mut single = Parameters::<f32>::zeros(&tutorial).unwrap();
        let mut double = Parameters::<f64>::zeros(&tutorial).unwrap();
        single.initialize(1);
        double.initialize(1);
        assert_eq!(
            (single.fingerprint().as_str(), double.fingerprint().as_str()),
            ("adfd83e23a6298a4", "0b96cd3640b954ea")
        );
    }
}
