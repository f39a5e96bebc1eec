//! Exponential and hyperbolic tangent, written so that a loop over them vectorises and every machine gives the same bits.
//!
//! Range reductions and coefficients are those of the Cephes library (S. L. Moshier, *Methods and Programs for
//! Mathematical Functions*, 1989: `expf`, `exp`, `tanhf`, `tanh`), with fused multiply-adds and without branches. Each
//! operation is correctly rounded and their order is fixed, so no instruction set can change a bit.

mod exp;
mod tanh;

pub(crate) use exp::{exp_f32, exp_f64};
pub(crate) use tanh::{tanh_f32, tanh_f64};
