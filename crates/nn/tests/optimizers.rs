//! What a user sees of optimizers beyond their formulas, which the crate's own tests compare with tests/reference: the two
//! paths agree, batches accumulate, averages take the parameters' place, rates are set.

use densely::callbacks::{TerminateOnNan, Training, Weights};
use densely::layers::{BatchNormalization, Residual};
use densely::optimizers::*;
use densely::regularizers::L2;
use densely::schedules::{CosineDecay, PiecewiseConstantDecay};
use densely::{
    Activation, Callback, Compile, Constraint, Dataset, Dense, DescriptionError, Error, Fit, History, Lbfgs,
    Loss, Model, Scalar, Sequential,
};

/// 40 samples of three features in two classes.
fn data() -> Dataset {
    let values = (0..120).map(|i| (1.7 * f64::from(i) + 0.3).sin()).collect();
    Dataset::from_floats(3, values, (0..40).map(|i| i * i % 2).collect(), 2).expect("valid data")
}

fn compile<T: Scalar>(optimizer: impl Into<Optimizer>) -> Model<T> {
    let hidden = Dense::new(20).activation(Activation::Tanh).kernel_regularizer(L2 { l2: 0.01 });
    Sequential::new(3)
        .add(hidden.bias_constraint(Constraint::NonNeg).bias_regularizer(L2 { l2: 0.1 }))
        .add(Dense::new(2).activation(Activation::Softmax))
        .compile(Compile { optimizer: optimizer.into(), ..Compile::default() })
        .expect("a valid network")
}

fn fit<T: Scalar>(model: &mut Model<T>, epochs: usize, batch_size: usize) -> History {
    let data = data();
    let validation = Some(&data);
    model
        .fit(&data, Fit { epochs, batch_size, validation, shuffle: false, ..Fit::default() })
        .expect("it fits")
}

/// Every optimizer, with a rate that moves parameters visibly.
macro_rules! each {
    ($($name:ident),+ => $settings:ident: $change:expr) => {
        vec![$({
            let mut $settings = $name::new(0.01);
            $change;
            Optimizer::from($settings)
        }),+]
    };
}

macro_rules! all {
    ($settings:ident: $change:expr) => {
        each!(Sgd, Rmsprop, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Ftrl, Lion, Lamb, Adafactor, Muon,
            ScheduleFreeAdamW, Rprop => $settings: $change)
    };
}

fn check_paths<T: Scalar>(fused: &[Optimizer], whole: &[Optimizer]) {
    for (fused, whole) in fused.iter().zip(whole) {
        let (mut fused_model, mut whole_model) = (compile::<T>(fused.clone()), compile::<T>(whole.clone()));
        let before = fused_model.fingerprint();
        fit(&mut fused_model, 3, 16);
        fit(&mut whole_model, 3, 16);
        assert_ne!(fused_model.fingerprint(), before, "{fused:?} does nothing");
        assert_eq!(fused_model.fingerprint(), whole_model.fingerprint(), "{fused:?}");
    }
}

#[test]
fn a_limit_that_no_gradient_reaches_changes_no_bit() {
    let fused = all!(settings: settings.weight_decay = 0.1);
    let limits = [
        all!(settings: { settings.weight_decay = 0.1; settings.global_clipnorm = Some(1e30) }),
        all!(settings: { settings.weight_decay = 0.1; settings.clipnorm = Some(1e30) }),
        all!(settings: { settings.weight_decay = 0.1; settings.clipvalue = Some(1e30) }),
    ];
    for whole in limits {
        check_paths::<f32>(&fused, &whole);
        check_paths::<f64>(&fused, &whole);
    }
}

#[test]
fn a_limit_that_gradients_reach_does() {
    let free = all!(settings: settings.weight_decay = 0.0);
    for clipped in [
        all!(settings: settings.global_clipnorm = Some(1e-3)),
        all!(settings: settings.clipnorm = Some(1e-3)),
        all!(settings: settings.clipvalue = Some(1e-4)),
    ] {
        let (mut free, mut clipped) = (compile::<f64>(free[0].clone()), compile::<f64>(clipped[0].clone()));
        fit(&mut free, 1, 16);
        fit(&mut clipped, 1, 16);
        assert_ne!(free.fingerprint(), clipped.fingerprint());
    }
}

