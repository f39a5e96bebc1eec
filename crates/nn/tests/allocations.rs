//! A training step allocates nothing after the first, and a model that only predicts nothing for training. In a file of its own,
//! because the allocator is the whole process's.

use densely::callbacks::{ProgressBar, Verbosity};
use densely::losses::BinaryFocalCrossentropy;
use densely::metrics::Average;
use densely::optimizers::{Adafactor, Lamb, Muon, ScheduleFreeAdamW};
use densely::regularizers::{self, L2};
use densely::schedules::CosineDecay;
use densely::{
    Activation, Adam, Callback, Compile, Constraint, Dataset, Dense, Dropout, Error, Fit, Metric, Model,
    Optimizer, Pool, Progress, Sequential, Sgd, Training,
};
use densely_tensor::{Epilogue, MatMut, MatRef, gemm};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread's allocations count: those of the pool's do, those of the tests' main thread do not.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
    /// Bytes that this thread has allocated and not freed.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The most of them at any time.
    static PEAK: Cell<isize> = const { Cell::new(0) };
    /// What allocations of this thread stay below: others find no memory.
    static CEILING: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: every call is handed on to the system's allocator as it is, or finds no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTS.get() {
            ALLOCATIONS.fetch_add(1, Relaxed);
        }
        if layout.size() >= CEILING.get() {
            return std::ptr::null_mut();
        }
        LIVE.set(LIVE.get() + layout.size() as isize);
        PEAK.set(PEAK.get().max(LIVE.get()));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: the caller keeps `dealloc`'s contract, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Notes how many allocations there were at the end of each batch.
struct AtBatchEnds(Vec<usize>);

impl Callback for AtBatchEnds {
    fn on_train_batch_end(&mut self, _: &mut Training<'_>, _: &Progress) -> Result<(), Error> {
        self.0.push(ALLOCATIONS.load(Relaxed));
        Ok(())
    }
}

/// How often a progress bar was drawn.
static DRAWINGS: AtomicUsize = AtomicUsize::new(0);

/// A terminal that nobody looks at.
struct Terminal;

