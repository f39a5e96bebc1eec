//! Another run is not taken for the one that was backed up: what differs is named.

use super::*;
use densely::callbacks::{CsvLogger, EarlyStopping, LambdaCallback, ReduceLrOnPlateau};
use densely::metrics::{CustomMetric, MetricBatch, MetricState, MetricValue};
use densely::optimizers::{Adam, Sgd};
use densely::{Loss, Pool};

/// Goes on from a backup, and tells why it could not.
#[track_caller]
fn check_refused<T: Scalar>(
    model: &mut Model<T>,
    data: &Dataset,
    fit: Fit<'_>,
    folder: &Path,
    expected: &str,
) {
    let before = (model.fingerprint(), std::fs::read(folder.join(NEWEST)).unwrap());
    let error = model.fit(data, fit).unwrap_err().to_string();
    let end = "; fit as before to go on with it, or empty the folder to begin anew";
    assert_eq!(error, format!("{}: {expected}{end}", folder.join(NEWEST).display()));
    assert_eq!((model.fingerprint(), std::fs::read(folder.join(NEWEST)).unwrap()), before);
}

fn with<T: Scalar>(change: impl FnOnce(&mut Sequential, &mut Compile)) -> Model<T> {
    let model = model::<T>(Adam::default());
    let mut network = model.description().clone();
    let metrics = vec![Metric::Auc { curve: Default::default() }, Metric::CohenKappa {}];
    let mut compile = Compile { metrics, seed: 5, ..Compile::default() };
    change(&mut network, &mut compile);
    network.compile(compile).expect("a valid network")
}

#[test]
fn another_model_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    interrupted(folder, At::BatchEnd(2, 3));
    let check = |mut model: Model<f32>, expected: &str| {
        check_refused(&mut model, &data(40), fit(folder), folder, expected);
    };
    check(
        with(|network, _| {
            network.layers[2] = Dropout::new(0.25).into();
        }),
        "network: the run that was backed up has rate: 0.3, this one rate: 0.25",
    );
    check(
        with(|_, compile| compile.loss = Loss::KlDivergence),
        "loss: the run that was backed up has CategoricalCrossentropy(, this one KlDivergence",
    );
    check(
        with(|_, compile| compile.optimizer = Adam { beta_1: 0.8, ..Adam::default() }.into()),
        "optimizer: the run that was backed up has beta_1: 0.9, this one beta_1: 0.8",
    );
    check(
        with(|_, compile| compile.optimizer = Sgd::default().into()),
        "optimizer: the run that was backed up has Adam(, this one Sgd(",
    );
    check(with(|_, compile| compile.seed = 6), "seed: the run that was backed up has 5, this one 6");
    check(
        with(|_, compile| {
            compile.metrics.pop();
        }),
        "metrics: the run that was backed up has CohenKappa(), this one ]",
    );
    let mut changed = with::<f32>(|_, _| ());
    changed.parameters_mut().tensor_mut(0)[0] += 1.0;
    let error = changed.fit(&data(40), fit(folder)).unwrap_err().to_string();
    assert!(error.contains("fingerprint of the model that fit begins with: the run that"), "{error}");
    let mut double = with::<f64>(|_, _| ());
    let expected = "precision: the run that was backed up has \"f32\", this one \"f64\"";
    check_refused(&mut double, &data(40), fit(folder), folder, expected);
    // Threads change no bit.
    let mut one_thread = with::<f32>(|_, compile| compile.pool = Pool::new(1).unwrap());
    assert!(one_thread.fit(&data(40), fit(folder)).unwrap().restored.is_some());
}