#[track_caller]
fn assert_close(found: &Model<f64>, expected: impl Iterator<Item = f64>, what: &str) {
    for (place, (found, expected)) in found.parameters().values().iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-12, "{what} at {place}: {found:e}, not {expected:e}");
    }
}

#[test]
fn a_batch_split_and_accumulated_equals_the_whole() {
    let whole = all!(settings: settings.weight_decay = 0.1);
    let split = all!(settings: {
        settings.weight_decay = 0.1;
        settings.gradient_accumulation_steps = Some(4);
    });
    for (whole, split) in whole.into_iter().zip(split) {
        // Where it does not matter whether a sign or a unit of a rounding error is divided by itself.
        let (mut whole_model, mut split_model) = (compile::<f64>(whole.clone()), compile(split));
        fit(&mut whole_model, 5, 40);
        fit(&mut split_model, 5, 10);
        let parameters = whole_model.parameters();
        let expected = parameters.values().iter().copied();
        assert_close(&split_model, expected, &format!("{whole:?}"));
    }
}

#[test]
fn a_moving_average_takes_the_parameters_place_when_fit_ends() {
    let mut watched = compile::<f64>(Sgd::new(0.1));
    let mut average = Vec::new();
    let mut val_losses = Vec::new();
    for _ in 0..6 {
        fit(&mut watched, 1, 40);
        let parameters = watched.parameters();
        let values = parameters.values();
        if average.is_empty() {
            average = values.to_vec();
        }
        average.iter_mut().zip(values).for_each(|(average, value)| *average = 0.8 * *average + 0.2 * value);
        val_losses.push(Some(watched.evaluate(&data()).expect("the data fit").loss));
    }
    let mut averaged = compile::<f64>(Sgd { use_ema: true, ema_momentum: 0.8, ..Sgd::new(0.1) });
    let history = fit(&mut averaged, 6, 40);
    assert_close(&averaged, average.into_iter(), "the average");
    // In between, training and validation see the parameters themselves.
    assert_eq!(history.epochs.iter().map(|epoch| epoch.val_loss).collect::<Vec<_>>(), val_losses);
    assert_ne!(averaged.evaluate(&data()).expect("the data fit").loss, val_losses[5].expect("a loss"));
}

#[test]
fn a_schedule_free_model_shows_its_average_and_loses_nothing_by_that() {
    let optimizer = || ScheduleFreeAdamW { warmup_steps: 3, ..ScheduleFreeAdamW::new(0.05) };
    let mut whole = compile::<f64>(optimizer());
    let history = fit(&mut whole, 4, 10);
    let loss = whole.evaluate(&data()).expect("the data fit").loss;
    assert_eq!(history.epochs[3].val_loss, Some(loss));
    let mut pieces = compile::<f64>(optimizer());
    for epochs in [1, 1, 2] {
        fit(&mut pieces, epochs, 10);
        pieces.evaluate(&data()).expect("the data fit");
    }
    assert_eq!(whole.fingerprint(), pieces.fingerprint());
    // Whoever changes the parameters starts the average anew.
    let mut moved = compile::<f64>(optimizer());
    fit(&mut moved, 1, 10);
    moved.parameters_mut().tensor_mut(0).fill(7.0);
    moved.fit(&data(), Fit { batch_size: 40, ..Fit::default() }).expect("the data fit");
    assert!(moved.parameters().tensor(0).iter().all(|weight| (weight - 7.0).abs() < 0.2));
}

#[test]
fn rates_are_set_where_no_schedule_gives_them() {
    let mut model = compile::<f32>(Adam::default());
    assert_eq!(model.learning_rate(), 0.001);
    model.set_learning_rate(0.5).expect("a rate");
    assert_eq!(model.learning_rate(), 0.5);
    assert!(matches!(
        model.set_learning_rate(-1.0),
        Err(Error::Description(DescriptionError::OptimizerSetting { .. }))
    ));
    assert_eq!(model.learning_rate(), 0.5);

    let halves = PiecewiseConstantDecay::new(vec![2], vec![0.1, 0.05]);
    let mut model = compile::<f32>(Adam::new(halves));
    let error = model.set_learning_rate(0.5).unwrap_err().to_string();
    assert_eq!(
        error,
        "the learning rate of Adam follows a schedule and cannot be set, expected a number in its place"
    );
    // Three batches an epoch.
    assert_eq!(model.learning_rate(), 0.1);
    fit(&mut model, 1, 16);
    assert_eq!(model.learning_rate(), 0.05);
    model.reset_optimizer();
    assert_eq!(model.learning_rate(), 0.1);
}

