//! Adafactor.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Adafactor (N. Shazeer and M. Stern, *Adafactor: adaptive learning rates with sublinear memory cost*, ICML 2018,
    /// algorithms 4 and 5), as in Keras: at step t, with `β = 1 − t^beta_2_decay`,
    ///
    /// ```text
    /// r ← β·r + (1 − β)·mean over units of (g² + ε₁)       one for each input
    /// c ← β·c + (1 − β)·mean over inputs of (g² + ε₁)      one for each unit
    /// v = r·c / mean(r)            of a kernel;  v ← β·v + (1 − β)·(g² + ε₁) of a bias
    /// u = g/√v
    /// w ← w − max(ε₂, RMS(w))·ρ · u/max(1, RMS(u)/clip_threshold)      ρ = min(learning_rate, 1/√t)
    /// ```
    ///
    /// r and c lie in buffers as large as the parameters, so that little memory is saved here.
    pub struct Adafactor {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How fast β comes to 1; at most 0. Default: −0.8.
        beta_2_decay: f64 = -0.8,
        /// ε₁, added to the squares; above 0. Default: 1e-30.
        epsilon_1: f64 = 1e-30,
        /// ε₂, the least that a tensor's size counts; at least 0. Default: 0.001.
        epsilon_2: f64 = 1e-3,
        /// The root of the mean square of u beyond which u is scaled down; above 0. Default: 1.
        clip_threshold: f64 = 1.0,
        /// Whether 1/√t is the most that ρ may be; else it is the learning rate itself. In Keras 3 that bound holds whichever
        /// this is, so `false` does nothing there. Default: `true`.
        relative_step: bool = true,
    }
}

impl Adafactor {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        let decay = self.beta_2_decay;
        let in_range = (f64::from(f32::MIN)..=0.0).contains(&decay);
        settings.check("beta_2_decay", decay, in_range, "at most 0")?;
        settings.positive("epsilon_1", self.epsilon_1)?;
        settings.not_negative("epsilon_2", self.epsilon_2)?;
        settings.positive("clip_threshold", self.clip_threshold)
    }
}