#[test]
fn other_data_and_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    interrupted(folder, At::BatchEnd(2, 3));
    let (data, validation) = (data(40), data(9));
    let weights = vec![1.0; 40];
    let check = |change: &dyn Fn(&mut Fit<'_>), expected: &str| {
        let mut changed = fit(folder);
        change(&mut changed);
        let mut model = with::<f32>(|_, _| ());
        check_refused(
            &mut model,
            &data,
            changed,
            folder,
            &expected.replace("BACKUP", "the run that was backed up has"),
        );
    };
    check(&|fit| fit.batch_size = 9, "batch_size: BACKUP 10, this one 9");
    check(&|fit| fit.shuffle = false, "shuffle: BACKUP true, this one false");
    check(&|fit| fit.steps_per_epoch = Some(3), "steps_per_epoch: BACKUP 4, this one 3");
    check(&|fit| fit.initial_epoch = 1, "initial_epoch: BACKUP 0, this one 1");
    check(&|fit| fit.validation_freq = 2, "validation_freq: BACKUP 1, this one 2");
    check(&|fit| fit.validation_batch_size = Some(2), "validation_batch_size: BACKUP 1024, this one 2");
    // It would be other data with the same sizes, too.
    let samples: Vec<usize> = (0..40).collect();
    let mut features: Vec<f64> = Vec::new();
    let mut batch = vec![0.0_f64; 120];
    data.gather(&samples.iter().map(|&sample| sample as u32).collect::<Vec<_>>(), &mut batch)
        .expect("the data are in memory");
    features.append(&mut batch);
    features[7] += 1e-9;
    let labels = (0..40).map(|sample| data.label(sample)).collect();
    let other = Dataset::from_floats(3, features, labels, 2).unwrap();
    for (data, change, what) in [
        (&other, None, "data"),
        (&data, Some(false), "validation data"),
        (&data, Some(true), "sample weights"),
    ] {
        let mut changed = fit(folder);
        match change {
            Some(false) => changed.validation = Some(&validation),
            Some(true) => changed.sample_weights = Some(&weights),
            None => {}
        }
        let error = with::<f32>(|_, _| ()).fit(data, changed).unwrap_err().to_string();
        let expected = format!("{NEWEST}: fingerprint of the {what}: the run that was backed up has ");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn other_weights_and_parts_of_the_validation_are_named() {
    let (folder, data, validation) = (tempfile::tempdir().unwrap(), data(40), data(9));
    let weights = [vec![1.0; 9], vec![0.5; 9]];
    let validated = |weights, steps| Fit {
        validation: Some(&validation),
        validation_sample_weights: Some(weights),
        validation_batch_size: Some(3),
        validation_steps: steps,
        ..fit(folder.path())
    };
    let mut crash = Crash::new(At::BatchEnd(2, 3));
    let callbacks: Vec<&mut dyn Callback> = vec![&mut crash];
    with::<f32>(|_, _| ()).fit(&data, Fit { callbacks, ..validated(&weights[0], Some(2)) }).unwrap_err();
    for (weights, steps, what) in [
        (&weights[1], Some(2), "fingerprint of the validation weights"),
        (&weights[0], Some(1), "fingerprint of the validation data"),
        (&weights[0], None, "fingerprint of the validation data"),
    ] {
        let error = with::<f32>(|_, _| ()).fit(&data, validated(weights, steps)).unwrap_err().to_string();
        assert!(error.contains(&format!("{what}: the run that was backed up has ")), "{error}");
    }
    assert!(with::<f32>(|_, _| ()).fit(&data, validated(&weights[0], Some(2))).is_ok());
}

/// What a callback does to the model at the beginning, it did before the backup.
#[test]
fn a_rate_that_a_callback_sets_at_the_beginning_is_not_set_again() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let run = |at: Option<At>, backup: bool| {
        let mut begin = LambdaCallback::new().on_train_begin(|training| {
            training.model_mut().set_learning_rate(0.01).expect("a rate");
        });
        let mut reduce = ReduceLrOnPlateau::new("loss").patience(1).min_delta(10.0);
        let mut crash = at.map(Crash::new);
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut begin, &mut reduce];
        callbacks.extend(crash.as_mut().map(|crash| crash as &mut dyn Callback));
        let mut model = with::<f32>(|_, _| ());
        let mut fit = Fit { callbacks, epochs: 6, ..fit(folder.path()) };
        if !backup {
            fit.backup = None;
        }
        let rates = model.fit(&data, fit).map(|history| history.values("learning_rate"));
        (rates, model.fingerprint())
    };
    let (rates, undisturbed) = run(None, false);
    assert!(run(Some(At::BatchEnd(5, 2)), true).0.is_err());
    let (found, fingerprint) = run(None, true);
    assert_eq!((found.unwrap(), fingerprint), (rates.unwrap(), undisturbed));
}

