//! The parameters as the kernels read them: those of dense stages in tiles, all else as it is described.

use crate::error::Error;
use crate::layers::{Weights, WeightsMut};
use crate::parameters::{ALIGNMENT, Fingerprint, Parameters, Tensor};
use crate::sequential::Sequential;
use densely_tensor::{AlignedBuffer, Scalar, TiledMut, TiledRef, tile_rows, tiled_len};
use std::ops::Range;

/// All parameters of a network in one buffer, tensor after tensor, each starting on a cache line. Padding, of tiles and
/// between tensors, is 0, and stays so: no gradient of it is ever another number.
///
/// What an optimizer remembers is laid out alike, so that a rule for single elements need not know of tiles.
#[derive(Clone, Debug)]
pub(crate) struct EngineParameters<T: Scalar> {
    tensors: Vec<Tensor>,
    /// Where each tensor stands, with the padding of its tiles.
    places: Vec<Range<usize>>,
    values: AlignedBuffer<T>,
}

impl<T: Scalar> EngineParameters<T> {
    /// Room for the parameters of a valid network, all 0.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn zeros(network: &Sequential) -> Result<Self, Error> {
        let memory = || Error::Memory { what: "the network's parameters" };
        let tensors = Tensor::all(network);
        let mut places = Vec::with_capacity(tensors.len());
        let mut end: usize = 0;
        for tensor in &tensors {
            let start = end.checked_next_multiple_of(ALIGNMENT).ok_or_else(memory)?;
            end = stored_len(tensor).and_then(|len| start.checked_add(len)).ok_or_else(memory)?;
            places.push(start..end);
        }
        let len = end.checked_next_multiple_of(ALIGNMENT).ok_or_else(memory)?;
        let values = AlignedBuffer::try_zeros(len).ok_or_else(memory)?;
        Ok(Self { tensors, places, values })
    }

    /// The parameters of the same network, in the engine's layout.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn from_described(network: &Sequential, parameters: &Parameters<T>) -> Result<Self, Error> {
        let mut own = Self::zeros(network)?;
        own.take_described(parameters);
        Ok(own)
    }

    /// Takes over all values of parameters of the same network.
    pub(crate) fn take_described(&mut self, parameters: &Parameters<T>) {
        for index in 0..self.tensors.len() {
            self.write(index, parameters.tensor(index));
        }
    }

    /// Copies all values to parameters of the same network.
    pub(crate) fn copy_to_described(&self, parameters: &mut Parameters<T>) {
        for index in 0..self.tensors.len() {
            self.read(index, parameters.tensor_mut(index));
        }
    }

    /// See [`Parameters::initialize`].
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough for a copy of the largest tensor.
    pub(crate) fn initialize(&mut self, seed: u64) -> Result<(), Error> {
        let largest = self.tensors.iter().map(Tensor::len).max().unwrap_or(0);
        let room = AlignedBuffer::try_zeros(largest);
        let mut room = room.ok_or(Error::Memory { what: "initial values" })?;
        for index in 0..self.tensors.len() {
            let values = &mut room[..self.tensors[index].len()];
            values.fill(T::ZERO);
            self.tensors[index].initialize(index, seed, values);
            self.write(index, values);
        }
        Ok(())
    }

    /// See [`Parameters::fingerprint`].
    pub(crate) fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::default();
        for (index, tensor) in self.tensors.iter().enumerate() {
            let stored = self.stored(index);
            if tensor.tiled {
                fingerprint.add(tensor, runs_of_tiles(tensor, stored));
            } else {
                fingerprint.add(tensor, [stored]);
            }
        }
        fingerprint.digits()
    }

    /// Names and shapes.
    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Takes over what has changed in the description of the same network, such as what is trainable.
    pub(crate) fn describe_again(&mut self, network: &Sequential) {
        self.tensors = Tensor::all(network);
    }

    /// The tensor's place among [`values`](Self::values), with padding.
    pub(crate) fn range(&self, index: usize) -> Range<usize> {
        self.places[index].clone()
    }

    /// The tensor's values as they are stored, with padding.
    pub(crate) fn stored(&self, index: usize) -> &[T] {
        &self.values[self.range(index)]
    }

    /// The tensor's values as they are stored, with padding, which has to stay 0.
    pub(crate) fn stored_mut(&mut self, index: usize) -> &mut [T] {
        let range = self.range(index);
        &mut self.values[range]
    }

    /// The kernel of a dense stage, units × inputs.
    pub(crate) fn kernel(&self, index: usize) -> TiledRef<'_, T> {
        let (units, inputs) = self.tensors[index].shape.rows_and_columns();
        TiledRef::from_slice(self.stored(index), units, inputs)
    }

    /// The kernel of a dense stage, units × inputs, to be changed.
    pub(crate) fn kernel_mut(&mut self, index: usize) -> TiledMut<'_, T> {
        let (units, inputs) = self.tensors[index].shape.rows_and_columns();
        TiledMut::from_slice(self.stored_mut(index), units, inputs)
    }

    /// The tensors of one layer that has a pass of its own, none of which is tiled.
    pub(crate) fn weights(&self, tensors: Range<usize>) -> Weights<'_, T> {
        let values = &self.values[self.span(tensors.clone())];
        Weights::new(&self.tensors[tensors], values)
    }

    /// The tensors of one layer that has a pass of its own, none of which is tiled, to be changed.
    pub(crate) fn weights_mut(&mut self, tensors: Range<usize>) -> WeightsMut<'_, T> {
        let span = self.span(tensors.clone());
        WeightsMut::new(&self.tensors[tensors], &mut self.values[span])
    }

    /// Where the tensors of a range stand, with the gaps between them.
    pub(crate) fn span(&self, tensors: Range<usize>) -> Range<usize> {
        let places = &self.places[tensors];
        let start = places.first().map_or(0, |first| first.start);
        start..places.last().map_or(0, |last| last.end)
    }

    /// The whole buffer.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// The whole buffer. Padding has to stay 0.
    pub(crate) fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The descriptions beside the whole buffer.
    pub(crate) fn parts_mut(&mut self) -> (&[Tensor], &mut [T]) {
        (&self.tensors, &mut self.values)
    }

    /// Copies a tensor's values to `values`, in the order that its description has.
    pub(crate) fn read(&self, index: usize, values: &mut [T]) {
        let tensor = &self.tensors[index];
        if tensor.tiled {
            read_tiles(tensor, self.stored(index), values);
        } else {
            values.copy_from_slice(self.stored(index));
        }
    }

    /// Takes over a tensor's values, which are in the order that its description has.
    pub(crate) fn write(&mut self, index: usize, values: &[T]) {
        let (tensor, stored) = (&self.tensors[index], &mut self.values[self.places[index].clone()]);
        if tensor.tiled {
            write_tiles(tensor, values, stored);
        } else {
            stored.copy_from_slice(values);
        }
    }

    /// One of a tensor's values, counted in the order that its description has.
    pub(crate) fn element_mut(&mut self, index: usize, element: usize) -> &mut T {
        let tensor = &self.tensors[index];
        let place = if tensor.tiled {
            let (rows, columns) = tensor.shape.rows_and_columns();
            let (row, column, height) = (element % rows, element / rows, tile_rows(rows));
            row / height * height * columns + column * height + row % height
        } else {
            element
        };
        &mut self.stored_mut(index)[place]
    }

    /// Exchanges what is learned for other values of the same layout.
    pub(crate) fn swap_trainable(&mut self, others: &mut [T]) {
        for range in trainable(&self.tensors, &self.places) {
            self.values[range.clone()].swap_with_slice(&mut others[range]);
        }
    }

    /// Takes other values of the same layout for what is learned.
    pub(crate) fn copy_trainable(&mut self, others: &[T]) {
        for range in trainable(&self.tensors, &self.places) {
            self.values[range.clone()].copy_from_slice(&others[range]);
        }
    }
}

