//! Metrics as a part of compiling, fitting and evaluating.

use densely::callbacks::{CsvLogger, EarlyStopping, LambdaCallback, ProgressBar, Verbosity};
use densely::losses::{BinaryCrossentropy, SparseCategoricalCrossentropy};
use densely::metrics::{
    Average, BatchTargets, CustomMetric, MetricBatch, MetricState, MetricValue, TargetKind,
};
use densely::*;

/// Points on rings, as many as there are classes.
fn rings(samples: usize, classes: usize) -> Dataset {
    let mut values = Vec::new();
    for i in 0..samples {
        let (angle, radius) = (2.4 * i as f64, 0.4 + (i % classes) as f64);
        values.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    let labels = (0..samples).map(|i| (i % classes) as u32).collect();
    Dataset::from_floats(2, values, labels, classes).expect("the data are valid")
}

/// Two values for each sample, far from what a network says at first.
fn values(samples: usize) -> Dataset {
    let features = (0..2 * samples).map(|i| (i as f64).sin()).collect();
    Dataset::from_values(2, features, 2, target_values(samples)).expect("the data are valid")
}

fn target_values(samples: usize) -> Vec<f64> {
    (0..2 * samples).map(|i| 1.0 + (i as f64).cos()).collect()
}

fn binary() -> Loss {
    BinaryCrossentropy::default().into()
}

fn network(outputs: usize, activation: Activation) -> Sequential {
    Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dropout::new(0.25))
        .add(Dense::new(outputs).activation(activation))
}

fn precision() -> Metric {
    Metric::Precision { threshold: 0.5, average: Average::Macro }
}

fn auc() -> Metric {
    Metric::Auc { curve: Default::default() }
}

fn labels_of(data: &Dataset) -> Vec<u32> {
    (0..data.len()).map(|sample| data.label(sample)).collect()
}

/// What the metric says of all predictions at once.
fn by_hand<T: Scalar>(model: &Model<T>, metric: Metric, data: &Dataset) -> MetricValue {
    let predictions = model.predict(data).expect("the data fit");
    let outputs: Vec<f64> = predictions.iter().map(|output| output.to_f64()).collect();
    let width = predictions.nrows();
    let (labels, values);
    let (targets, kind) = if data.outputs().is_none() {
        labels = labels_of(data);
        (BatchTargets::Classes(&labels), TargetKind::Classes)
    } else {
        values = target_values(data.len());
        (BatchTargets::Values(&values), TargetKind::Values)
    };
    let mut state = metric.state(width, kind).expect("the metric goes with the data");
    state.update(&MetricBatch::new(targets, &outputs, width, None).expect("a batch")).expect("it is taken");
    state.result()
}

/// Numbers by their bits.
fn bits(value: &MetricValue) -> Vec<u64> {
    match value {
        MetricValue::Number(number) => vec![number.to_bits()],
        MetricValue::Table(rows) => rows.iter().flatten().map(|number| number.to_bits()).collect(),
    }
}

fn check_by_hand<T: Scalar>(network: &Sequential, loss: Loss, metrics: &[Metric], data: &Dataset) {
    let compile = Compile { loss, metrics: metrics.to_vec(), ..Compile::default() };
    let mut model = network.compile::<T>(compile).expect("a valid network");
    model.fit(data, Fit { epochs: 2, ..Fit::default() }).expect("the data fit");
    for batch_size in [1, 7, 64, 1000] {
        let options = Evaluate { batch_size, ..Evaluate::default() };
        let evaluation = model.evaluate_with(data, options).expect("the data fit");
        assert_eq!(evaluation.metrics.len(), metrics.len());
        for (metric, (name, value)) in metrics.iter().zip(&evaluation.metrics) {
            assert_eq!(name, metric.name());
            let expected = by_hand(&model, *metric, data);
            assert_eq!(bits(value), bits(&expected), "{metric} in batches of {batch_size}");
        }
    }
}

#[test]
fn an_evaluation_measures_what_predict_gives_in_batches_of_any_size() {
    let of_classes = [
        precision(),
        Metric::TopKCategoricalAccuracy { k: 2 },
        Metric::ConfusionMatrix {},
        Metric::CohenKappa {},
    ];
    let classes = network(3, Activation::Softmax);
    check_by_hand::<f32>(&classes, Loss::default(), &of_classes, &rings(100, 3));
    check_by_hand::<f64>(&classes, Loss::default(), &of_classes, &rings(100, 3));
    // The sigmoid is computed with the loss; what is measured are probabilities all the same.
    let two = [auc(), Metric::Recall { threshold: 0.5, average: Average::Binary }, Metric::MeanIoU {}];
    check_by_hand::<f32>(&network(1, Activation::Sigmoid), binary(), &two, &rings(100, 2));
    let of_values = [Metric::R2Score {}, Metric::LogCosh {}, Metric::RootMeanSquaredError {}];
    let linear = network(2, Activation::Linear);
    check_by_hand::<f32>(&linear, Loss::MeanSquaredError, &of_values, &values(100));
}

