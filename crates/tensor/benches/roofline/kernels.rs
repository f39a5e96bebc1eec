//! The kernels that are measured. Another one takes a few lines: make its operands, then
//!
//! ```text
//! measure.kernel(Kernel {
//!     group: "sparse forward",
//!     name: product.shape(),
//!     unit: Unit::Flops,            // of the dense product, so that shares compare with it
//!     work: product.flops(),
//!     traffic,                      // bytes of the operands that a call reads or writes
//!     resident,                     // the same of all sets that calls rotate over
//!     contenders: Timed::ours(|call| …),   // a peer is another `Timed`
//! });
//! ```

use crate::measure::{Kernel, Measure, Timed, Unit};
use crate::peers::{self, Contender, Operands, Peers, Product};
use densely_tensor::{
    ActivationFunction, Adam, AlignedBuffer, LayerInput, MatRef, Runs, Tiled, Update, softmax, update_kernel,
};
use std::cell::RefCell;

/// A hidden layer of the tutorial's network, and its batch.
const BATCH: usize = 128;
const UNITS: usize = 512;
/// Its last layer's units.
const CLASSES: usize = 10;

/// Products with all their contenders; each result is checked first.
pub(crate) fn products(measure: &Measure<'_>, peers: Peers, products: impl Iterator<Item = Product>) {
    for product in products {
        let sets = product.operands();
        // Contenders write to the same places, in turns.
        let results = RefCell::new(vec![AlignedBuffer::zeros(product.m * product.n); sets.len()]);
        let timed = |contender| timed(contender, &product, &sets, &results);
        let contenders =
            peers::contenders(measure.pool, peers, &product, &sets).into_iter().map(timed).collect();
        measure.kernel(Kernel {
            group: product.group.name(),
            name: product.shape(),
            unit: Unit::Flops,
            work: product.flops(),
            traffic: product.bytes(),
            resident: product.bytes() * sets.len(),
            contenders,
        });
    }
}

/// Checks a contender's products of all sets, and makes it something to time.
fn timed<'a>(
    Contender { name, packed, mut multiply }: Contender<'a>,
    product: &Product,
    sets: &[Operands],
    results: &'a RefCell<Vec<AlignedBuffer<f32>>>,
) -> Timed<'a> {
    for (operands, (set, result)) in sets.iter().zip(results.borrow_mut().iter_mut().enumerate()) {
        result.fill(f32::NAN);
        multiply(set, result);
        assert!(product.is_correct(operands, result), "{name}: wrong product {product:?}");
    }
    let n_sets = sets.len();
    let call = move |call: usize| {
        let set = call % n_sets;
        multiply(set, &mut results.borrow_mut()[set]);
    };
    Timed { name, packed, call: Box::new(call) }
}

/// Inputs of the network's two large layers.
const INPUTS: [usize; 2] = [784, 512];

fn adam() -> Update<f32> {
    Adam { step_size: 1e-3, first_rate: 0.1, second_rate: 0.001, epsilon: 1e-7 }.into()
}

fn numbers(len: usize) -> AlignedBuffer<f32> {
    let mut numbers = AlignedBuffer::zeros(len);
    numbers.iter_mut().enumerate().for_each(|(index, x)| *x = (index % 17) as f32 / 16.0 - 0.5);
    numbers
}

/// An optimizer's step for a gradient that is there.
pub(crate) fn updates(measure: &Measure<'_>) {
    let (pool, update) = (measure.pool, adam());
    for weights in INPUTS.map(|inputs| UNITS * inputs) {
        let (mut kernel, mut first, gradient) = (numbers(weights), numbers(weights), numbers(weights));
        let mut second = AlignedBuffer::<f32>::zeros(weights);
        measure.kernel(Kernel {
            group: "Adam alone",
            name: format!("{weights} weights"),
            unit: Unit::Elements,
            work: weights as f64,
            traffic: 7 * size_of_val(&*gradient), // reads four, writes three
            resident: 4 * size_of_val(&*gradient),
            contenders: Timed::ours(|_| {
                let parts = (&mut kernel[..], &mut first[..], &mut second[..], &gradient[..]);
                pool.for_each_part(16, parts, |_, (kernel, first, second, gradient)| {
                    update.apply(pool.isa(), kernel, gradient, [first, second, &mut []]);
                });
            }),
        });
    }
}

/// An optimizer's step as the weight gradient is computed.
pub(crate) fn fused_updates(measure: &Measure<'_>) {
    let (pool, update) = (measure.pool, adam());
    for inputs in INPUTS {
        let tiled = |rows, columns| Tiled::from(MatRef::from_slice(&numbers(rows * columns), rows, columns));
        let (delta, input, mut kernel) = (tiled(UNITS, BATCH), tiled(inputs, BATCH), tiled(UNITS, inputs));
        let parameters = kernel.as_ref().elements().len();
        let mut moments = [(); 2].map(|()| AlignedBuffer::<f32>::zeros(parameters));
        let bytes = |elements: usize| elements * size_of::<f32>();
        let activations = bytes((UNITS + inputs) * BATCH);
        measure.kernel(Kernel {
            group: "weight gradient with Adam",
            name: format!("{inputs} × {BATCH} × {UNITS}"),
            unit: Unit::Flops,
            work: 2.0 * (inputs * BATCH * UNITS) as f64,
            traffic: 6 * bytes(parameters) + activations, // reads and writes weights and moments
            resident: 3 * bytes(parameters) + activations,
            contenders: Timed::ours(|_| {
                let input = LayerInput::Dense(input.as_ref());
                let [first, second] = moments.each_mut().map(|moment| &mut moment[..]);
                update_kernel(
                    pool,
                    &update,
                    delta.as_ref(),
                    input,
                    kernel.as_mut(),
                    [first, second, &mut []],
                );
            }),
        });
    }
}

/// Activations of a hidden layer's batch, in place, and softmax of the last layer's.
pub(crate) fn elementwise(measure: &Measure<'_>) {
    let pool = measure.pool;
    let elements = UNITS * BATCH;
    let mut activations = AlignedBuffer::<f32>::zeros(elements);
    let mut in_place = |name: &str, rows: usize, kernel: &(dyn Fn(&mut [f32]) + Sync)| {
        let batch = &mut activations[..rows * BATCH];
        measure.kernel(Kernel {
            group: "element-wise",
            name: format!("{name}, {rows} × {BATCH}"),
            unit: Unit::Elements,
            work: batch.len() as f64,
            traffic: 2 * size_of_val(batch),
            resident: size_of_val(batch),
            contenders: Timed::ours(|_| {
                pool.for_each_part(1, Runs::new(batch, rows), |_, part| kernel(part))
            }),
        });
    };
    let isa = pool.isa();
    in_place("sigmoid", UNITS, &|part| ActivationFunction::Sigmoid.apply(isa, part));
    in_place("tanh", UNITS, &|part| ActivationFunction::Tanh.apply(isa, part));
    in_place("softmax", CLASSES, &|part| {
        part.chunks_exact_mut(CLASSES).for_each(|sample| softmax(isa, sample))
    });
}