/// The places of what is learned.
fn trainable<'a>(
    tensors: &'a [Tensor],
    places: &'a [Range<usize>],
) -> impl Iterator<Item = Range<usize>> + 'a {
    tensors.iter().zip(places).filter(|(tensor, _)| tensor.trainable).map(|(_, place)| place.clone())
}

/// How many numbers a tensor takes with the padding of its tiles, or `None` when that overflows.
pub(crate) fn stored_len(tensor: &Tensor) -> Option<usize> {
    let (rows, columns) = tensor.shape.rows_and_columns();
    if tensor.tiled { tiled_len(rows, columns) } else { rows.checked_mul(columns) }
}

/// Room for a tensor and its gradient as the matrices that they are, for whatever takes them so: constraints, penalties
/// that compare units, and optimizers that look at rows and columns.
pub(crate) struct MatrixRoom<T: Scalar> {
    weights: AlignedBuffer<T>,
    gradient: AlignedBuffer<T>,
}

impl<T: Scalar> MatrixRoom<T> {
    /// Room for nothing that is in tiles.
    pub(crate) fn none() -> Self {
        Self { weights: AlignedBuffer::zeros(0), gradient: AlignedBuffer::zeros(0) }
    }

    /// Room for the largest tensor in tiles among those that are `needed`.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is not enough.
    pub(crate) fn new(tensors: &[Tensor], needed: impl Fn(&Tensor) -> bool) -> Result<Self, Error> {
        let tiled = tensors.iter().filter(|tensor| tensor.tiled && needed(tensor));
        let len = tiled.map(Tensor::len).max().unwrap_or(0);
        let buffer =
            || AlignedBuffer::try_zeros(len).ok_or(Error::Memory { what: "a matrix beside its tiles" });
        Ok(Self { weights: buffer()?, gradient: buffer()? })
    }

