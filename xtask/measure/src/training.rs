//! Training: how fast, and how soon it is good enough.

use anyhow::Result;
use densely::{Callback, Epoch, Error, Fit, Training};
use serde_json::{Value, json};

use crate::task::Task;

/// Images a second in every epoch but the first.
pub(crate) fn speed(task: &Task) -> Result<Value> {
    // The test images are not looked at, but the peers have them in memory too.
    let (train, _test) = (task.train()?, task.test()?);
    let mut model = task.model(train.len())?;
    let fit = Fit {
        epochs: task.epochs,
        batch_size: task.batch_size,
        steps_per_epoch: task.steps,
        ..Fit::default()
    };
    let history = model.fit(&train, fit)?;
    let rates: Vec<f64> = history.epochs.iter().skip(1).map(|epoch| epoch.images_per_second).collect();
    Ok(json!({ "images_per_second": rates }))
}

/// The test accuracy after each epoch, up to the first that reaches the target.
pub(crate) fn until_target(task: &Task) -> Result<Value> {
    struct Target(f64);
    impl Callback for Target {
        fn on_epoch_end(&mut self, training: &mut Training<'_>, epoch: &Epoch) -> Result<(), Error> {
            if epoch.val_accuracy >= Some(self.0) {
                training.stop("the target is reached");
            }
            Ok(())
        }
    }
    let (train, test) = (task.train()?, task.test()?);
    let mut model = task.model(train.len())?;
    let mut target = Target(task.target);
    let fit = Fit {
        epochs: task.epochs,
        batch_size: task.batch_size,
        validation: Some(&test),
        callbacks: vec![&mut target],
        ..Fit::default()
    };
    let history = model.fit(&train, fit)?;
    let accuracies: Vec<_> = history.epochs.iter().map(|epoch| epoch.val_accuracy).collect();
    Ok(json!({ "test_accuracy": accuracies }))
}