#[test]
fn a_rate_of_zero_takes_no_step() {
    let zero = CosineDecay { warmup_target: Some(1.0), warmup_steps: 10, ..CosineDecay::new(0.0, 10) };
    for mut optimizer in all!(settings: settings.weight_decay = 0.1) {
        optimizer.set_learning_rate(zero.clone());
        let mut model = compile::<f32>(optimizer.clone());
        let before = model.parameters().values().to_vec();
        fit(&mut model, 1, 40);
        assert_eq!(model.parameters().values(), before, "{optimizer:?}");
        fit(&mut model, 3, 40);
        assert_ne!(model.parameters().values(), before, "{optimizer:?}");
    }
}

#[test]
fn a_rate_of_next_to_nothing_takes_no_step_where_rules_divide_by_it() {
    let tiny = CosineDecay { warmup_target: Some(1.0), warmup_steps: 10, ..CosineDecay::new(1e-40, 10) };
    let shrinking = Ftrl { l1_regularization_strength: 1e-3, ..Ftrl::new(tiny.clone()) };
    for optimizer in [Optimizer::from(shrinking), Rprop::new(tiny).into()] {
        let mut model = compile::<f32>(optimizer.clone());
        let before = model.parameters().values().to_vec();
        fit(&mut model, 1, 40);
        assert_eq!(model.parameters().values(), before, "{optimizer:?}");
        fit(&mut model, 3, 40);
        assert!(model.parameters().values().iter().all(|value| value.is_finite()), "{optimizer:?}");
    }
}

#[test]
fn parameters_that_were_ruined_leave_nothing_in_the_optimizer() {
    let values = (0..20).map(|i| (f64::from(i) + 0.5).sin() * 1e6).collect();
    let large = Dataset::from_floats(1, values, (0..20).map(|i| i * i % 2).collect(), 2).expect("valid data");
    let network = Sequential::new(1).add(Dense::new(4)).add(Dense::new(2).activation(Activation::Softmax));
    let sgd = Sgd { momentum: 0.9, ema_momentum: 0.5, use_ema: true, ..Sgd::new(3e38) };
    let free = ScheduleFreeAdamW::new(3e38);
    for optimizer in [Optimizer::from(sgd), free.into()] {
        let compile = Compile { optimizer: optimizer.clone(), ..Compile::default() };
        let mut model = network.clone().compile::<f32>(compile).expect("a valid network");
        let mut terminate = TerminateOnNan;
        let callbacks: Vec<&mut dyn Callback> = vec![&mut terminate];
        let history = model
            .fit(&large, Fit { epochs: 20, batch_size: 20, callbacks, ..Fit::default() })
            .expect("an end");
        assert!(history.stop.is_some(), "{optimizer:?}");
        assert!(model.parameters().values().iter().all(|value| value.is_finite()), "{optimizer:?}");
        let weights = network.clone().compile::<f32>(Compile::default()).expect("a valid network");
        model.copy_weights_from(&weights, &["dense", "dense_1"]).expect("the same network");
        model.set_learning_rate(1e-9).expect("a rate");
        model
            .fit(&large, Fit { epochs: 2, ..Fit::default() })
            .unwrap_or_else(|error| panic!("{optimizer:?}: {error}"));
        assert!(model.parameters().values().iter().all(|value| value.is_finite()), "{optimizer:?}");
    }
}

/// The gradient of a model's first kernel for all data.
fn kernel_gradient(model: &Model<f64>) -> Vec<f64> {
    model.loss_and_gradient(&data(), 1).expect("the data fit").1.tensor(0).to_vec()
}

