//! Matrix products and element-wise kernels for dense layers, fast on ordinary CPUs and with the same bits everywhere.
//!
//! Whatever the number of threads and whichever instruction set the machine has (AVX-512, AVX2 with FMA, NEON, or
//! none in particular), the same operands give the same bits: each element of a product is one chain of fused multiply-adds in
//! the order of the inner index, sums run in sixteen fixed lanes, and no operation is approximate. (A NaN stays a NaN; its
//! payload and sign are not part of the promise.)
//!
//! # Example
//!
//! A dense layer, `relu(W·X + b)`, for a batch of two samples; a sample is a column.
//!
//! ```
//! use densely_tensor::{Epilogue, MatMut, Pool, gemm};
//! use nalgebra::{dmatrix, DMatrix};
//!
//! let kernel = dmatrix![1.0, -1.0; 0.5, 2.0; 0.0, 1.0]; // 3 units × 2 inputs
//! let bias = [0.0, 1.0, -10.0];
//! let x = dmatrix![1.0, 2.0; 3.0, 4.0]; // 2 features × 2 samples
//! let mut y = DMatrix::zeros(3, 2);
//! gemm(&Pool::default(), &mut y, 1.0, &kernel, &x, 0.0, Epilogue::BiasRelu(&bias));
//! assert_eq!(y, dmatrix![0.0, 0.0; 7.5, 10.0; 0.0, 0.0]);
//! ```
//!
//! # In reading order
//!
//! * [`Scalar`]: `f32` and `f64`. [`Isa`]: what this CPU can do. [`Pool`]: the threads that share a kernel's outputs.
//! * [`MatRef`], [`MatMut`]: operands, from slices or nalgebra matrices. [`gemm`]: the product.
//! * [`Nonzeros`]: what is not zero in a batch. [`sparse_gemm`]: the product that skips the rest; [`prefers_sparse`]: when.
//! * [`exp`], [`log`], [`tanh`], [`erf`]: elementary functions. [`ActivationFunction`]: activations of one element, with
//!   their derivatives. [`softmax`], [`log_softmax`], [`softmax_cross_entropy`], of one sample or of a batch
//!   ([`ColumnsMut`]); [`arg_max`], [`top_k`], [`sum_of`]. [`dropout`].
//! * [`Update`]: what an optimizer's step does to parameters.
//! * Backwards in tiles ([`Tiled`]): [`input_gradient`], [`weight_gradient`], [`bias_gradient`] ([`row_sums`] for a plain
//!   matrix); [`update_kernel`]: weight gradient and update together; [`sparse_backward`]: all of it where the input is not zero, in one pass.

mod activation;
mod aligned;
mod arch;
mod compiled;
mod dropout;
mod elementwise;
mod gemm;
mod gradient;
mod isa;
mod math;
mod pool;
mod reduce;
mod scalar;
mod softmax;
mod sparse;
mod tiled;
mod update;
mod view;

pub use activation::{ActivationFunction, DerivativeFrom};
pub use aligned::AlignedBuffer;
pub use dropout::{DropoutRate, dropout};
pub use gemm::{Epilogue, Operand, Target, gemm};
pub use gradient::{
    LayerInput, bias_gradient, input_gradient, mask_gradient, row_sums, update_kernel, weight_gradient,
};
pub use isa::{Isa, UnknownIsa};
pub use math::{erf, exp, log, tanh};
pub use pool::{MAX_THREADS, Parts, Pool, PoolError, Runs, TiledColumns};
pub use reduce::{arg_max, sum_of, top_k};
pub use scalar::Scalar;
pub use softmax::{
    ColumnsMut, log_softmax, log_softmax_columns, log_softmax_gradient, softmax, softmax_columns,
    softmax_cross_entropy, softmax_cross_entropy_columns, softmax_gradient,
};
pub use sparse::{
    MaskedGradient, Nonzeros, backward_scratch, prefers_sparse, sparse_backward, sparse_gemm,
    sparse_input_gradient,
};
pub use tiled::{TILE_ROWS, Tiled, TiledMut, TiledRef, tile_rows, tiled_len};
pub use update::{
    Adadelta, Adagrad, Adam, Adamax, Amsgrad, Ftrl, Lion, MOST_MOMENTS, Nadam, Rmsprop, Rule, Sgd, Update,
};
pub use view::{MatMut, MatRef};
