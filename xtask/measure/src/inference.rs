//! Predictions: many images at once, and one after the other.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use densely::{Fit, Model};
use serde_json::{Value, json};

use crate::task::Task;

/// A network that has seen some batches, so that its activations are like those of a real one.
fn trained(task: &Task) -> Result<Model<f32>> {
    let train = task.train()?;
    let mut model = task.model(train.len())?;
    let fit = Fit { batch_size: task.batch_size, steps_per_epoch: task.steps, ..Fit::default() };
    model.fit(&train, fit)?;
    Ok(model)
}

/// How long all test images are predicted again and again, and how often at least.
const TIME: Duration = Duration::from_secs(1);
const LEAST: usize = 5;

/// Images a second of each prediction of all test images, from their bytes to probabilities.
pub(crate) fn many(task: &Task) -> Result<Value> {
    let (model, test) = (trained(task)?, task.test()?);
    black_box(model.predict(&test)?);
    let begin = Instant::now();
    let mut rates = Vec::new();
    while begin.elapsed() < TIME || rates.len() < LEAST {
        let start = Instant::now();
        black_box(model.predict(&test)?);
        rates.push(test.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok(json!({ "images_per_second": rates }))
}

/// Calls that do not count, and those that do.
const WARM_UP: usize = 200;
const CALLS: usize = 5000;

/// Microseconds of each prediction of one image, from its 784 numbers to probabilities.
pub(crate) fn one_by_one(task: &Task) -> Result<Value> {
    let (model, test) = (trained(task)?, task.test()?);
    let mut images = vec![0.0_f32; test.len() * test.features()];
    test.gather(&(0..test.len() as u32).collect::<Vec<_>>(), &mut images)?;
    let predictor = model.predictor()?;
    let mut room = predictor.room()?;
    let mut microseconds = Vec::with_capacity(CALLS);
    for (call, image) in images.chunks_exact(test.features()).cycle().take(WARM_UP + CALLS).enumerate() {
        let start = Instant::now();
        black_box(predictor.predict(black_box(image), &mut room)?);
        if call >= WARM_UP {
            microseconds.push(1e6 * start.elapsed().as_secs_f64());
        }
    }
    Ok(json!({ "microseconds": microseconds }))
}
