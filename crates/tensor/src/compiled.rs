//! The kernels that take long to compile, each compiled here once for each scalar type instead of in every crate that calls
//! it: a generic function is compiled where its type is known, and each of these is hundreds of loops, for every
//! instruction set.

use crate::activation::ActivationFunction;
use crate::gemm::{self, Epilogue};
use crate::gradient::{self, LayerInput};
use crate::isa::Isa;
use crate::pool::Pool;
use crate::scalar::Scalar;
use crate::sparse::{self, MaskedGradient, Nonzeros};
use crate::tiled::{TiledMut, TiledRef};
use crate::update::{self, MOST_MOMENTS, Update};

/// Declares a trait with one method for each function, and implements it for both scalar types by calling the functions.
macro_rules! compiled {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),+) = $function:path;)+) => {
        /// Kernels of a scalar type, behind the public functions of the same names.
        pub trait Compiled: Sized {
            $(
                $(#[$attribute])*
                fn $name($($argument: $type),+) where Self: Scalar;
            )+
        }

        impl Compiled for f32 {
            $(
                #[track_caller]
                fn $name($($argument: $type),+) {
                    $function($($argument),+)
                }
            )+
        }

        impl Compiled for f64 {
            $(
                #[track_caller]
                fn $name($($argument: $type),+) {
                    $function($($argument),+)
                }
            )+
        }
    };
}

compiled! {
    /// A part of a product.
    fn gemm_part(part: gemm::Part<'_, Self>, isa: Isa) = gemm::multiply_part;
    /// An activation function of each element.
    fn activate(function: ActivationFunction, isa: Isa, x: &mut [Self]) = ActivationFunction::apply_to;
    /// A gradient by the derivative of an activation function.
    fn differentiate(function: ActivationFunction, isa: Isa, kept: &[Self], gradient: &mut [Self])
        = ActivationFunction::multiply_gradient;
    /// An optimizer's step.
    fn update(
        update: &Update<Self>, isa: Isa, parameters: &mut [Self], gradient: &[Self], moments: [&mut [Self]; MOST_MOMENTS]
    ) = update::step;
    /// See [`weight_gradient`](crate::weight_gradient).
    fn weight_gradient(
        pool: &Pool, delta: TiledRef<'_, Self>, input: LayerInput<'_, Self>, gradient: TiledMut<'_, Self>
    ) = gradient::store_weight_gradient;
    /// See [`update_kernel`](crate::update_kernel).
    fn update_kernel(
        pool: &Pool, update: &Update<Self>, delta: TiledRef<'_, Self>, input: LayerInput<'_, Self>,
        kernel: TiledMut<'_, Self>, moments: [&mut [Self]; MOST_MOMENTS]
    ) = gradient::apply_weight_gradient;
    /// See [`input_gradient`](crate::input_gradient).
    fn input_gradient(
        pool: &Pool, kernel: TiledRef<'_, Self>, delta: TiledRef<'_, Self>, gradient: TiledMut<'_, Self>
    ) = gradient::store_input_gradient;
    /// See [`sparse_gemm`](crate::sparse_gemm).
    fn sparse_gemm(
        pool: &Pool, z: TiledMut<'_, Self>, w: TiledRef<'_, Self>, x: &Nonzeros<Self>, epilogue: Epilogue<'_, Self>
    ) = sparse::multiply;
    /// See [`sparse_input_gradient`](crate::sparse_input_gradient).
    fn sparse_input_gradient(
        pool: &Pool, kernel: TiledRef<'_, Self>, delta: TiledRef<'_, Self>, input: &Nonzeros<Self>,
        target: MaskedGradient<'_, Self>
    ) = sparse::store_input_gradient;
    /// See [`sparse_backward`](crate::sparse_backward).
    fn sparse_backward(
        pool: &Pool, update: &Update<Self>, delta: TiledRef<'_, Self>, input: &Nonzeros<Self>, kernel: TiledMut<'_, Self>,
        moments: [&mut [Self]; MOST_MOMENTS], target: MaskedGradient<'_, Self>
    ) = sparse::pass_backward;
}
