//! The products that are measured, and their operands.
//!
//! A shape (m, k, n) is that of row-major matrices, a batch of samples in rows, as most libraries document it: C = A·B with A
//! m × k, B k × n. The same memory read column-major, a sample a column, is our product n × k · k × m.

use densely_tensor::AlignedBuffer;

/// Where a product occurs; it decides which operand lies transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Samples times a kernel: (batch, inputs, units).
    Forward,
    /// Input transposed times output gradients: (inputs, batch, units). A lies as it was in the forward pass, k × m.
    WeightGradient,
    /// Output gradients times a kernel transposed: (batch, units, inputs). B lies as it was in the forward pass, n × k.
    InputGradient,
    /// Large and square.
    Square,
    /// A batch of one.
    OneSample,
    /// Sizes around and between those of vectors, tiles and blocks.
    Sweep,
}

impl Group {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Forward => "forward",
            Group::WeightGradient => "weight gradient",
            Group::InputGradient => "input gradient",
            Group::Square => "square",
            Group::OneSample => "one sample",
            Group::Sweep => "sweep",
        }
    }
}

/// A product's place and shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) group: Group,
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
}

/// The products of the tutorial's network (784-512-512-10, batches of 128), large squares, and one sample.
const NETWORK: &[(Group, usize, usize, usize)] = &[
    (Group::Forward, 128, 784, 512),
    (Group::Forward, 128, 512, 512),
    (Group::Forward, 128, 512, 10),
    (Group::WeightGradient, 784, 128, 512),
    (Group::WeightGradient, 512, 128, 512),
    (Group::WeightGradient, 512, 128, 10),
    (Group::InputGradient, 128, 512, 512),
    (Group::InputGradient, 128, 10, 512),
    (Group::Square, 1024, 1024, 1024),
    (Group::Square, 2048, 2048, 2048),
    (Group::OneSample, 1, 784, 512),
    (Group::OneSample, 1, 512, 512),
    (Group::OneSample, 1, 512, 10),
];

const SWEEP: &[(usize, usize, usize)] = &[
    // Nearly square, one around each power of two.
    (1, 1, 1),
    (2, 2, 2),
    (3, 3, 3),
    (7, 7, 7),
    (17, 17, 17),
    (31, 31, 31),
    (33, 33, 33),
    (63, 65, 63),
    (65, 63, 65),
    (100, 100, 100),
    (127, 129, 127),
    (129, 127, 129),
    (255, 257, 255),
    (257, 255, 257),
    (500, 500, 500),
    // Few samples.
    (2, 512, 512),
    (3, 784, 512),
    (7, 512, 512),
    (17, 784, 500),
    (33, 512, 512),
    // Few units.
    (128, 512, 1),
    (128, 512, 2),
    (128, 512, 3),
    (127, 500, 17),
    (1000, 784, 10),
    (129, 257, 33),
    // Short sums.
    (1000, 1, 1000),
    (500, 2, 255),
    (127, 3, 1000),
    (257, 7, 500),
    // Long sums, few outputs.
    (1, 1000, 1),
    (2, 1000, 2),
    (7, 1000, 17),
    (31, 1000, 33),
    // Tall and skinny, and the like.
    (1000, 17, 3),
    (1000, 63, 7),
    (3, 17, 1000),
    (7, 31, 33),
    (33, 65, 127),
    (65, 1000, 100),
    (1000, 127, 65),
];

/// The network's products, squares and single samples.
pub(crate) fn network() -> impl Iterator<Item = Product> {
    NETWORK.iter().map(|&(group, m, k, n)| Product { group, m, k, n })
}

/// Odd sizes.
pub(crate) fn sweep() -> impl Iterator<Item = Product> {
    SWEEP.iter().map(|&(m, k, n)| Product { group: Group::Sweep, m, k, n })
}

/// Bytes of operands that a training step's products rotate over, if that takes no more sets than [`MOST_SETS`].
const ROTATED_BYTES: usize = 8 << 20;
const MOST_SETS: usize = 4;

/// Products with more terms than this are checked by samples of their rows.
const MOST_CHECKED_TERMS: usize = 1 << 27;

/// A and B of one product.
pub(crate) struct Operands {
    pub(crate) a: AlignedBuffer<f32>,
    pub(crate) b: AlignedBuffer<f32>,
}

impl Product {
    /// How libraries write a shape.
    pub(crate) fn shape(&self) -> String {
        format!("{} × {} × {}", self.m, self.k, self.n)
    }

    /// A multiplication and an addition a term.
    pub(crate) fn flops(&self) -> f64 {
        2.0 * self.m as f64 * self.k as f64 * self.n as f64
    }

    /// Bytes of A, B and C: what must be read or written at least.
    pub(crate) fn bytes(&self) -> usize {
        (self.m * self.k + self.k * self.n + self.m * self.n) * size_of::<f32>()
    }

    /// How many sets of operands the calls take in turns.
    ///
    /// Within a training step a layer's operands are used once, and by the next step all the other layers' weights,
    /// moments and activations have passed: they come from the third-level cache. Four sets in turns have the same effect.
    /// Squares are beyond the second level by themselves. One sample and the sweep stay with one set: whoever runs a
    /// network on single samples uses the same weights each time.
    pub(crate) fn n_sets(&self) -> usize {
        match self.group {
            Group::Square | Group::OneSample | Group::Sweep => 1,
            _ => (ROTATED_BYTES / self.bytes()).clamp(1, MOST_SETS),
        }
    }

    /// Row stride and column stride of A, m × k.
    pub(crate) fn a_strides(&self) -> (usize, usize) {
        if self.a_is_transposed() { (1, self.m) } else { (self.k, 1) }
    }

    /// Row stride and column stride of B, k × n.
    pub(crate) fn b_strides(&self) -> (usize, usize) {
        if self.b_is_transposed() { (1, self.k) } else { (self.n, 1) }
    }

    pub(crate) fn a_is_transposed(&self) -> bool {
        self.group == Group::WeightGradient
    }

    pub(crate) fn b_is_transposed(&self) -> bool {
        self.group == Group::InputGradient
    }

    /// Operands of integers from −8 to 8: their products are exact in whatever order they are summed.
    pub(crate) fn operands(&self) -> Vec<Operands> {
        let integers = |len: usize, seed: usize| {
            let mut integers = AlignedBuffer::zeros(len);
            let mut state = seed as u32;
            for element in integers.iter_mut() {
                // Numerical Recipes' linear congruential generator; its upper bits are even enough for this.
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *element = ((state >> 16) % 17) as f32 - 8.0;
            }
            integers
        };
        let set = |set: usize| Operands {
            a: integers(self.m * self.k, 2 * set),
            b: integers(self.k * self.n, 2 * set + 1),
        };
        (0..self.n_sets()).map(set).collect()
    }

    /// Whether `c` is the product of `operands`, which must be small integers.
    pub(crate) fn is_correct(&self, operands: &Operands, c: &[f32]) -> bool {
        let (a_strides, b_strides) = (self.a_strides(), self.b_strides());
        let step = (self.m * self.k * self.n).div_ceil(MOST_CHECKED_TERMS);
        let mut expected = vec![0.0; self.n];
        (0..self.m).step_by(step).all(|row| {
            expected.fill(0.0);
            for inner in 0..self.k {
                let a = operands.a[row * a_strides.0 + inner * a_strides.1];
                let b = operands.b[inner * b_strides.0..].iter().step_by(b_strides.1);
                expected.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
            }
            c[row * self.n..][..self.n] == expected
        })
    }
}