#[test]
fn a_frozen_layer_has_no_part_in_clipping_and_accumulation() {
    let network = || Sequential::new(3).add(Dense::new(5)).add(Dense::new(2).activation(Activation::Softmax));
    let clipped = || Sgd { global_clipnorm: Some(1e-3), ..Sgd::new(0.1) };
    let compile = |optimizer: Sgd, network: Sequential| {
        let compile = Compile { optimizer: optimizer.into(), ..Compile::default() };
        network.compile::<f64>(compile).expect("a valid network")
    };
    let mut model = compile(clipped(), network());
    model.train_on_batch(&data()).expect("the data fit");
    let mut frozen_network = network();
    frozen_network.set_trainable("dense", false).expect("a layer");
    let mut frozen = compile(clipped(), frozen_network);
    frozen.copy_weights_from(&model, &["dense", "dense_1"]).expect("the same layers");
    model.set_trainable("dense", false).expect("a layer");
    for one in [&mut model, &mut frozen] {
        one.train_on_batch(&data()).expect("the data fit");
    }
    assert_eq!(model.fingerprint(), frozen.fingerprint());

    let mut model = compile(Sgd { gradient_accumulation_steps: Some(2), ..Sgd::new(0.1) }, network());
    model.train_on_batch(&data()).expect("the data fit");
    model.set_trainable("dense", false).expect("a layer");
    model.set_trainable("dense", true).expect("a layer");
    let (before, gradient) = (model.parameters().tensor(0).to_vec(), kernel_gradient(&model));
    model.train_on_batch(&data()).expect("the data fit");
    for ((found, before), gradient) in model.parameters().tensor(0).iter().zip(before).zip(gradient) {
        assert!((found - (before - 0.1 * gradient / 2.0)).abs() < 1e-12);
    }
}

#[test]
fn another_loss_and_other_frozen_layers_go_on_batch_by_batch() {
    let hidden = || Dense::new(5).activation(Activation::Tanh);
    let mut network =
        Sequential::new(3).add(hidden()).add(hidden()).add(Dense::new(2).activation(Activation::Softmax));
    for name in ["dense", "dense_1"] {
        network.set_trainable(name, false).expect("a layer");
    }
    let mut model = network.compile::<f64>(Compile::default()).expect("a valid network");
    let mut step = |change: &dyn Fn(&mut Model<f64>) -> Result<(), Error>| {
        change(&mut model).expect("a change that goes");
        model.train_on_batch(&data()).expect("the data fit");
    };
    step(&|_| Ok(()));
    step(&|model| model.set_trainable("dense", true));
    step(&|model| model.set_loss(Loss::CosineSimilarity));
    step(&|model| model.set_trainable("dense_1", true));
    step(&|model| model.set_loss(Compile::default().loss));
}

/// Puts weights back before training.
struct PutBack(Option<Weights>);

impl Callback for PutBack {
    fn on_train_begin(&mut self, training: &mut Training<'_>) -> Result<(), Error> {
        if let Some(weights) = &self.0 {
            return training.model_mut().set_weights(weights);
        }
        self.0 = Some(training.model().weights()?);
        Ok(())
    }
}

#[test]
fn a_schedule_free_average_starts_anew_wherever_weights_come_from_outside() {
    let mut source = compile::<f64>(Adam::default());
    source.parameters_mut().values_mut().fill(7.0);
    let mut copied = compile::<f64>(ScheduleFreeAdamW::new(0.01));
    fit(&mut copied, 1, 10);
    copied.copy_weights_from(&source, &["dense"]).expect("the same layer");
    let mut put_back = compile::<f64>(ScheduleFreeAdamW::new(0.01));
    put_back.parameters_mut().tensor_mut(0).fill(7.0);
    let mut callback = PutBack(None);
    for epochs in [1, 0, 1] {
        if epochs == 0 {
            put_back.parameters_mut().tensor_mut(0).fill(-7.0);
            fit(&mut put_back, 1, 10);
            continue;
        }
        let callbacks: Vec<&mut dyn Callback> = vec![&mut callback];
        put_back.fit(&data(), Fit { epochs, batch_size: 40, callbacks, ..Fit::default() }).expect("it fits");
    }
    copied.fit(&data(), Fit { batch_size: 40, ..Fit::default() }).expect("it fits");
    for model in [copied, put_back] {
        let parameters = model.parameters();
        let kernel = parameters.tensor(0);
        assert!(kernel.iter().all(|weight| (weight - 7.0).abs() < 0.2), "{kernel:?}");
    }
}

#[test]
fn resilient_steps_stay_within_their_bounds_from_the_first_on() {
    for (rate, expected) in [(0.1, 0.05), (1e-4, 1e-3)] {
        let optimizer = Rprop { smallest_step: 1e-3, largest_step: 0.05, ..Rprop::new(rate) };
        let network = Sequential::new(3).add(Dense::new(2).activation(Activation::Softmax));
        let compile = Compile { optimizer: optimizer.into(), ..Compile::default() };
        let mut model = network.compile::<f64>(compile).expect("a valid network");
        let before = model.parameters().tensor(0).to_vec();
        fit(&mut model, 1, 40);
        for (found, before) in model.parameters().tensor(0).iter().zip(before) {
            assert!(((found - before).abs() - expected).abs() < 1e-12, "{found} {before}");
        }
    }
}

