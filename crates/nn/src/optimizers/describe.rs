//! What the descriptions of all optimizers have in common.

use crate::error::{DescriptionError, Error};
use crate::schedules::LearningRate;
use crate::settings::{OutOfRange, SettingsOf};

/// Settings that every optimizer has, in one place for the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) weight_decay: f64,
    pub(crate) clipnorm: Option<f64>,
    pub(crate) clipvalue: Option<f64>,
    pub(crate) global_clipnorm: Option<f64>,
    pub(crate) use_ema: bool,
    pub(crate) ema_momentum: f64,
    pub(crate) ema_overwrite_frequency: Option<u64>,
    pub(crate) gradient_accumulation_steps: Option<u64>,
}

impl Options {
    fn check(&self, settings: SettingsOf) -> Result<(), OutOfRange> {
        settings.not_negative("weight_decay", self.weight_decay)?;
        let clips = [
            ("clipnorm", self.clipnorm),
            ("clipvalue", self.clipvalue),
            ("global_clipnorm", self.global_clipnorm),
        ];
        for (setting, found) in clips {
            found.map_or(Ok(()), |found| settings.positive(setting, found))?;
        }
        let in_range = (0.0..=1.0).contains(&self.ema_momentum);
        settings.check("ema_momentum", self.ema_momentum, in_range, "between 0 and 1")?;
        let frequency = self.ema_overwrite_frequency.unwrap_or(1);
        settings.check("ema_overwrite_frequency", frequency as f64, frequency >= 1, "at least 1")?;
        let steps = self.gradient_accumulation_steps.unwrap_or(2);
        settings.check("gradient_accumulation_steps", steps as f64, steps >= 2, "at least 2")
    }

    fn refuse_two_clippings(&self, optimizer: &'static str) -> Result<(), Error> {
        let conflict = match (self.clipnorm, self.clipvalue, self.global_clipnorm) {
            (Some(_), Some(_), _) => ("clipnorm", "clipvalue"),
            (Some(_), _, Some(_)) => ("clipnorm", "global_clipnorm"),
            (_, Some(_), Some(_)) => ("clipvalue", "global_clipnorm"),
            _ => return Ok(()),
        };
        Err(DescriptionError::OptimizerConflict { optimizer, setting: conflict.0, other: conflict.1 }.into())
    }
}

/// What each optimizer's description tells, whichever it is.
pub(crate) trait Description {
    fn name(&self) -> &'static str;
    fn learning_rate(&self) -> &LearningRate;
    fn learning_rate_mut(&mut self) -> &mut LearningRate;
    fn options(&self) -> Options;
    /// Checks the settings that only this optimizer has.
    fn check_own(&self, settings: SettingsOf) -> Result<(), OutOfRange>;

    fn validate(&self) -> Result<(), Error> {
        let settings = SettingsOf(self.name());
        self.learning_rate().validate(self.name())?;
        self.check_own(settings).map_err(OutOfRange::of_optimizer)?;
        self.options().check(settings).map_err(OutOfRange::of_optimizer)?;
        self.options().refuse_two_clippings(self.name())
    }
}

/// Declares an optimizer's description: a struct with the learning rate, the optimizer's own settings, and those that all
/// have; its defaults; and what ties it to [`Optimizer`](super::Optimizer). The own settings' check is written beside it, as
/// `fn check(&self, SettingsOf) -> Result<(), OutOfRange>`.
///
/// `optimizer! { /// Docs. pub struct Lion { learning_rate: 0.001, weight_decay: 0.0; /// Docs. beta_1: f64 = 0.9, } }`
/// becomes `pub struct Lion { pub learning_rate: LearningRate, pub beta_1: f64, pub weight_decay: f64, … }`, its `Default`,
/// `Lion::new(learning_rate)`, `impl Description for Lion` and `impl From<Lion> for Optimizer`.
macro_rules! optimizer {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            learning_rate: $rate:literal, weight_decay: $decay:literal;
            $( $(#[$doc:meta])* $field:ident: $type:ty = $default:expr, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The size of a step: a number above 0, or a [schedule](crate::schedules).
            #[doc = concat!("Default: ", $rate, ".")]
            pub learning_rate: $crate::schedules::LearningRate,
            $( $(#[$doc])* pub $field: $type, )*
            /// Decoupled weight decay: before the step `w ← w − w·weight_decay·learning_rate`; at least 0.
            #[doc = concat!("Default: ", $decay, ".")]
            pub weight_decay: f64,
            /// The most that the norm of one tensor's gradient may be; a longer gradient is scaled down to it. Above 0.
            /// Default: no limit.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub clipnorm: Option<f64>,
            /// The most that any element of a gradient may be, up or down; above 0. Default: no limit.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub clipvalue: Option<f64>,
            /// The most that the norm of all gradients together may be; above 0. Default: no limit.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub global_clipnorm: Option<f64>,
            /// Whether a moving average of the parameters is kept, which takes their place when `fit` ends. Default: `false`.
            pub use_ema: bool,
            /// What is kept of that average in an update; between 0 and 1. Default: 0.99.
            pub ema_momentum: f64,
            /// After how many updates the average takes the parameters' place, again and again; at least 1. Default: never
            /// before the end.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub ema_overwrite_frequency: Option<u64>,
            /// How many batches an update waits for; it then takes the mean of their gradients. At least 2. Default: every
            /// batch is an update.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub gradient_accumulation_steps: Option<u64>,
        }

        impl $name {
            /// This learning rate, everything else by default.
            pub fn new(learning_rate: impl Into<$crate::schedules::LearningRate>) -> Self {
                Self { learning_rate: learning_rate.into(), ..Self::default() }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    learning_rate: $crate::schedules::LearningRate::Constant($rate),
                    $( $field: $default, )*
                    weight_decay: $decay,
                    clipnorm: None,
                    clipvalue: None,
                    global_clipnorm: None,
                    use_ema: false,
                    ema_momentum: 0.99,
                    ema_overwrite_frequency: None,
                    gradient_accumulation_steps: None,
                }
            }
        }

        impl $crate::optimizers::describe::Description for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }

            fn learning_rate(&self) -> &$crate::schedules::LearningRate {
                &self.learning_rate
            }

            fn learning_rate_mut(&mut self) -> &mut $crate::schedules::LearningRate {
                &mut self.learning_rate
            }

            fn options(&self) -> $crate::optimizers::describe::Options {
                $crate::optimizers::describe::Options {
                    weight_decay: self.weight_decay,
                    clipnorm: self.clipnorm,
                    clipvalue: self.clipvalue,
                    global_clipnorm: self.global_clipnorm,
                    use_ema: self.use_ema,
                    ema_momentum: self.ema_momentum,
                    ema_overwrite_frequency: self.ema_overwrite_frequency,
                    gradient_accumulation_steps: self.gradient_accumulation_steps,
                }
            }

            fn check_own(
                &self,
                settings: $crate::settings::SettingsOf,
            ) -> Result<(), $crate::settings::OutOfRange> {
                self.check(settings)
            }
        }

        impl From<$name> for $crate::optimizers::Optimizer {
            fn from(optimizer: $name) -> Self {
                Self::$name(optimizer)
            }
        }
    };
}
pub(super) use optimizer;
