//! Every activation function and every optimizer rule, for tests that go through all of them.

#![allow(dead_code)] // each test uses its part

use densely_tensor::*;

/// Every activation function, with parameters that are not its defaults where it has some.
pub(crate) fn every_function() -> Vec<ActivationFunction> {
    use ActivationFunction::*;
    vec![
        Linear,
        Relu,
        LeakyRelu { negative_slope: 0.2 },
        Relu6,
        BoundedRelu { negative_slope: 0.1, max_value: 2.0, threshold: 0.5 },
        Elu { alpha: 1.5 },
        Selu,
        Celu { alpha: 1.5 },
        Threshold { threshold: 0.5, value: -1.0 },
        Sigmoid,
        HardSigmoid,
        SparseSigmoid,
        Tanh,
        ActivationFunction::LECUN_TANH,
        HardTanh,
        Softsign,
        Softplus,
        LogSigmoid,
        Squareplus { b: 4.0 },
        SparsePlus,
        Exponential,
        Silu,
        HardSilu,
        Mish,
        Gelu,
        GeluTanh,
        TanhShrink,
        SoftShrink { threshold: 0.5 },
        HardShrink { threshold: 0.5 },
    ]
}

/// A rule's step number `t`, with the name of a case in `reference/optimizers.py` and its arguments.
pub(crate) type Step<T> = (&'static str, fn(u64) -> Update<T>);

/// Every rule, with all of its options, with and without weight decay.
pub(crate) fn every_rule<T: Scalar>() -> Vec<Step<T>> {
    fn sgd<T: Scalar>(learning_rate: f64, momentum: f64, nesterov: bool) -> Update<T> {
        let [learning_rate, momentum] = [learning_rate, momentum].map(T::from_f64);
        Sgd { learning_rate, momentum, nesterov }.into()
    }
    fn adagrad<T: Scalar>(learning_rate: f64, initial: f64, epsilon: f64) -> Update<T> {
        let [learning_rate, initial_accumulator_value, epsilon] =
            [learning_rate, initial, epsilon].map(T::from_f64);
        Adagrad { learning_rate, initial_accumulator_value, epsilon }.into()
    }
    fn ftrl<T: Scalar>(learning_rate: f64) -> Ftrl<T> {
        Ftrl {
            learning_rate: T::from_f64(learning_rate),
            learning_rate_power: T::from_f64(-0.5),
            initial_accumulator_value: T::from_f64(0.1),
            l1_regularization_strength: T::ZERO,
            l2_regularization_strength: T::ZERO,
            l2_shrinkage_regularization_strength: T::ZERO,
            beta: T::ZERO,
        }
    }
    vec![
        ("sgd", |_| sgd(0.01, 0.0, false)),
        ("sgd momentum", |_| sgd(0.005, 0.9, false)),
        ("sgd nesterov", |_| sgd(0.005, 0.9, true)),
        ("sgd weight_decay", |_| sgd(0.005, 0.5, false).weight_decay(0.005, 0.5)),
        ("rmsprop", |_| Rmsprop::new(0.001, 0.9, 0.0, 1e-7, false).into()),
        ("rmsprop momentum", |_| Rmsprop::new(0.002, 0.8, 0.5, 1e-7, false).into()),
        ("rmsprop centered", |_| Rmsprop::new(0.002, 0.8, 0.0, 1e-3, true).into()),
        ("rmsprop momentum centered", |_| Rmsprop::new(0.002, 0.8, 0.5, 1e-3, true).into()),
        ("rmsprop weight_decay", |_| {
            Update::from(Rmsprop::new(0.001, 0.9, 0.0, 1e-7, false)).weight_decay(0.001, 0.5)
        }),
        ("adagrad", |_| adagrad(0.001, 0.1, 1e-7)),
        ("adagrad options", |_| adagrad(0.01, 0.5, 1e-3).weight_decay(0.01, 0.1)),
        ("adadelta", |_| Adadelta::new(0.001, 0.95, 1e-7).into()),
        ("adadelta options", |_| Update::from(Adadelta::new(1.0, 0.8, 1e-4)).weight_decay(1.0, 0.01)),
        ("adam", |t| Adam::step(t, 0.001, 0.9, 0.999, 1e-7).into()),
        ("adam options", |t| Adam::step(t, 0.01, 0.8, 0.99, 1e-3).into()),
        ("adam amsgrad", |t| Amsgrad(Adam::step(t, 0.002, 0.9, 0.8, 1e-7)).into()),
        ("adam amsgrad weight_decay", |t| {
            Update::from(Amsgrad(Adam::step(t, 0.002, 0.9, 0.8, 1e-7))).weight_decay(0.002, 0.1)
        }),
        ("adamw", |t| Update::from(Adam::step(t, 0.001, 0.9, 0.999, 1e-7)).weight_decay(0.001, 0.004)),
        ("adamax", |t| Adamax::step(t, 0.001, 0.9, 0.999, 1e-7).into()),
        ("adamax options", |t| Update::from(Adamax::step(t, 0.01, 0.8, 0.9, 1e-3)).weight_decay(0.01, 0.1)),
        ("nadam", |t| Nadam::step(t, 0.001, 0.9, 0.999, 1e-7).into()),
        ("nadam options", |t| Update::from(Nadam::step(t, 0.01, 0.8, 0.99, 1e-3)).weight_decay(0.01, 0.1)),
        ("ftrl", |_| ftrl(0.001).into()),
        ("ftrl beta", |_| {
            let [initial_accumulator_value, beta] = [0.5, 0.3].map(T::from_f64);
            Ftrl { initial_accumulator_value, beta, ..ftrl(0.02) }.into()
        }),
        ("ftrl regularization", |_| {
            let rule = Ftrl {
                l1_regularization_strength: T::from_f64(0.05),
                l2_regularization_strength: T::from_f64(0.1),
                l2_shrinkage_regularization_strength: T::from_f64(0.02),
                ..ftrl(0.02)
            };
            Update::from(rule).weight_decay(0.02, 0.1)
        }),
        ("ftrl power", |_| Ftrl { learning_rate_power: T::from_f64(-0.75), ..ftrl(0.02) }.into()),
        ("ftrl fixed rate", |_| Ftrl { learning_rate_power: T::ZERO, ..ftrl(0.02) }.into()),
        ("lion", |_| Lion::new(0.001, 0.9, 0.99).into()),
        ("lion options", |_| Update::from(Lion::new(0.002, 0.7, 0.8)).weight_decay(0.002, 0.1)),
    ]
}