#[test]
fn a_line_search_refuses_statistics_that_it_would_not_move() {
    let network = |trainable| {
        let normalization = BatchNormalization { trainable, ..BatchNormalization::default() };
        let network = Sequential::new(3).add(Dense::new(4)).add(normalization);
        let network = network.add(Dense::new(2).activation(Activation::Softmax));
        network.compile::<f64>(Compile::default()).expect("a valid network")
    };
    let settings = Lbfgs { max_iterations: 3, ..Lbfgs::default() };
    assert_eq!(
        network(true).fit_lbfgs(&data(), &settings).unwrap_err().to_string(),
        "batch_normalization is a trainable BatchNormalization, whose moving statistics L-BFGS would not move; expected \
         none, a frozen one, or training with an optimizer"
    );
    network(false).fit_lbfgs(&data(), &settings).expect("it fits");
}

#[test]
fn a_forgotten_optimizer_starts_as_it_first_did() {
    for optimizer in all!(settings: settings.gradient_accumulation_steps = Some(2)) {
        let mut fresh = compile::<f32>(optimizer.clone());
        let mut used = compile::<f32>(optimizer.clone());
        let start = used.parameters().values().to_vec();
        fit(&mut used, 3, 16);
        used.parameters_mut().values_mut().copy_from_slice(&start);
        used.reset_optimizer();
        fit(&mut fresh, 2, 16);
        fit(&mut used, 2, 16);
        assert_eq!(fresh.fingerprint(), used.fingerprint(), "{optimizer:?}");
    }
}

#[track_caller]
fn check_refused(optimizer: impl Into<Optimizer>, message: &str) {
    assert_eq!(optimizer.into().validate().unwrap_err().to_string(), message);
}

#[test]
fn settings_that_do_not_go_are_refused_by_name() {
    check_refused(
        Lamb { clipnorm: Some(1.0), global_clipnorm: Some(1.0), ..Lamb::default() },
        "Lamb: clipnorm is set together with global_clipnorm, expected one of them at most",
    );
    check_refused(
        Sgd { clipvalue: Some(1.0), global_clipnorm: Some(1.0), ..Sgd::default() },
        "Sgd: clipvalue is set together with global_clipnorm, expected one of them at most",
    );
    check_refused(
        ScheduleFreeAdamW { use_ema: true, ..ScheduleFreeAdamW::default() },
        "ScheduleFreeAdamW: use_ema is set together with the optimizer's own average, expected one of them at most",
    );
    check_refused(
        Adam { gradient_accumulation_steps: Some(1), ..Adam::default() },
        "Adam: gradient_accumulation_steps is 1, expected at least 2",
    );
    check_refused(
        Adam { ema_overwrite_frequency: Some(0), ..Adam::default() },
        "Adam: ema_overwrite_frequency is 0, expected at least 1",
    );
    check_refused(
        Adam { ema_momentum: 1.5, ..Adam::default() },
        "Adam: ema_momentum is 1.5, expected between 0 and 1",
    );
    for optimizer in all!(settings: settings.clipnorm = Some(0.0)) {
        let message = "clipnorm is 0, expected a number above 0 that fits single precision";
        check_refused(optimizer.clone(), &format!("{}: {message}", optimizer.name()));
    }
    for optimizer in all!(settings: settings.weight_decay = f64::NAN) {
        assert!(matches!(
            optimizer.validate(),
            Err(Error::Description(DescriptionError::OptimizerSetting { setting: "weight_decay", .. }))
        ));
    }
    check_refused(
        Ftrl { learning_rate_power: 0.5, ..Ftrl::default() },
        "Ftrl: learning_rate_power is 0.5, expected at most 0",
    );
    check_refused(Muon { ns_steps: 101, ..Muon::default() }, "Muon: ns_steps is 101, expected at most 100");
}

