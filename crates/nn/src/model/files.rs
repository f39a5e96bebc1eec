//! A model to a file and back.

use super::Model;
use super::compile::Compile;
use crate::engine::parameters::EngineParameters;
use crate::error::Error;
use crate::layers::Custom;
use crate::parameters::Parameters;
use crate::saving::{self, SavedDescription};
use densely_tensor::{Pool, Scalar};
use std::path::Path;

impl<T: Scalar> Model<T> {
    /// Writes the model to one file, whole or not at all; see [`saving`].
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if the file cannot be written; what was there before is then still there. Otherwise as
    /// [`to_bytes`](Self::to_bytes).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        saving::write_model(path, &self.saved_description(), &self.described()?)
    }

    /// The bytes that [`save`](Self::save) writes; the same model gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if a parameter is not finite, [`Error::Memory`] if there is not enough for a copy of them, [`Error::HeaderTooLong`] if the description's texts are too long,
    /// [`DescriptionError::Unwritable`](crate::DescriptionError::Unwritable) if the [provenance](crate::Provenance) has a path that is not UTF-8.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        saving::to_bytes(&self.saved_description(), &self.described()?)
    }

    pub(super) fn saved_description(&self) -> SavedDescription {
        SavedDescription {
            model: self.network.clone(),
            loss: self.compile.loss.clone(),
            reduction: self.compile.reduction,
            metrics: self.compile.metrics.clone(),
            optimizer: self.compile.optimizer.clone(),
            seed: self.compile.seed,
            provenance: self.provenance.clone(),
        }
    }

    /// Reads a model that was saved. Its optimizer and the count of its epochs start afresh: a `fit` goes through the same
    /// shuffles and dropout masks as the first one did. A [custom loss](crate::Loss::Custom) has to be given to it again before it
    /// can be fitted or evaluated, and [custom metrics](Self::set_metrics) to be measured.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no model, is damaged, or is of a newer format; the message names the file.
    pub fn load(path: impl AsRef<Path>, pool: Pool) -> Result<Self, Error> {
        Self::load_with(path, pool, &[])
    }

    /// The same for a model with layers of other crates, whose code cannot be in the file.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`DescriptionError::UnknownCustomLayer`](crate::DescriptionError::UnknownCustomLayer) for a
    /// layer that is not in `custom`.
    pub fn load_with(path: impl AsRef<Path>, pool: Pool, custom: &[Custom]) -> Result<Self, Error> {
        let path = path.as_ref();
        let (saved, parameters) = saving::read_model(path, custom)?;
        Self::restore(saved, parameters, pool)
            .map_err(|error| Error::InFile { path: path.to_owned(), problem: Box::new(error) })
    }

    /// The model in the bytes of a file, as [`load`](Self::load): for a program that carries its model with it.
    ///
    /// ```
    /// # use densely::{Activation, Compile, Dense, Model, Pool, Sequential};
    /// # let network = Sequential::new(3).add(Dense::new(2).activation(Activation::Softmax));
    /// # let trained = network.compile::<f32>(Compile::default())?;
    /// // In your program: static MODEL: &[u8] = include_bytes!("model.safetensors");
    /// let bytes = trained.to_bytes()?;
    ///
    /// let model = Model::<f32>::from_bytes(&bytes, Pool::new(1)?)?;
    /// assert_eq!(model.predict_one(&[0.1, 0.2, 0.3])?, trained.predict_one(&[0.1, 0.2, 0.3])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// With `Pool::new(1)` neither this nor [`predict`](Self::predict) or [`predict_one`](Self::predict_one) starts a
    /// thread or asks for a file or the clock, so both work in WebAssembly
    /// (`wasm32-unknown-unknown`), with the same bits. [`Fit`](crate::Fit) takes the time of epochs and needs a clock.
    ///
    /// The parameters are copied. What the optimizer remembers, for Adam twice as much, is only allocated if the model is
    /// trained.
    ///
    /// # Errors
    ///
    /// As [`saving::from_bytes`].
    pub fn from_bytes(bytes: &[u8], pool: Pool) -> Result<Self, Error> {
        Self::from_bytes_with(bytes, pool, &[])
    }

    /// The same for a model with layers of other crates, whose code cannot be in the bytes.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes); [`DescriptionError::UnknownCustomLayer`](crate::DescriptionError::UnknownCustomLayer) for a
    /// layer that is not in `custom`.
    pub fn from_bytes_with(bytes: &[u8], pool: Pool, custom: &[Custom]) -> Result<Self, Error> {
        let (saved, parameters) = saving::from_bytes_with(bytes, custom)?;
        Self::restore(saved, parameters, pool)
    }

    fn restore(saved: SavedDescription, parameters: Parameters<T>, pool: Pool) -> Result<Self, Error> {
        let compile = Compile {
            optimizer: saved.optimizer,
            loss: saved.loss,
            reduction: saved.reduction,
            metrics: saved.metrics,
            custom_metrics: Vec::new(),
            seed: saved.seed,
            pool,
        };
        let plan = saved.model.plan(&compile)?;
        let parameters = EngineParameters::from_described(&saved.model, &parameters)?;
        Ok(Self::assemble(saved.model, compile, plan, parameters, saved.provenance))
    }
}
