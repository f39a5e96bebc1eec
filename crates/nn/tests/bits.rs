//! One seed, one result: the same bits on every number of threads and every instruction set.

use densely::constraints::MaxNorm;
use densely::regularizers::{L1, L2};
use densely::{Activation, Adam, Compile, Dataset, Dense, Dropout, Fit, Isa, Pool, Scalar, Sequential, Sgd};
use densely::{initializers, regularizers};

/// 300 images of 50 bytes, most of them 0, in four classes.
fn data() -> Dataset {
    let bytes = (0..300 * 50u32).map(|i| if i % 3 == 0 { (i * i / 7) as u8 } else { 0 }).collect();
    let labels = (0..300).map(|sample| sample * 7 % 4).collect();
    Dataset::from_bytes(50, bytes, labels, 4).expect("the data are valid")
}

fn network() -> Sequential {
    Sequential::new(50)
        .add(Dense::new(200).activation(Activation::Relu))
        .add(Dropout::new(0.2))
        .add(Dense::new(130).activation(Activation::Tanh))
        .add(Dropout::new(0.5))
        .add(Dense::new(33).activation(Activation::Sigmoid))
        .add(Dense::new(4).activation(Activation::Softmax))
}

/// Two epochs of batches of 64, the last one smaller.
fn train<T: Scalar>(mut compile: Compile, pool: Pool) -> (String, Vec<u64>) {
    compile.pool = pool;
    let mut model = network().compile::<T>(compile).expect("the network is valid");
    let fit = Fit { epochs: 2, batch_size: 64, ..Fit::default() };
    let history = model.fit(&data(), fit).expect("the data fit");
    let evaluation = model.evaluate(&data()).expect("the data fit");
    let losses = history.epochs.iter().map(|epoch| epoch.loss.to_bits());
    (model.fingerprint(), losses.chain([evaluation.loss.to_bits()]).collect())
}

/// Every instruction set on two numbers of threads, and the best on more.
fn pools() -> impl Iterator<Item = Pool> {
    let pool = |threads, isa| Pool::with_isa(threads, isa).expect("threads are to be had");
    let every = Isa::available().flat_map(move |isa| [1, 2].map(move |threads| pool(threads, isa)));
    every.chain([3, 4, 8].map(move |threads| pool(threads, Isa::detect())))
}

#[track_caller]
fn check<T: Scalar>(compile: Compile, fingerprint: &str) {
    let expected = train::<T>(compile.clone(), Pool::with_isa(1, Isa::PORTABLE).expect("one thread"));
    for pool in pools() {
        let description = format!("{} on {} threads", pool.isa(), pool.threads());
        assert_eq!(train::<T>(compile.clone(), pool), expected, "{description}");
    }
    // A change that moves these changes every trained model: its commit says why.
    assert_eq!(expected.0, fingerprint);
}

#[test]
fn single_precision_with_adam() {
    check::<f32>(
        Compile { seed: 1, optimizer: Adam::new(0.01).into(), ..Compile::default() },
        "fda23cb21828e0df",
    );
}

#[test]
fn double_precision_with_momentum() {
    let optimizer = Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.05) };
    check::<f64>(Compile { seed: 2, optimizer: optimizer.into(), ..Compile::default() }, "09805f145c9602f1");
}

#[test]
fn regularized_and_constrained_with_functions_of_the_input() {
    let network = Sequential::new(50)
        .add(
            Dense::new(70)
                .activation(Activation::Gelu)
                .kernel_initializer(initializers::Orthogonal::default())
                .kernel_regularizer(regularizers::Orthogonal::default())
                .kernel_constraint(MaxNorm { max_value: 0.9 }),
        )
        .add(
            Dense::new(33)
                .activation(Activation::Sparsemax)
                .kernel_initializer(initializers::RandomNormal::default())
                .kernel_regularizer(L2 { l2: 0.001 })
                .activity_regularizer(L1 { l1: 0.001 }),
        )
        .add(Dense::new(4).activation(Activation::Softmax).kernel_regularizer(L1 { l1: 0.001 }));
    let train = |pool| {
        let mut model = network.compile::<f32>(Compile { pool, ..Compile::default() }).expect("a network");
        let fit = Fit { epochs: 2, batch_size: 64, ..Fit::default() };
        let history = model.fit(&data(), fit).expect("the data fit");
        (model.fingerprint(), history.epochs[1].loss.to_bits())
    };
    let expected = train(Pool::with_isa(1, Isa::PORTABLE).expect("one thread"));
    for pool in pools() {
        let description = format!("{} on {} threads", pool.isa(), pool.threads());
        assert_eq!(train(pool), expected, "{description}");
    }
}

#[test]
fn another_seed_is_another_result() {
    let fingerprint = |seed| train::<f32>(Compile { seed, ..Compile::default() }, Pool::default()).0;
    assert_ne!(fingerprint(1), fingerprint(2));
}

#[test]
fn a_second_fit_goes_on_where_the_first_ended() {
    let epochs = |counts: &[usize]| {
        let mut model = network().compile::<f32>(Compile::default()).expect("the network is valid");
        for &epochs in counts {
            let fit = Fit { epochs, batch_size: 100, ..Fit::default() };
            model.fit(&data(), fit).expect("the data fit");
        }
        model.fingerprint()
    };
    assert_eq!(epochs(&[3]), epochs(&[1, 2]));
}