#[test]
fn other_callbacks_are_named() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let mut stopping = EarlyStopping::new("loss").patience(50);
    let mut crash = Crash::new(At::BatchEnd(2, 3));
    let callbacks: Vec<&mut dyn Callback> = vec![&mut stopping, &mut crash];
    with::<f32>(|_, _| ()).fit(&data, Fit { callbacks, ..fit(folder.path()) }).unwrap_err();

    let resume = |callbacks| with::<f32>(|_, _| ()).fit(&data, Fit { callbacks, ..fit(folder.path()) });
    let error = resume(Vec::new()).unwrap_err().to_string();
    let expected = "callbacks that remember something: the run that was backed up has 1, this one 0; ";
    assert!(error.contains(expected), "{error}");
    let mut reduce = ReduceLrOnPlateau::new("loss");
    let error = resume(vec![&mut reduce]).unwrap_err().to_string();
    assert!(error.contains("callback 1: ") && error.contains("EarlyStopping"), "{error}");
    assert!(resume(vec![&mut stopping]).is_ok());
}

#[test]
fn a_log_that_has_lost_lines_is_an_error() {
    let (folder, data) = (tempfile::tempdir().unwrap(), data(40));
    let log = folder.path().join("log.csv");
    let mut crash = Crash::new(At::BatchEnd(3, 3));
    let mut logger = CsvLogger::new(&log);
    let callbacks: Vec<&mut dyn Callback> = vec![&mut logger, &mut crash];
    let backup = folder.path().join("backup");
    with::<f32>(|_, _| ()).fit(&data, Fit { callbacks, ..fit(&backup) }).unwrap_err();
    std::fs::remove_file(&log).unwrap();
    let fit = Fit { callbacks: vec![&mut logger], ..fit(&backup) };
    let error = with::<f32>(|_, _| ()).fit(&data, fit).unwrap_err().to_string();
    assert!(error.contains(&format!("callback 1: {}: the log has ", log.display())), "{error}");
}

/// Counts samples, but does not say what it has counted.
#[derive(Clone, Debug)]
struct Count(usize);

impl MetricState for Count {
    fn name(&self) -> &str {
        "count"
    }
    fn larger_is_better(&self) -> Option<bool> {
        None
    }
    fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        self.0 += batch.samples();
        Ok(())
    }
    fn result(&self) -> MetricValue {
        MetricValue::Number(self.0 as f64)
    }
    fn reset(&mut self) {
        self.0 = 0;
    }
}

#[test]
fn a_metric_without_numbers_is_backed_up_between_epochs_only() {
    let folder = tempfile::tempdir().unwrap();
    let counting = || with::<f32>(|_, compile| compile.custom_metrics = vec![CustomMetric::new(Count(0))]);
    let error = counting().fit(&data(40), fit(folder.path())).unwrap_err().to_string();
    assert!(error.starts_with("the metric count cannot be backed up within an epoch; "), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
    let fit = || {
        let backup = BackupAndRestore::new(folder.path()).delete_checkpoint(false);
        Fit { backup: Some(backup), ..fit(folder.path()) }
    };
    let mut crash = Crash::new(At::BatchEnd(3, 2));
    counting().fit(&data(40), Fit { callbacks: vec![&mut crash], ..fit() }).unwrap_err();
    let history = counting().fit(&data(40), fit()).unwrap();
    assert_eq!((history.values("count"), history.restored.unwrap().epoch), (vec![40.0; 3], 2));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let backup = BackupAndRestore::new(folder.path()).save_freq(SaveFreq::Batches(0));
    let fit = Fit { backup: Some(backup), ..Fit::default() };
    let error = with::<f32>(|_, _| ()).fit(&data(40), fit).unwrap_err().to_string();
    assert_eq!(error, "save_freq is 0, expected at least 1");
}
