//! Sums in an order that is the same on every machine.

/// Lanes of every sum.
const LANES: usize = 16;

/// `Σ f(i)` for i below `len`, in double precision: sixteen lanes (index mod 16), folded in halves, as the sums of
/// `densely_tensor`.
pub(crate) fn sum_of(len: usize, f: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = len - len % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += f(start + lane);
        }
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(len - whole) {
        *sum += f(whole + lane);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}