impl Write for Terminal {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        DRAWINGS.fetch_add(1, Relaxed);
        Ok(text.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Notes at the end of each batch how often the bar was drawn, and how many allocations there were.
struct AtDrawings(Vec<(usize, usize)>);

impl Callback for AtDrawings {
    fn on_train_batch_end(&mut self, _: &mut Training<'_>, _: &Progress) -> Result<(), Error> {
        self.0.push((DRAWINGS.load(Relaxed), ALLOCATIONS.load(Relaxed)));
        Ok(())
    }
}

/// Has both threads start, make the buffers that each keeps from its first product on, and count. Without this, the buffers
/// would be made in whichever step a thread first finds work.
fn start_both_threads(pool: &Pool) {
    let begun = AtomicUsize::new(0);
    pool.for_each_part(1, 0..2, |items, _| {
        assert_eq!(items.len(), 1, "two threads have an item each");
        begun.fetch_add(1, Relaxed);
        while begun.load(Relaxed) < 2 {
            std::thread::yield_now();
        }
        let mut product = [0.0_f32];
        let (one, c) = (MatRef::from_slice(&[1.0], 1, 1), MatMut::from_slice(&mut product, 1, 1));
        gemm(pool, c, 1.0, one, one, 0.0, Epilogue::None);
        COUNTS.set(true);
    });
}

#[test]
fn a_step_allocates_nothing_after_the_first() {
    let bytes = (0..1000 * 60u32).map(|i| (i % 251) as u8).collect();
    let data = Dataset::from_bytes(60, bytes, (0..1000).map(|i| i % 3).collect(), 3).expect("valid data");
    let network = Sequential::new(60)
        .add(Dense::new(100).activation(Activation::Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(30).activation(Activation::Tanh))
        .add(Activation::Sigmoid)
        .add(
            Dense::new(20)
                .activation(Activation::Sparsemax)
                .kernel_regularizer(regularizers::Orthogonal::default())
                .bias_regularizer(L2::default())
                .activity_regularizer(L2::default())
                .kernel_constraint(Constraint::UnitNorm)
                .bias_constraint(Constraint::NonNeg),
        )
        .add(Dense::new(20).activation(Activation::Gelu))
        .add(Dense::new(20).activation(Activation::Glu))
        .add(Dense::new(3).activation(Activation::Softmax));
    let pool = Pool::new(2).expect("two threads");
    start_both_threads(&pool);
    // Kernels updated as their gradient is computed, and each way in which it is kept first.
    let accumulating = Some(2);
    let optimizers: [Optimizer; 7] = [
        Adam::default().into(),
        Adam { use_ema: true, ..Adam::new(CosineDecay::new(0.01, 10)) }.into(),
        Sgd { momentum: 0.9, global_clipnorm: Some(1e-3), ..Sgd::default() }.into(),
        Lamb { gradient_accumulation_steps: accumulating, ..Lamb::default() }.into(),
        Adafactor { clipnorm: Some(1e-3), ..Adafactor::default() }.into(),
        Muon { exclude_layers: vec!["dense_3".into()], ..Muon::default() }.into(),
        ScheduleFreeAdamW { gradient_accumulation_steps: accumulating, ..ScheduleFreeAdamW::default() }
            .into(),
    ];
    for optimizer in optimizers {
        let compile = Compile { pool: pool.clone(), optimizer, ..Compile::default() };
        let model = network.compile::<f32>(compile).expect("a valid network");
        check_steps(model, &data, Fit::default());
    }

    // Every layer that is a pass of its own.
    let passes = "Sequential(inputs: 60, layers: [
        Normalization(), Rescaling(scale: 0.5), GaussianNoise(stddev: 0.1), Dense(units: 40), BatchNormalization(), PRelu(),
        GaussianDropout(rate: 0.1), LayerNormalization(), AlphaDropout(rate: 0.1), RmsNormalization(), Maxout(units: 20, pieces: 2),
        DropConnect(rate: 0.2, dense: (units: 20, activation: Gelu)), UnitNormalization(), ActivityRegularization(l2: 0.1),
        Residual(layers: [Dense(units: 20, activation: Tanh)]), Dense(units: 3, activation: Softmax),
    ])";
    let passes = Sequential::from_ron(passes).expect("a valid network");
    let model =
        || passes.compile::<f32>(Compile { pool: pool.clone(), ..Compile::default() }).expect("valid");
    check_steps(model(), &data, Fit::default());

    // With a bar and its metrics, unless it is drawn.
    let metrics =
        vec![Metric::CategoricalAccuracy {}, Metric::Precision { threshold: 0.5, average: Average::Macro }];
    let compile = Compile { pool: pool.clone(), metrics, ..Compile::default() };
    let (mut bar, mut counts) =
        (ProgressBar::to(Terminal, Verbosity::Bar), AtDrawings(Vec::with_capacity(1000)));
    let fit = Fit { batch_size: 8, callbacks: vec![&mut bar, &mut counts], ..Fit::default() };
    passes.compile::<f32>(compile).expect("valid").fit(&data, fit).expect("the data fit");
    let mut steps_between = 0;
    for pair in counts.0.windows(2) {
        let [(drawings, before), (drawings_after, after)] = [pair[0], pair[1]];
        if drawings_after == drawings {
            assert_eq!(after, before, "allocations at each batch's end: {:?}", counts.0);
            steps_between += 1;
        }
    }
    assert!(
        counts.0[0].0 > 0 && steps_between > 0,
        "the bar is drawn, but not after each batch: {:?}",
        counts.0
    );

    // One batch at a time.
    let batch = data.split_last(900).expect("1000 samples").0;
    let mut model = model();
    model.train_on_batch(&batch).expect("the data fit");
    let before = ALLOCATIONS.load(Relaxed);
    model.train_on_batch(&batch).expect("the data fit");
    assert_eq!(ALLOCATIONS.load(Relaxed), before, "a second batch allocates nothing");

    // Values as targets, weights, and a loss that is worked on in double precision.
    let targets = (0..1000 * 70u32).map(|i| f64::from(i % 2)).collect();
    let bytes = (0..1000 * 60u32).map(|i| (i % 251) as u8).collect();
    let data = Dataset::from_bytes_with_values(60, bytes, 70, targets).expect("valid data");
    let network = Sequential::new(60).add(Dense::new(70).activation(Activation::Sigmoid));
    let loss = BinaryFocalCrossentropy::default().into();
    let model = network.compile::<f32>(Compile { pool: pool.clone(), loss, ..Compile::default() });
    let weights: Vec<f64> = (0..1000).map(f64::from).collect();
    let fit = Fit { sample_weights: Some(&weights), ..Fit::default() };
    check_steps(model.expect("a valid network"), &data, fit);

    // Samples in a file, before a layer that takes all values and one that takes what is not 0.
    #[cfg(feature = "idx")]
    for first in [densely::Layer::from(Dropout::new(0.1)), Dense::new(70).into()] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
        let bytes: Vec<u8> = (0..1000 * 60u32).map(|i| if i % 5 == 0 { 200 } else { 0 }).collect();
        idx_dataset::write_slice(&images, &[1000, 60], &bytes).expect("the folder is writable");
        idx_dataset::write_slice(&labels, &[1000], &[1_u8; 1000]).expect("the folder is writable");
        let data = Dataset::open_idx(&images, &labels, 3).expect("images and labels");
        let network = Sequential::new(60).add(first).add(Dense::new(3).activation(Activation::Softmax));
        let model = network.compile::<f32>(Compile { pool: pool.clone(), ..Compile::default() });
        check_steps(model.expect("a valid network"), &data, Fit::default());
    }
}

