//! Callbacks that write files.

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn checkpoints_are_saved_when_keras_saves_them() {
    let values = [5.0, 4.0, 4.5, 3.0];
    let checkpoint = |folder: &Path| ModelCheckpoint::new(folder.join("a/b/{epoch:02}-{val_loss:.1f}"));
    type Change = fn(ModelCheckpoint) -> ModelCheckpoint;
    let cases: [(Change, &[f64], &[&str]); 6] = [
        (|checkpoint| checkpoint, &values, &["01-5.0", "02-4.0", "03-4.5", "04-3.0"]),
        (|checkpoint| checkpoint.save_best_only(true), &values, &["01-5.0", "02-4.0", "04-3.0"]),
        (|checkpoint| checkpoint.save_best_only(true).mode(Mode::Max), &values, &["01-5.0"]),
        (|checkpoint| checkpoint.save_best_only(true).initial_value_threshold(4.0), &values, &["04-3.0"]),
        (|checkpoint| checkpoint.save_best_only(true), &[NOT_MEASURED, 5.0, 5.0], &["02-5.0"]),
        (|checkpoint| checkpoint, &[NOT_MEASURED, 5.0], &["01-none", "02-5.0"]),
    ];
    for (change, values, expected) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut checkpoint = change(checkpoint(folder.path()));
        feed(&mut checkpoint, "val_loss", values);
        assert_eq!(names(&folder.path().join("a/b")), expected);
        let last = folder.path().join("a/b").join(expected.last().expect("some were saved"));
        assert_eq!(checkpoint.last_saved(), Some(&*last));
    }
}

#[test]
fn a_checkpoint_is_the_model_of_its_epoch() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut checkpoint = ModelCheckpoint::new(folder.path().join("{epoch}"));
    let mut model = model::<f32>(Adam::default());
    let data = rings(50);
    model.fit(&data, Fit { epochs: 3, callbacks: vec![&mut checkpoint], ..Fit::default() }).unwrap();
    for epochs in 1..=3 {
        let mut shorter = self::model::<f32>(Adam::default());
        shorter.fit(&data, Fit { epochs, ..Fit::default() }).unwrap();
        let saved = Model::<f32>::load(folder.path().join(epochs.to_string()), Pool::default()).unwrap();
        assert_eq!(saved.fingerprint(), shorter.fingerprint());
    }
}

#[test]
fn checkpoints_every_so_many_batches_go_on_over_epochs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut checkpoint =
        ModelCheckpoint::new(folder.path().join("{epoch}-{batch}")).save_freq(SaveFreq::Batches(2));
    // Three batches an epoch.
    let fit = Fit { epochs: 3, batch_size: 20, callbacks: vec![&mut checkpoint], ..Fit::default() };
    model::<f32>(Adam::default()).fit(&rings(50), fit).unwrap();
    assert_eq!(names(folder.path()), ["1-2", "2-1", "2-3", "3-2"]);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut checkpoint = ModelCheckpoint::new(folder.path());
    let fit = Fit { callbacks: vec![&mut checkpoint], ..Fit::default() };
    let error = model::<f32>(Adam::default()).fit(&rings(5), fit).unwrap_err().to_string();
    assert_eq!(error, format!("cannot write {}", folder.path().display()));
}

#[test]
fn the_log_has_a_line_for_each_epoch_as_soon_as_it_ends() {
    /// Counts the file's lines at each epoch's begin.
    struct Lines<'a>(&'a Path, Vec<usize>);
    impl Callback for Lines<'_> {
        fn on_epoch_begin(&mut self, _: &mut Training<'_>, _: usize) -> Result<(), Error> {
            self.1.push(std::fs::read_to_string(self.0).expect("it is there").lines().count());
            Ok(())
        }
    }
    fn fit<'a>(
        data: &'a Dataset,
        callbacks: Vec<&'a mut dyn Callback>,
        initial_epoch: usize,
        epochs: usize,
    ) -> Fit<'a> {
        Fit { initial_epoch, epochs, validation: Some(data), validation_freq: 2, callbacks, ..Fit::default() }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("log.csv");
    let data = rings(20);
    let mut model = model::<f64>(Sgd::new(0.25));
    let (mut logger, mut lines) = (CsvLogger::new(&path).append(true), Lines(&path, Vec::new()));
    let history = model.fit(&data, fit(&data, vec![&mut logger, &mut lines], 0, 3)).unwrap();
    assert_eq!(lines.1, [1, 2, 3]);
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]);
    for (row, epoch) in rows[1..].iter().zip(&history.epochs) {
        assert_eq!(row[0], epoch.epoch.to_string());
        for (name, value) in rows[0][1..].iter().zip(&row[1..]) {
            assert_eq!(value.parse::<f64>().ok(), epoch.value(name), "{name}");
        }
    }
    assert_eq!((rows[1][3], rows[1][5]), ("", "0.25"));

    model.fit(&data, fit(&data, vec![&mut logger], 3, 4)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(text.lines().last().unwrap().starts_with("4,"));
    // Without validation there are other columns.
    let error = model.fit(&data, Fit { callbacks: vec![&mut logger], ..Fit::default() }).unwrap_err();
    assert!(error.to_string().contains("expected `epoch,loss,accuracy,learning_rate`"), "{error}");
    let mut anew = CsvLogger::new(&path).separator('\t');
    model.fit(&data, Fit { callbacks: vec![&mut anew], ..Fit::default() }).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("epoch\tloss\taccuracy\tlearning_rate\n1\t"));
}

#[test]
fn a_log_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut logger = CsvLogger::new(folder.path());
    let fit = Fit { callbacks: vec![&mut logger], ..Fit::default() };
    let error = model::<f32>(Adam::default()).fit(&rings(5), fit).unwrap_err().to_string();
    assert_eq!(error, format!("cannot write {}", folder.path().display()));
}