    /// Has `look` look at a tensor as the matrix that it is; `stored` are its values as the engine stores them.
    pub(crate) fn look<R>(&mut self, tensor: &Tensor, stored: &[T], look: impl FnOnce(&[T]) -> R) -> R {
        if !tensor.tiled {
            return look(stored);
        }
        let weights = &mut self.weights[..tensor.len()];
        read_tiles(tensor, stored, weights);
        look(weights)
    }

    /// Has `change` change a tensor as the matrix that it is.
    pub(crate) fn change(&mut self, tensor: &Tensor, stored: &mut [T], change: impl FnOnce(&mut [T])) {
        if !tensor.tiled {
            return change(stored);
        }
        let weights = &mut self.weights[..tensor.len()];
        read_tiles(tensor, stored, weights);
        change(weights);
        write_tiles(tensor, weights, stored);
    }

    /// Has `change` change a tensor's gradient, both as the matrices that they are.
    pub(crate) fn change_gradient(
        &mut self,
        tensor: &Tensor,
        stored: &[T],
        stored_gradient: &mut [T],
        change: impl FnOnce(&[T], &mut [T]),
    ) {
        if !tensor.tiled {
            return change(stored, stored_gradient);
        }
        let (weights, gradient) = (&mut self.weights[..tensor.len()], &mut self.gradient[..tensor.len()]);
        read_tiles(tensor, stored, weights);
        read_tiles(tensor, stored_gradient, gradient);
        change(weights, gradient);
        write_tiles(tensor, gradient, stored_gradient);
    }

    /// Has `change` change a tensor by its gradient, which is not needed any more, both as the matrices that they are.
    pub(crate) fn change_both(
        &mut self,
        tensor: &Tensor,
        stored: &mut [T],
        stored_gradient: &mut [T],
        change: impl FnOnce(&mut [T], &mut [T]),
    ) {
        if !tensor.tiled {
            return change(stored, stored_gradient);
        }
        let (weights, gradient) = (&mut self.weights[..tensor.len()], &mut self.gradient[..tensor.len()]);
        read_tiles(tensor, stored, weights);
        read_tiles(tensor, stored_gradient, gradient);
        change(weights, gradient);
        write_tiles(tensor, weights, stored);
    }
}

/// A tensor's values in the order that its description has, from its tiles.
fn runs_of_tiles<'a, T: Scalar>(tensor: &Tensor, tiles: &'a [T]) -> impl Iterator<Item = &'a [T]> {
    let (rows, columns) = tensor.shape.rows_and_columns();
    let tiles = TiledRef::from_slice(tiles, rows, columns);
    let height = tiles.tile_rows();
    (0..columns).flat_map(move |column| {
        (0..tiles.n_tiles()).map(move |tile| {
            let rows_of_tile = (rows - tile * height).min(height);
            &tiles.tile(tile)[column * height..][..rows_of_tile]
        })
    })
}

/// Copies a tensor from its tiles.
fn read_tiles<T: Scalar>(tensor: &Tensor, tiles: &[T], mut values: &mut [T]) {
    for run in runs_of_tiles(tensor, tiles) {
        let (next, rest) = std::mem::take(&mut values).split_at_mut(run.len());
        next.copy_from_slice(run);
        values = rest;
    }
}

/// Copies a tensor into its tiles, whose padding stays as it is.
fn write_tiles<T: Scalar>(tensor: &Tensor, values: &[T], tiles: &mut [T]) {
    let (rows, columns) = tensor.shape.rows_and_columns();
    let mut tiles = TiledMut::from_slice(tiles, rows, columns);
    let height = tiles.tile_rows();
    for (column, values) in values.chunks_exact(rows).enumerate() {
        for (tile, values) in values.chunks(height).enumerate() {
            tiles.tile_mut(tile)[column * height..][..values.len()].copy_from_slice(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{BatchNormalization, Dense};

    #[test]
    fn values_go_into_tiles_and_back() {
        let network = Sequential::new(5)
            .add(Dense::new(70))
            .add(BatchNormalization::default())
            .add(Dense::new(3).use_bias(false));
        let mut described = Parameters::<f64>::zeros(&network).unwrap();
        described.initialize(1);
        let mut own = EngineParameters::from_described(&network, &described).unwrap();
        assert_eq!(own.fingerprint(), described.fingerprint());
        let mut back = Parameters::zeros(&network).unwrap();
        own.copy_to_described(&mut back);
        assert_eq!(back.values(), described.values());
        for index in 0..described.tensors().len() {
            for element in 0..described.tensor(index).len() {
                assert_eq!(*own.element_mut(index, element), described.tensor(index)[element]);
            }
        }
        let sum = |values: &[f64]| values.iter().map(|value| value.abs()).sum::<f64>();
        assert!((sum(own.values()) - sum(described.values())).abs() < 1e-9, "padding is zero");
    }
}
