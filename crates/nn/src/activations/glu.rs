//! The gated linear unit: Dauphin, Fan, Auli and Grangier, "Language modeling with gated convolutional networks", ICML
//! 2017, arXiv:1612.08083, equation 1.

use densely_tensor::{ActivationFunction, Isa, Scalar};

/// `y ← a·σ(b)`, of one sample, where z is a and behind it b.
pub(crate) fn glu<T: Scalar>(isa: Isa, z: &[T], y: &mut [T]) {
    let (values, gates) = z.split_at(y.len());
    y.copy_from_slice(gates);
    ActivationFunction::Sigmoid.apply(isa, y);
    for (y, &value) in y.iter_mut().zip(values) {
        *y = *y * value;
    }
}

/// The gradient with respect to [`glu`]'s input z from that with respect to its output: `g·σ(b)` and `g·a·σ′(b)`.
pub(crate) fn glu_gradient<T: Scalar>(isa: Isa, z: &[T], gradient: &[T], input_gradient: &mut [T]) {
    let (values, gates) = z.split_at(gradient.len());
    let (of_values, of_gates) = input_gradient.split_at_mut(gradient.len());
    of_values.copy_from_slice(gates);
    ActivationFunction::Sigmoid.apply(isa, of_values);
    for ((of_gate, &value), &gradient) in of_gates.iter_mut().zip(values).zip(gradient) {
        *of_gate = gradient * value;
    }
    ActivationFunction::Sigmoid.multiply_by_derivative(isa, of_values, of_gates);
    for (of_value, &gradient) in of_values.iter_mut().zip(gradient) {
        *of_value = gradient * *of_value;
    }
}