/// Trains for an epoch of 16 batches, the last one smaller.
fn check_steps(mut model: Model<f32>, data: &Dataset, fit: Fit<'_>) {
    let mut counts = AtBatchEnds(Vec::with_capacity(1000));
    model.fit(data, Fit { batch_size: 64, callbacks: vec![&mut counts], ..fit }).expect("the data fit");
    assert_eq!(counts.0.len(), 16);
    assert!(counts.0[0] > 0, "the allocator counts");
    assert!(
        counts.0.iter().all(|&count| count == counts.0[0]),
        "allocations at each batch's end: {:?}",
        counts.0
    );
}

/// Bytes of the parameters of `wide_model`, with the padding of their tiles and without biases and gaps.
const WIDE_WEIGHTS: isize = (256 * 1024 + 1000 * 16) * 4;

/// Models of it are worked on by one thread, so that all that they allocate counts.
fn wide_model(optimizer: Optimizer) -> Model<f32> {
    let network = Sequential::new(256)
        .add(Dense::new(1000).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax));
    let pool = Pool::new(1).expect("one thread");
    network.compile(Compile { optimizer, pool, ..Compile::default() }).expect("a valid network")
}

/// Has this thread make the buffers that it keeps from its first products on.
fn start_this_thread(data: &Dataset) {
    wide_model(Adam::default().into()).fit(data, Fit::default()).expect("the data fit");
}

fn few_samples() -> Dataset {
    Dataset::from_bytes(256, vec![1; 256 * 4], vec![0, 1, 2, 3], 10).expect("valid data")
}

