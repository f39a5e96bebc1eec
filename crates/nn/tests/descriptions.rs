//! Descriptions: written as RON and read again, and refused with a message that says where and why.

use densely::constraints::{MaxNorm, MinMaxNorm};
use densely::initializers::{self, Distribution, FanMode};
use densely::layers::{Flatten, GaussianNoise, Residual};
use densely::losses::CategoricalCrossentropy;
use densely::optimizers::Muon;
use densely::regularizers::{self, L1, L1L2, L2, OrthogonalMode};
use densely::schedules::{CosineDecay, ExponentialDecay};
use densely::text::{from_ron, to_ron};
use densely::{
    Activation, Adam, Constraint, Dense, DescriptionError, Dropout, Error, Initializer, Layer, LearningRate,
    Loss, Optimizer, Provenance, Regularizer, Sequential, Sgd,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn activation() -> impl Strategy<Value = Activation> {
    use Activation::*;
    let number = 1e-9..1e9;
    prop_oneof![
        select(vec![Linear, Relu, Sigmoid, Tanh, Softmax, Gelu, Sparsemax]),
        number.clone().prop_map(|negative_slope| LeakyRelu { negative_slope }),
        (number.clone(), number).prop_map(|(negative_slope, threshold)| BoundedRelu {
            negative_slope,
            max_value: f64::INFINITY,
            threshold
        }),
    ]
}

fn bias_initializer() -> impl Strategy<Value = Initializer> {
    use Initializer::*;
    let number = -1e9..1e9;
    let scaling =
        |(scale, mode, distribution)| initializers::VarianceScaling { scale, mode, distribution }.into();
    prop_oneof![
        select(vec![Zeros, Ones, GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunNormal]),
        number.clone().prop_map(|value| initializers::Constant { value }.into()),
        (number.clone(), 0.0..9.0)
            .prop_map(|(mean, stddev)| initializers::TruncatedNormal { mean, stddev }.into()),
        (number, 0.0..9.0).prop_map(|(minval, width)| {
            initializers::RandomUniform { minval, maxval: minval + width }.into()
        }),
        (
            1e-9..1e9,
            select(vec![FanMode::FanIn, FanMode::FanOut, FanMode::FanAvg]),
            select(vec![Distribution::UntruncatedNormal, Distribution::Uniform])
        )
            .prop_map(scaling),
    ]
}

fn kernel_initializer() -> impl Strategy<Value = Initializer> {
    let gain = -9.0..9.0;
    prop_oneof![
        bias_initializer(),
        gain.clone().prop_map(|gain| initializers::Identity { gain }.into()),
        gain.prop_map(|gain| initializers::Orthogonal { gain }.into()),
    ]
}

fn bias_regularizer() -> impl Strategy<Value = Regularizer> {
    let factor = 0.0..9.0;
    prop_oneof![
        factor.clone().prop_map(|l1| L1 { l1 }.into()),
        factor.clone().prop_map(|l2| L2 { l2 }.into()),
        (factor.clone(), factor).prop_map(|(l1, l2)| L1L2 { l1, l2 }.into()),
    ]
}

fn kernel_regularizer() -> impl Strategy<Value = Regularizer> {
    let mode = select(vec![OrthogonalMode::Rows, OrthogonalMode::Columns]);
    let orthogonal =
        (0.0..9.0, mode).prop_map(|(factor, mode)| regularizers::Orthogonal { factor, mode }.into());
    prop_oneof![bias_regularizer(), orthogonal]
}

fn constraint() -> impl Strategy<Value = Constraint> {
    prop_oneof![
        select(vec![Constraint::NonNeg, Constraint::UnitNorm]),
        (1e-9..9.0).prop_map(|max_value| MaxNorm { max_value }.into()),
        (0.0..1.0, 1.0..9.0, 0.0..=1.0).prop_map(|(min_value, max_value, rate)| MinMaxNorm {
            min_value,
            max_value,
            rate
        }
        .into()),
    ]
}

fn dense() -> impl Strategy<Value = Dense> {
    let initializers = (kernel_initializer(), bias_initializer());
    let regularizers = (option::of(kernel_regularizer()), option::of(bias_regularizer()));
    let constraints = (option::of(constraint()), option::of(constraint()));
    (2..1000_usize, activation(), any::<bool>(), initializers, regularizers, constraints).prop_map(
        |(units, activation, use_bias, initializers, regularizers, constraints)| Dense {
            name: None,
            trainable: true,
            units,
            activation,
            use_bias,
            kernel_initializer: initializers.0,
            bias_initializer: initializers.1,
            kernel_regularizer: regularizers.0,
            bias_regularizer: regularizers.1,
            activity_regularizer: regularizers.1,
            kernel_constraint: constraints.0,
            bias_constraint: constraints.1,
        },
    )
}

fn layer() -> impl Strategy<Value = Layer> {
    prop_oneof![
        dense().prop_map(Layer::from),
        (0.0..1.0).prop_map(|rate| Dropout::new(rate).into()),
        activation().prop_map(Layer::from),
    ]
}

fn network() -> impl Strategy<Value = Sequential> {
    let layers = prop::collection::vec(layer(), 0..6);
    (2..1000_usize, layers, 2..100_usize).prop_map(|(inputs, mut layers, outputs)| {
        layers.push(Dense::new(outputs).into());
        Sequential { inputs, layers }
    })
}

fn learning_rate() -> impl Strategy<Value = LearningRate> {
    let decay = |(rate, steps, decay)| ExponentialDecay::new(rate, steps, decay).into();
    let warm_up = prop::option::of(0.0..1.0);
    let cosine = (0.0..1.0, 1..u64::MAX, warm_up, any::<u64>());
    prop_oneof![
        (1e-30..1e3).prop_map(LearningRate::from),
        (0.0..1.0, 1..u64::MAX, 0.0..2.0).prop_map(decay),
        cosine.prop_map(|(rate, steps, warmup_target, warmup_steps)| {
            CosineDecay { warmup_target, warmup_steps, ..CosineDecay::new(rate, steps) }.into()
        }),
    ]
}

fn optimizer() -> impl Strategy<Value = Optimizer> {
    let epsilon = 1e-30..1e3;
    let sgd = (learning_rate(), 0.0..0.999, any::<bool>(), prop::option::of(1..u64::MAX));
    let adam = (learning_rate(), 0.0..0.999, 0.0..0.999, epsilon, prop::option::of(1e-3..1.0));
    prop_oneof![
        sgd.prop_map(|(learning_rate, momentum, nesterov, ema_overwrite_frequency)| {
            let use_ema = !nesterov;
            Sgd { learning_rate, momentum, nesterov, use_ema, ema_overwrite_frequency, ..Sgd::default() }
                .into()
        }),
        adam.prop_map(|(learning_rate, beta_1, beta_2, epsilon, clipnorm)| {
            Adam { learning_rate, beta_1, beta_2, epsilon, clipnorm, ..Adam::default() }.into()
        }),
        (learning_rate(), any::<bool>()).prop_map(|(learning_rate, scaled)| {
            let rms_rate = scaled.then_some(0.5);
            Muon { rms_rate, exclude_layers: vec!["dense_1".into()], ..Muon::new(learning_rate) }.into()
        }),
    ]
}

fn provenance() -> impl Strategy<Value = Provenance> {
    let classes = prop::collection::vec(any::<String>(), 0..4);
    (any::<String>(), classes, any::<usize>(), prop::option::of(0.0..=1.0)).prop_map(
        |(dataset, classes, epochs, test_accuracy)| Provenance {
            dataset,
            classes,
            epochs,
            test_accuracy,
            trained_on: None,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(network in network(), optimizer in optimizer(), provenance in provenance()) {
        prop_assert_eq!(Sequential::from_ron(&network.to_ron().unwrap()).unwrap(), network);
        prop_assert_eq!(&from_ron::<Optimizer>(&to_ron(&optimizer).unwrap()).unwrap(), &optimizer);
        prop_assert_eq!(from_ron::<Provenance>(&to_ron(&provenance).unwrap()).unwrap(), provenance);
        optimizer.validate().unwrap();
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = Sequential::from_ron(&text);
    }

    /// Texts that get further than random ones: a valid one with a piece replaced.
    #[test]
    fn no_damaged_text_makes_the_reader_panic(network in network(), cut in any::<[prop::sample::Index; 2]>(), piece in ".{0,4}") {
        let mut text = network.to_ron().unwrap();
        let mut ends = cut.map(|end| end.index(text.len() + 1));
        ends.sort_unstable();
        text.replace_range(ends[0]..ends[1].min(ends[0] + 8), &piece); // what is written is ASCII
        let _ = Sequential::from_ron(&text);
    }
}

#[test]
fn a_hand_written_network_needs_only_what_differs() {
    let text = "
        // the tutorial's network
        Sequential(
            inputs: 784,
            layers: [
                Dense(units: 512, activation: Relu),
                Dropout(rate: 0.2),
                Dense(units: 512),
                Activation(Relu),
                Dropout(rate: 0),
                Dense(units: 10, kernel_initializer: HeNormal, use_bias: false, activation: Softmax),
            ],
        )";
    let expected = Sequential::new(784)
        .add(Dense::new(512).activation(Activation::Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(512))
        .add(Activation::Relu)
        .add(Dropout::new(0.0))
        .add(
            Dense::new(10)
                .kernel_initializer(Initializer::HeNormal)
                .use_bias(false)
                .activation(Activation::Softmax),
        );
    assert_eq!(Sequential::from_ron(text).unwrap(), expected);
    assert_eq!(expected.layer_names(), ["dense", "dropout", "dense_1", "activation", "dropout_1", "dense_2"]);
    assert_eq!(expected.outputs(), 10);
}

#[test]
fn hand_written_losses_and_optimizers_need_only_what_differs() {
    assert_eq!(from_ron::<Loss>("CategoricalCrossentropy()").unwrap(), Loss::default());
    assert_eq!(from_ron::<Loss>("MeanSquaredError").unwrap(), Loss::MeanSquaredError);
    assert_eq!(from_ron::<Optimizer>("Adam()").unwrap(), Optimizer::default());
    assert_eq!(from_ron::<Optimizer>("Adam(learning_rate: 1)").unwrap(), Adam::new(1.0).into());
    let sgd = Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() };
    assert_eq!(from_ron::<Optimizer>("Sgd(momentum: 0.9, nesterov: true)").unwrap(), sgd.into());
}

/// Keras 3's defaults.
#[test]
fn defaults_are_those_of_keras() {
    let dense = Dense::new(3);
    assert_eq!((dense.activation, dense.use_bias), (Activation::Linear, true));
    assert_eq!(
        (dense.kernel_initializer, dense.bias_initializer),
        (Initializer::GlorotUniform, Initializer::Zeros)
    );
    let cross_entropy = CategoricalCrossentropy { from_logits: false, label_smoothing: 0.0 };
    assert_eq!(Loss::default(), cross_entropy.into());
    let sgd = Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0, ..Sgd::new(0.01) };
    assert_eq!(Sgd::default(), sgd);
    let adam = Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false, ..Adam::new(0.001) };
    assert_eq!(Adam::default(), Adam { use_ema: false, ema_momentum: 0.99, ..adam });
}

#[track_caller]
fn check_text(layers: &str, message: &str) {
    let text = format!("(\n inputs: 4,\n layers: [{layers}],\n)");
    assert_eq!(Sequential::from_ron(&text).unwrap_err().to_string(), message);
}

#[test]
fn a_wrong_text_is_refused_by_line_column_and_field() {
    check_text("Dense(units: abc)", "line 3, column 24, at layers[0].Dense.units: expected a whole number");
    check_text(
        "Dense(units: -1)",
        "line 3, column 25, at layers[0].Dense.units: the whole number is out of range, expected 0 or more",
    );
    check_text("Dense(activation: Relu)", "line 3, column 33, at layers[0].Dense: field `units` is missing");
    check_text(
        "Dense(units: 1, units: 2)",
        "line 3, column 27, at layers[0].Dense: field `units` is given twice",
    );
    check_text(
        "Dense(units: 1, use_bias: 1)",
        "line 3, column 36, at layers[0].Dense.use_bias: expected true or false",
    );
    check_text(
        "Dense(units: 1), Dropout(rate: x)",
        "line 3, column 41, at layers[1].Dropout.rate: expected a number",
    );
    check_text("Dense", "line 3, column 16, at layers[0].Dense: expected `(`, fields, and `)`");
    check_text("Dense(units: 1", "line 3, column 25, at layers[0].Dense: expected comma");
}

#[test]
fn a_misspelt_name_is_refused_with_the_possible_ones_and_the_nearest() {
    check_text(
        "Dense(units: 1, activation: relu)",
        "line 3, column 39, at layers[0].Dense.activation: unexpected variant named `relu` in enum `Activation`, \
         expected one of `Linear`, `Relu`, `LeakyRelu`, `Relu6`, `BoundedRelu`, `Elu`, `Selu`, `Celu`, `Threshold`, \
         `Sigmoid`, `HardSigmoid`, `SparseSigmoid`, `Tanh`, `ScaledTanh`, `HardTanh`, `Softsign`, `Softplus`, \
         `LogSigmoid`, `Squareplus`, `SparsePlus`, `Exponential`, `Silu`, `Swish`, `HardSilu`, `HardSwish`, `Mish`, \
         `Gelu`, `GeluTanh`, `TanhShrink`, `SoftShrink`, `HardShrink`, `Softmax`, `LogSoftmax`, `Sparsemax`, or `Glu` \
         instead; did you mean `Relu`?",
    );
    check_text(
        "Dense(unist: 1)",
        "line 3, column 17, at layers[0].Dense.unist: unexpected field named `unist` in `Dense`, expected one of \
         `units`, `activation`, `use_bias`, `kernel_initializer`, `bias_initializer`, `kernel_regularizer`, \
         `bias_regularizer`, `activity_regularizer`, `kernel_constraint`, `bias_constraint`, `trainable`, or `name` \
         instead; did you mean `units`?",
    );
    check_text(
        "Convolution(units: 1)",
        "line 3, column 11, at layers[0]: unexpected variant named `Convolution` in enum `Layer`, expected one of \
         `Dense`, `Activation`, `Dropout`, `AlphaDropout`, `GaussianDropout`, `GaussianNoise`, `BatchNormalization`, \
         `LayerNormalization`, `RmsNormalization`, `UnitNormalization`, `Normalization`, `Rescaling`, `Flatten`, \
         `ActivityRegularization`, `PRelu`, `Maxout`, `DropConnect`, `Residual`, or `Custom` instead",
    );
}

#[test]
fn hostile_nesting_is_an_error() {
    for opening in ["[", "(", "{", "Some(", "/*", "Dense(", "Activation(", "layers: ["] {
        let nested = opening.repeat(100_000);
        for text in
            [nested.clone(), format!("(inputs: 1, layers: {nested}"), format!("(inputs: 1, what: {nested}")]
        {
            assert!(
                matches!(Sequential::from_ron(&text), Err(Error::Description(DescriptionError::Ron { .. }))),
                "{opening}"
            );
        }
    }
    // A value that takes any text is the one that could be nested without end.
    let nested = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let error = from_ron::<serde::de::IgnoredAny>(&nested).unwrap_err().to_string();
    assert!(error.ends_with(": nested too deeply"), "{error}");
}

/// No reader would follow, so neither does the writer.
#[test]
fn blocks_beyond_what_is_read_are_not_written() {
    let nested = |depth| {
        let block = (0..depth).fold(Residual::new(), |inner, _| Residual::new().add(inner));
        Sequential::new(2).add(block).add(Dense::new(1))
    };
    assert!(nested(7).to_ron().is_ok());
    let message = nested(100).to_ron().unwrap_err().to_string();
    assert_eq!(message, "cannot be written as RON: nested too deeply");
}

#[track_caller]
fn check_network(network: Sequential, message: &str) {
    assert_eq!(network.validate().unwrap_err().to_string(), message);
    // The same from RON, so that a recipe is refused as a built network is.
    assert_eq!(Sequential::from_ron(&network.to_ron().unwrap()).unwrap_err().to_string(), message);
}

#[test]
fn a_network_that_cannot_be_is_refused_by_layer() {
    let start = || Sequential::new(4).add(Dense::new(3)).add(Dropout::new(0.5));
    check_network(Sequential::new(0).add(Dense::new(1)), "inputs is 0, expected at least 1");
    check_network(
        Sequential::new(4),
        "the network has no layer with parameters, expected at least one, such as Dense",
    );
    check_network(
        Sequential::new(4).add(Activation::Relu).add(Dropout::new(0.5)),
        "the network has no layer with parameters, expected at least one, such as Dense",
    );
    check_network(start().add(Dense::new(0)), "layer 3 (dense_1): units is 0, expected at least 1");
    for rate in [1.0, -0.1, f64::INFINITY] {
        check_network(
            start().add(Dropout::new(rate)),
            &format!("layer 3 (dropout_1): rate is {rate}, expected at least 0 and below 1"),
        );
    }
    assert!(start().add(Dropout::new(f64::NAN)).validate().is_err());
    check_network(
        start().add(Dense::new(1).activation(Activation::Softmax)),
        "layer 3 (dense_1): softmax over 1 unit is always 1, expected at least 2 units",
    );
    check_network(
        start().add(Dense::new(1)).add(Activation::Softmax),
        "layer 4 (activation): softmax over 1 unit is always 1, expected at least 2 units",
    );
    check_network(
        start().add(Dense::new(1).activation(Activation::LogSoftmax)),
        "layer 3 (dense_1): log_softmax over 1 unit is always 0, expected at least 2 units",
    );
    check_network(
        start().add(Dense::new(1)).add(Activation::Sparsemax),
        "layer 4 (activation): sparsemax over 1 unit is always 1, expected at least 2 units",
    );
}

#[test]
fn a_network_that_is_too_large_is_refused_before_anything_is_allocated() {
    check_network(
        Sequential::new(1 << 20).add(Dense::new(1 << 11)),
        "layer 1 (dense): 2048 units on 1048576 inputs take the network beyond 2147483648 parameters, the most it may \
         have",
    );
    assert!(Sequential::new(1 << 20).add(Dense::new(1 << 11).use_bias(false)).validate().is_ok());
    let large = || Dense::new(40_000);
    check_network(
        Sequential::new(40_000).add(large()).add(Dropout::new(0.1)).add(large()),
        "layer 3 (dense_1): 40000 units on 40000 inputs take the network beyond 2147483648 parameters, the most it may \
         have",
    );
    let endless = Sequential::new(usize::MAX).add(Dense::new(usize::MAX)).add(Dense::new(usize::MAX));
    assert!(matches!(
        endless.validate(),
        Err(Error::Description(DescriptionError::TooManyParameters { .. }))
    ));
    assert_eq!(endless.parameter_count(), usize::MAX);
    assert!(endless.summary().to_string().contains("Total params: 18,446,744,073,709,551,615"));
}

fn cross_entropy(from_logits: bool) -> Loss {
    CategoricalCrossentropy { from_logits, label_smoothing: 0.0 }.into()
}

#[track_caller]
fn check_loss(from_logits: bool, network: Sequential, message: &str) {
    network.validate().unwrap();
    let error = cross_entropy(from_logits).validate(&network).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert!(Loss::MeanSquaredError.validate(&network).is_ok());
}

#[test]
fn a_loss_and_an_end_that_do_not_go_together_are_refused() {
    let end = |activation| Sequential::new(4).add(Dense::new(3).activation(activation));
    check_loss(
        false,
        end(Activation::Linear),
        "layer 1 (dense): ends the network with Linear, but CategoricalCrossentropy(from_logits: false, \
         label_smoothing: 0.0) needs Softmax there; add it, or set from_logits: true",
    );
    check_loss(
        false,
        end(Activation::Sigmoid),
        "layer 1 (dense): ends the network with Sigmoid, but CategoricalCrossentropy(from_logits: false, \
         label_smoothing: 0.0) needs Softmax there; for outputs that are each a yes or no take BinaryCrossentropy",
    );
    check_loss(
        true,
        end(Activation::Softmax),
        "layer 1 (dense): ends the network with Softmax, but CategoricalCrossentropy(from_logits: true, \
         label_smoothing: 0.0) needs Linear there; make it Linear, or set from_logits: false",
    );
    check_loss(
        true,
        end(Activation::Linear).add(Dropout::new(0.5)),
        "layer 2 (dropout): ends the network with Dropout, but CategoricalCrossentropy(from_logits: true, \
         label_smoothing: 0.0) needs Linear there",
    );
    for (layer, kind) in
        [(Layer::from(Flatten::default()), "Flatten"), (GaussianNoise::new(0.1).into(), "GaussianNoise")]
    {
        let error =
            cross_entropy(true).validate(&end(Activation::Linear).add(layer)).unwrap_err().to_string();
        assert!(error.contains(&format!(": ends the network with {kind}, but")), "{error}");
    }
    let error = cross_entropy(true).validate(&Sequential::new(4)).unwrap_err().to_string();
    assert!(error.contains("ends the network with nothing, but"), "{error}");
    check_loss(
        true,
        Sequential::new(4).add(Dense::new(1)),
        "layer 1 (dense): ends the network with 1 unit, but CategoricalCrossentropy(from_logits: true, \
         label_smoothing: 0.0) needs at least 2, one for each class; for two classes on one unit take BinaryCrossentropy",
    );
    assert!(Loss::default().validate(&end(Activation::Softmax)).is_ok());
    assert!(Loss::default().validate(&end(Activation::Linear).add(Activation::Softmax)).is_ok());
    assert!(cross_entropy(true).validate(&end(Activation::Linear)).is_ok());
}

#[track_caller]
fn check_optimizer(optimizer: impl Into<Optimizer>, message: &str) {
    assert_eq!(optimizer.into().validate().unwrap_err().to_string(), message);
}

#[test]
fn a_setting_outside_its_range_is_refused_by_name() {
    for learning_rate in [0.0, -1.0, f64::INFINITY, 1e39, 1e-39] {
        let range = "expected a number above 0 that fits single precision";
        check_optimizer(
            Adam::new(learning_rate),
            &format!("Adam: learning_rate is {learning_rate}, {range}"),
        );
        check_optimizer(Sgd::new(learning_rate), &format!("Sgd: learning_rate is {learning_rate}, {range}"));
        let adam = Adam { epsilon: learning_rate, ..Adam::default() };
        check_optimizer(adam, &format!("Adam: epsilon is {learning_rate}, {range}"));
    }
    for share in [-0.1, 1.0, 1.0 - 1e-12, f64::INFINITY] {
        let range = "expected at least 0 and, in single precision, below 1";
        check_optimizer(
            Adam { beta_1: share, ..Adam::default() },
            &format!("Adam: beta_1 is {share}, {range}"),
        );
        check_optimizer(
            Adam { beta_2: share, ..Adam::default() },
            &format!("Adam: beta_2 is {share}, {range}"),
        );
        check_optimizer(
            Sgd { momentum: share, ..Sgd::default() },
            &format!("Sgd: momentum is {share}, {range}"),
        );
    }
    assert!(Optimizer::from(Adam::new(f64::NAN)).validate().is_err());
    assert!(Optimizer::from(Sgd { momentum: f64::NAN, ..Sgd::default() }).validate().is_err());
}