#[test]
fn metrics_change_no_bit_of_training() {
    let fingerprint = |metrics: Vec<Metric>| {
        let compile = Compile { metrics, ..Compile::default() };
        let mut model = network(3, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
        let history = model.fit(&rings(100, 3), Fit { epochs: 3, ..Fit::default() }).expect("the data fit");
        (model.fingerprint(), history.values("loss"), history.values("accuracy"))
    };
    assert_eq!(fingerprint(Vec::new()), fingerprint(vec![precision(), Metric::MatthewsCorrelation {}]));
}

#[test]
fn an_epoch_measures_the_outputs_before_each_update_and_validation_as_evaluate_does() {
    let (data, validation) = (rings(90, 3), rings(50, 3));
    let metrics = vec![Metric::CategoricalAccuracy {}, Metric::ConfusionMatrix {}, precision()];
    let compile = Compile { metrics, ..Compile::default() };
    let mut model = network(3, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
    let weights: Vec<f64> = (0..90).map(f64::from).collect();
    for sample_weights in [None, Some(&weights[..])] {
        let fit = Fit { epochs: 3, validation: Some(&validation), sample_weights, ..Fit::default() };
        let history = model.fit(&data, fit).expect("the data fit");
        // The one metric that is also measured as Keras's accuracy, which is of the same outputs and without weights.
        assert_eq!(history.values("categorical_accuracy"), history.values("accuracy"));
        assert_eq!(history.values("val_categorical_accuracy"), history.values("val_accuracy"));
        assert_eq!(history.values("val_categorical_accuracy").len(), 3);
        let last = history.epochs.last().expect("three epochs");
        let evaluation = model.evaluate(&validation).expect("the data fit");
        assert_eq!(last.value("val_precision"), evaluation.value("precision"));
        // A table is no figure of an epoch.
        let names: Vec<&str> = last.metrics.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["categorical_accuracy", "precision", "val_categorical_accuracy", "val_precision"]);
        assert!(matches!(evaluation.metric("confusion_matrix"), Some(MetricValue::Table(_))));
    }

    // With one batch an epoch and without dropout, an epoch's outputs are those of the model before it.
    let metrics = vec![Metric::R2Score {}, Metric::LogCosh {}];
    let compile = Compile { loss: Loss::MeanSquaredError, metrics, ..Compile::default() };
    let linear = Sequential::new(2).add(Dense::new(2));
    let mut model = linear.compile::<f64>(compile).expect("a valid network");
    let before = model.evaluate(&values(40)).expect("the data fit");
    let fit = Fit { batch_size: 40, shuffle: false, ..Fit::default() };
    let epoch = &model.fit(&values(40), fit).expect("the data fit").epochs[0];
    for name in ["r2_score", "logcosh"] {
        assert_eq!(epoch.value(name), before.value(name), "{name}");
        assert!(epoch.value(name).is_some());
    }
}

#[test]
fn samples_of_an_ignored_class_do_not_count() {
    let loss = SparseCategoricalCrossentropy { ignore_class: Some(1), ..Default::default() };
    let metrics = vec![Metric::ConfusionMatrix {}, Metric::CategoricalAccuracy {}];
    let compile = Compile { loss: loss.into(), metrics, ..Compile::default() };
    let mut model = network(3, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
    let data = rings(90, 3);
    let history = model.fit(&data, Fit::default()).expect("the data fit");
    assert_eq!(history.values("categorical_accuracy"), history.values("accuracy"));
    let evaluation = model.evaluate(&data).expect("the data fit");
    assert_eq!(evaluation.value("categorical_accuracy"), evaluation.accuracy);
    let Some(MetricValue::Table(rows)) = evaluation.metric("confusion_matrix") else { panic!("a table") };
    assert_eq!(rows.iter().map(|row| row.iter().sum()).collect::<Vec<f64>>(), [30.0, 0.0, 30.0]);
}

#[test]
fn callbacks_watch_metrics_and_know_which_way_is_better() {
    let metrics = [auc(), auc(), Metric::LogCosh {}];
    // `logcosh_1` ends as no name that tells the way.
    for (metrics, monitor, best) in [
        (metrics[..2].to_vec(), "val_auc", f64::max as fn(f64, f64) -> f64),
        (metrics[..2].to_vec(), "auc_1", f64::max),
        (vec![metrics[2]; 2], "val_logcosh_1", f64::min),
    ] {
        let of_values = metrics.contains(&Metric::LogCosh {});
        let (data, loss, end) = if of_values {
            (values(60), Loss::MeanSquaredError, network(2, Activation::Linear))
        } else {
            (rings(60, 2), binary(), network(1, Activation::Sigmoid))
        };
        let compile = Compile { loss, metrics, ..Compile::default() };
        let mut model = end.compile::<f32>(compile).expect("a valid network");
        let mut stopping = EarlyStopping::new(monitor).patience(3);
        let fit =
            Fit { epochs: 30, validation: Some(&data), callbacks: vec![&mut stopping], ..Fit::default() };
        let history = model.fit(&data, fit).expect("the data fit");
        let expected = history.values(monitor).into_iter().reduce(best);
        assert_eq!(stopping.best().map(|(_, value)| value), expected, "{monitor}");
    }
    let compile = Compile { metrics: vec![precision()], ..Compile::default() };
    let mut model = network(3, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
    let mut stopping = EarlyStopping::new("val_precison");
    let fit = Fit { callbacks: vec![&mut stopping], ..Fit::default() };
    let message = model.fit(&rings(9, 3), fit).expect_err("a misspelt name").to_string();
    assert!(message.contains("precision"), "{message}");
}

#[test]
fn what_is_not_defined_is_empty_in_tables() {
    let data = Dataset::from_floats(2, vec![0.5; 8], vec![1; 4], 2).expect("valid data");
    let compile = Compile { loss: binary(), metrics: vec![auc()], ..Compile::default() };
    let mut model = network(1, Activation::Sigmoid).compile::<f32>(compile).expect("a valid network");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.csv");
    let mut logger = CsvLogger::new(&path);
    let history = model.fit(&data, Fit { callbacks: vec![&mut logger], ..Fit::default() }).expect("they fit");
    assert!(history.epochs[0].value("auc").is_some_and(f64::is_nan));
    let csv = history.to_csv();
    assert!(csv.lines().next().is_some_and(|header| header.ends_with(",learning_rate,auc")), "{csv}");
    assert!(csv.lines().nth(1).is_some_and(|line| line.ends_with(",0.001,")), "{csv}");
    let log = std::fs::read_to_string(path).expect("it was written");
    assert!(
        log.starts_with("epoch,loss,accuracy,auc,learning_rate\n") && log.ends_with(",,0.001\n"),
        "{log}"
    );
}

#[test]
fn metrics_are_checked_before_anything_is_computed() {
    let compile = |metrics: Vec<Metric>, outputs, loss| {
        network(outputs, Activation::Softmax).compile::<f32>(Compile { metrics, loss, ..Compile::default() })
    };
    for (metric, outputs, expected) in [
        (Metric::TopKCategoricalAccuracy { k: 0 }, 3, "TopKCategoricalAccuracy: k is 0"),
        (auc(), 3, "Auc: the network has 3 outputs, expected 1 or 2"),
        (Metric::BinaryAccuracy { threshold: f64::NAN }, 2, "BinaryAccuracy: threshold is NaN"),
    ] {
        let message = compile(vec![metric], outputs, Loss::default()).expect_err("not valid").to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let mut model = compile(vec![Metric::R2Score {}], 3, Loss::MeanSquaredError).expect("a valid network");
    let before = model.fingerprint();
    for message in [
        model.fit(&rings(9, 3), Fit::default()).expect_err("classes").to_string(),
        model.evaluate(&rings(9, 3)).expect_err("classes").to_string(),
    ] {
        assert_eq!(message, "R2Score needs values as targets, the data have class labels");
    }
    assert_eq!(model.fingerprint(), before);
}

/// How many samples there were.
#[derive(Clone, Debug)]
struct Count(&'static str, f64);

impl MetricState for Count {
    fn name(&self) -> &str {
        self.0
    }
    fn larger_is_better(&self) -> Option<bool> {
        None
    }
    fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        self.1 += batch.samples() as f64;
        Ok(())
    }
    fn result(&self) -> MetricValue {
        MetricValue::Number(self.1)
    }
    fn reset(&mut self) {
        self.1 = 0.0;
    }
}

#[test]
fn a_metric_of_ones_own_starts_anew_in_every_epoch() {
    let compile = |name| Compile {
        metrics: vec![precision()],
        custom_metrics: vec![CustomMetric::new(Count(name, 77.0))],
        ..Compile::default()
    };
    let network = network(3, Activation::Softmax);
    let mut model = network.compile::<f32>(compile("count")).expect("a valid network");
    let validation = rings(20, 3);
    let fit = Fit { epochs: 2, batch_size: 8, validation: Some(&validation), ..Fit::default() };
    let history = model.fit(&rings(50, 3), fit).expect("the data fit");
    assert_eq!(history.values("count"), [50.0, 50.0]);
    assert_eq!(history.values("val_count"), [20.0, 20.0]);
    let mut stopping = EarlyStopping::new("count");
    let fit = Fit { callbacks: vec![&mut stopping], ..Fit::default() };
    let message = model.fit(&rings(50, 3), fit).expect_err("no order").to_string();
    assert!(message.contains("count"), "{message}");
    let message = network.compile::<f32>(compile("val_count")).expect_err("a name").to_string();
    assert!(message.starts_with("a custom metric is called `val_count`, expected"), "{message}");
}

/// After each batch what an epoch of the batches so far comes to, but for what takes more than sums.
#[test]
fn metrics_so_far_are_told_after_each_batch() {
    let metrics = vec![precision(), auc(), Metric::CohenKappa {}, Metric::CategoricalAccuracy {}];
    let compile = || Compile {
        metrics: metrics.clone(),
        custom_metrics: vec![CustomMetric::new(Count("count", 0.0))],
        ..Compile::default()
    };
    let network = network(2, Activation::Softmax);
    let mut told = Vec::new();
    let names = ["precision", "categorical_accuracy", "count", "auc", "cohen_kappa", "loss", "val_precision"];
    let mut notes = LambdaCallback::new().on_train_batch_end(|training, _| {
        told.push(names.map(|name| training.metric(name)));
    });
    let data = rings(40, 2);
    let fit = Fit { batch_size: 16, validation: Some(&data), callbacks: vec![&mut notes], ..Fit::default() };
    network.compile::<f32>(compile()).expect("a valid network").fit(&data, fit).expect("the data fit");
    drop(notes);
    assert_eq!(told.len(), 3, "batches of 16 of 40 samples");
    for (steps, told) in (1..).zip(told) {
        let mut model = network.compile::<f32>(compile()).expect("a valid network");
        let fit = Fit { batch_size: 16, steps_per_epoch: Some(steps), ..Fit::default() };
        let history = model.fit(&data, fit).expect("the data fit");
        let expected = |name| history.epochs[0].value(name);
        let [precision, accuracy, count] = ["precision", "categorical_accuracy", "count"].map(expected);
        assert!(precision.is_some() && accuracy.is_some());
        assert_eq!(count, Some([16.0, 32.0, 40.0][steps - 1]));
        assert_eq!(told, [precision, accuracy, count, None, None, None, None], "{steps} steps");
    }
}

#[test]
fn the_bar_of_an_epoch_has_its_metrics_so_far() {
    let metrics = vec![precision(), auc()];
    let compile = Compile { metrics, ..Compile::default() };
    let mut model = network(2, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
    let mut text = Vec::new();
    let mut bar = ProgressBar::to(&mut text, Verbosity::Bar);
    let fit = Fit { batch_size: 16, callbacks: vec![&mut bar], ..Fit::default() };
    let epoch = model.fit(&rings(40, 2), fit).expect("the data fit").epochs.remove(0);
    let text = String::from_utf8(text).expect("it is text");
    let lines: Vec<&str> = text.split('\r').collect();
    // The first batch is always drawn, the others where there was time.
    assert!(lines[0].starts_with("1/3 ") && lines.len() > 1, "{text}");
    let names = |line: &str| -> Vec<String> {
        line.split(" - ").skip(1).filter_map(|value| Some(value.split_once(':')?.0.to_owned())).collect()
    };
    assert_eq!(names(lines[0]), ["loss", "accuracy", "precision"], "{text}");
    let last = lines.last().expect("the epoch's end");
    assert_eq!(names(last), ["loss", "accuracy", "precision", "auc"], "{text}");
    let value = |name| epoch.value(name).expect("it was measured");
    assert!(
        last.contains(&format!("precision: {:.4} - auc: {:.4}", value("precision"), value("auc"))),
        "{text}"
    );
}

#[test]
fn a_saved_model_keeps_its_metrics() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let data = rings(60, 3);
    let compile = Compile { metrics: vec![precision(), precision()], ..Compile::default() };
    let model = network(3, Activation::Softmax).compile::<f32>(compile).expect("a valid network");
    model.save(&path).expect("a file");
    let loaded = Model::<f32>::load(&path, Pool::default()).expect("a model");
    let metrics = model.evaluate(&data).expect("the data fit").metrics;
    assert_eq!(loaded.evaluate(&data).expect("the data fit").metrics, metrics);
    assert_eq!((metrics[0].0.as_str(), metrics[1].0.as_str()), ("precision", "precision_1"));

    // Without metrics nothing is written of them, and files from before there were any are read.
    let mut without = loaded;
    without.set_metrics(Vec::new(), Vec::new()).expect("nothing is valid");
    without.save(&path).expect("a file");
    let bytes = std::fs::read(&path).expect("a file");
    assert!(!bytes.windows(7).any(|window| window == b"metrics"));
    let loaded = Model::<f32>::load(&path, Pool::default()).expect("a model");
    assert!(loaded.evaluate(&data).expect("the data fit").metrics.is_empty());
}
