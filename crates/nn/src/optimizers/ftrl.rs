//! Follow the regularized leader.

use super::describe::optimizer;
use crate::settings::{OutOfRange, SettingsOf};

optimizer! {
    /// Follow the regularized leader (H. B. McMahan et al., *Ad click prediction: a view from the trenches*, KDD 2013,
    /// algorithm 1), as in Keras. With `p = −learning_rate_power` and λ₁, λ₂, λₛ for the strengths of `l1`, `l2` and
    /// `l2_shrinkage`:
    ///
    /// ```text
    /// n′ = n + g²
    /// z ← z + g + 2·λₛ·w − (n′ᵖ − nᵖ)/learning_rate · w
    /// w ← 0                                                                  if |z| ≤ λ₁
    /// w ← −learning_rate·(z − sgn(z)·λ₁)/(n′ᵖ + β + 2·λ₂·learning_rate)      otherwise
    /// n ← n′
    /// ```
    ///
    /// The rate is a divisor, so at a rate of 0, where a schedule may end, or below the smallest normal number, no step is
    /// taken; and because z adds up steps of
    /// different rates as if they were one, schedules suit this optimizer less than others.
    pub struct Ftrl {
        learning_rate: 0.001, weight_decay: 0.0;
        /// How the rate falls with the sum of squares; at most 0. Default: −0.5.
        learning_rate_power: f64 = -0.5,
        /// What n begins with; at least 0. Default: 0.1.
        initial_accumulator_value: f64 = 0.1,
        /// λ₁, which makes weights exactly 0; at least 0. Default: 0.
        l1_regularization_strength: f64 = 0.0,
        /// λ₂; at least 0. Default: 0.
        l2_regularization_strength: f64 = 0.0,
        /// λₛ; at least 0. Default: 0.
        l2_shrinkage_regularization_strength: f64 = 0.0,
        /// β; at least 0. Default: 0.
        beta: f64 = 0.0,
    }
}

impl Ftrl {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        let power = self.learning_rate_power;
        let in_range = (f64::from(f32::MIN)..=0.0).contains(&power);
        settings.check("learning_rate_power", power, in_range, "at most 0")?;
        settings.not_negative("initial_accumulator_value", self.initial_accumulator_value)?;
        settings.not_negative("l1_regularization_strength", self.l1_regularization_strength)?;
        settings.not_negative("l2_regularization_strength", self.l2_regularization_strength)?;
        let shrinkage = self.l2_shrinkage_regularization_strength;
        settings.not_negative("l2_shrinkage_regularization_strength", shrinkage)?;
        settings.not_negative("beta", self.beta)
    }
}