#[test]
fn names_to_leave_out_are_those_of_layers() {
    let network = Sequential::new(3)
        .add(Dense::new(4).activation(Activation::Tanh))
        .add(Activation::Relu)
        .add(Residual::new().add(Dense::new(4)))
        .add(Dense::new(2).activation(Activation::Softmax));
    let compiled = |names: &[&str]| {
        let exclude_layers = names.iter().map(ToString::to_string).collect();
        let optimizer = Muon { exclude_layers, ..Muon::default() }.into();
        network.compile::<f32>(Compile { optimizer, ..Compile::default() })
    };
    for names in [&[][..], &["dense_1"], &["residual", "dense_1.kernel"], &["bias"]] {
        compiled(names).unwrap_or_else(|error| panic!("{names:?}: {error}"));
    }
    for (names, found, nearest) in [
        (&["dense_1", "dense_2"][..], "dense_2", "; did you mean `dense_1`?"),
        (&["dens_1"], "dens_1", "; did you mean `dense_1`?"),
        (&["residual.dense_1"], "residual.dense_1", "; did you mean `residual.dense`?"),
        (&["dense_1.kernl"], "dense_1.kernl", "; did you mean `dense_1.kernel`?"),
        (&["activation"], "activation", ""),
    ] {
        let expected = format!(
            "Muon: exclude_layers names {found}, which no tensor has in its name, expected one of dense, residual.dense, \
             dense_1{nearest}"
        );
        assert_eq!(compiled(names).unwrap_err().to_string(), expected);
    }
}

#[test]
fn resilient_steps_grow_while_the_sign_stays_and_halve_where_it_turns() {
    // One input that is always 0: only the bias learns. Its gradient is softmax − share of the class, so the optimum is at
    // equal biases and every step's sign is known from the biases' difference.
    let data = Dataset::from_floats(1, vec![0.0; 2], vec![0, 1], 2).expect("valid data");
    let network = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    let compile = Compile { optimizer: Rprop::new(0.1).into(), ..Compile::default() };
    let mut model = network.compile::<f64>(compile).expect("a valid network");
    model.parameters_mut().tensor_mut(1).copy_from_slice(&[0.5, -0.5]);
    let (mut bias, mut size, mut before) = (0.5_f64, 0.1, 0.0);
    for step in 0..12 {
        let mut gradient = if bias > 1e-12 { 1.0 } else { -1.0 };
        if gradient * before > 0.0 {
            size *= 1.2;
        } else if gradient * before < 0.0 {
            size *= 0.5;
            gradient = 0.0;
        }
        before = gradient;
        bias -= size * gradient;
        model.fit(&data, Fit { batch_size: 2, ..Fit::default() }).expect("the data fit");
        let parameters = model.parameters();
        let found = parameters.tensor(1);
        assert!(
            (found[0] - bias).abs() < 1e-12 && (found[1] + bias).abs() < 1e-12,
            "{step}: {found:?}, {bias}"
        );
    }
    assert!(bias.abs() < 0.1);
}

#[test]
fn a_line_search_goes_down_at_every_step_and_further_than_adam() {
    let network = || {
        let hidden = Dense::new(6).activation(Activation::Tanh).kernel_regularizer(L2 { l2: 1e-3 });
        Sequential::new(3).add(hidden).add(Dense::new(2).activation(Activation::Softmax))
    };
    let mut by_adam = network().compile::<f64>(Compile::default()).expect("a valid network");
    by_adam.set_learning_rate(0.01).expect("a rate");
    fit(&mut by_adam, 200, 40);
    let mut model = network().compile::<f64>(Compile::default()).expect("a valid network");
    let report =
        model.fit_lbfgs(&data(), &Lbfgs { max_iterations: 2000, ..Lbfgs::default() }).expect("it fits");
    assert!(report.losses.windows(2).all(|pair| pair[1] < pair[0]), "{report:?}");
    let loss = *report.losses.last().expect("a loss");
    assert!((model.evaluate(&data()).expect("the data fit").loss - loss).abs() < 1e-12);
    assert!(loss < by_adam.evaluate(&data()).expect("the data fit").loss);
    let mut single = network().compile::<f32>(Compile::default()).expect("a valid network");
    let report = single.fit_lbfgs(&data(), &Lbfgs::default()).expect("it fits");
    assert!(report.losses.last() < report.losses.first());
    let error =
        compile::<f32>(Adam::default()).fit_lbfgs(&data(), &Lbfgs::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "dense.bias has a constraint, which L-BFGS cannot keep; expected none, or training with an optimizer"
    );
}
