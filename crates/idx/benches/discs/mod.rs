//! Images like MNIST's, made by a formula.

const SIDE: i64 = 28;

/// So many images of 28 × 28 bytes, one after another: a noisy disc on an empty ground, a fifth of the pixels not zero.
pub(crate) fn pixels(n_images: i64) -> impl Iterator<Item = u8> {
    let mut state = 1_u64;
    (0..n_images * SIDE * SIDE).map(move |position| {
        let (image, row, column) = (position / (SIDE * SIDE), position / SIDE % SIDE, position % SIDE);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (down, right) = (row - 10 - image % 8, column - 10 - image / 8 % 8);
        if down * down + right * right < 50 { 255 - (state >> 58) as u8 } else { 0 }
    })
}