#[test]
fn a_model_that_only_predicts_takes_the_memory_of_its_weights() {
    // With the number of buffers as large as the weights that each needs to train.
    let optimizers: [(Optimizer, isize); 4] = [
        (Sgd::default().into(), 0),
        (Adam::default().into(), 2),
        (Adam { use_ema: true, clipnorm: Some(1.0), ..Adam::default() }.into(), 4),
        (ScheduleFreeAdamW { gradient_accumulation_steps: Some(2), ..Default::default() }.into(), 5),
    ];
    let data = few_samples();
    start_this_thread(&data);
    for (optimizer, buffers) in optimizers {
        let name = optimizer.name();
        let bytes = wide_model(optimizer).to_bytes().expect("a model");
        let before = LIVE.get();
        let mut model =
            Model::<f32>::from_bytes(&bytes, Pool::new(1).expect("one thread")).expect("a whole model");
        model.predict_one(&[0.5; 256]).expect("the features fit");
        model.predict(&data).expect("the data fit");
        model.evaluate(&data).expect("the data fit");
        model.loss_and_gradient(&data, 1).expect("the data fit");
        let weights = WIDE_WEIGHTS + WIDE_WEIGHTS / 4;
        let found = LIVE.get() - before;
        assert!(
            (WIDE_WEIGHTS..weights).contains(&found),
            "{name}: {found} bytes, the weights have {WIDE_WEIGHTS}"
        );
        model.fit(&data, Fit::default()).expect("the data fit");
        let (found, expected) = (LIVE.get() - before, WIDE_WEIGHTS * (1 + buffers));
        let range = expected..expected + WIDE_WEIGHTS / 4;
        assert!(range.contains(&found), "{name}: {found} bytes after training, expected {range:?}");
    }
}

#[test]
fn memory_that_training_does_not_get_is_an_error_of_training() {
    let data = few_samples();
    start_this_thread(&data);
    for (optimizer, what) in [
        (Adam::default().into(), "the optimizer's moments"),
        (Muon::default().into(), "the optimizer's moments"),
        (Sgd { clipnorm: Some(1.0), ..Sgd::default() }.into(), "the gradient of all parameters"),
    ] {
        let mut model = wide_model(optimizer);
        let before = model.fingerprint();
        CEILING.set(WIDE_WEIGHTS as usize);
        let fitted = model.fit(&data, Fit::default());
        let stepped = model.train_on_batch(&data);
        let predicted = model.predict(&data);
        CEILING.set(usize::MAX);
        assert!(matches!(fitted, Err(Error::Memory { what: found }) if found == what), "{fitted:?}");
        assert!(matches!(stepped, Err(Error::Memory { what: found }) if found == what), "{stepped:?}");
        predicted.expect("a model that cannot be trained still predicts");
        assert_eq!(model.fingerprint(), before);
        model.fit(&data, Fit::default()).expect("there is memory now");
        assert_ne!(model.fingerprint(), before);
    }
}

/// A file with a hole as long as all its images takes hardly any disk.
#[test]
#[cfg(all(feature = "idx", target_pointer_width = "64"))]
fn data_on_disk_take_the_memory_of_a_batch_and_some_bytes_a_sample() {
    const SAMPLES: usize = 1 << 20;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    let mut header = vec![0, 0, 8, 2];
    header.extend([SAMPLES as u32, 256].map(u32::to_be_bytes).as_flattened());
    std::fs::write(&images, &header).expect("the folder is writable");
    let file = std::fs::File::options().write(true).open(&images).expect("the file is there");
    file.set_len((header.len() + SAMPLES * 256) as u64).expect("the file can have a hole");
    idx_dataset::write_slice(&labels, &[SAMPLES], &vec![3_u8; SAMPLES]).expect("the folder is writable");
    start_this_thread(&few_samples());

    let before = LIVE.get();
    PEAK.set(before);
    let data = Dataset::open_idx(&images, &labels, 10).expect("images and labels");
    let mut model = wide_model(Adam::default().into());
    let fit = Fit { batch_size: 64, steps_per_epoch: Some(3), ..Fit::default() };
    model.fit(&data, fit).expect("the data fit");
    // The order and the label, 4 bytes each, the latter also as it was read; parameters, two moments and a copy.
    let bound = 10 * SAMPLES as isize + 6 * WIDE_WEIGHTS;
    assert!(PEAK.get() - before < bound, "{} bytes, expected less than {bound}", PEAK.get() - before);
}
