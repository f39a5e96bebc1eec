//! The parser needs no feature: every element type is read where it lies, and what is broken is refused.

use std::borrow::Cow;

use idx_dataset::{Element, ElementType, Error, Values, parse};

/// Two items of two values each, given as bits, are what is parsed; only bytes are borrowed.
#[track_caller]
fn check<T: Element>(code: u8, payload: &[u8], expected: [T; 4])
where
    Values: From<Vec<T>>,
{
    let file = [&[0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 2], payload].concat();
    let slice = parse(&file).unwrap();
    assert_eq!((slice.element_type(), slice.shape()), (T::TYPE, &[2, 2][..]));
    let values = slice.values::<T>().unwrap();
    assert_eq!(values[..], expected);
    assert_eq!(matches!(values, Cow::Borrowed(_)), T::TYPE.size() == 1);
    assert_eq!(slice.item::<T>(1).unwrap()[..], expected[2..]);
    assert_eq!(slice.item::<T>(2), None);
    let idx = slice.to_idx();
    assert_eq!(idx.values, Values::from(expected.to_vec()));
    assert_eq!(idx.iter_items::<T>().unwrap().collect::<Vec<_>>(), [&expected[..2], &expected[2..]]);
    for len in 0..file.len() {
        let error = parse(&file[..len]).unwrap_err();
        assert!(matches!(error, Error::TruncatedHeader { .. } | Error::Truncated { .. }), "{len}: {error}");
    }
}

#[test]
fn every_element_type_is_parsed() {
    check(0x08, &[0, 1, 254, 255], [0_u8, 1, 254, 255]);
    check(0x09, &[0, 1, 0x80, 0xff], [0_i8, 1, -128, -1]);
    check(0x0b, &[0, 1, 1, 0, 0x80, 0, 0xff, 0xfe], [1_i16, 256, i16::MIN, -2]);
    check(0x0c, &[0, 0, 0, 1, 1, 0, 0, 0, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe], [1, 1 << 24, i32::MIN, -2]);
    check(
        0x0d,
        &[0x3f, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 0x80, 0, 0],
        [1.0, 0.0, f32::from_bits(1), f32::INFINITY],
    );
    let mut payload = [0; 32];
    payload[..2].copy_from_slice(&[0x3f, 0xf0]);
    payload[8] = 0x80;
    payload[16..18].copy_from_slice(&[0xc0, 0x00]);
    payload[31] = 1;
    check(0x0e, &payload, [1.0, -0.0, -2.0, f64::from_bits(1)]);
}

#[test]
fn what_is_broken_is_refused() {
    assert!(matches!(parse(&[1, 0, 8, 0, 0]), Err(Error::Magic { found: [1, 0], .. })));
    assert!(matches!(parse(&[0x1f, 0x8b, 8, 0, 0]), Err(Error::Compressed { .. })));
    assert!(matches!(parse(&[0, 0, 10, 0, 0]), Err(Error::UnknownElementType { found: 10, .. })));
    assert!(matches!(parse(&[0, 0, 8, 0, 5, 6]), Err(Error::TrailingBytes { expected: 5, .. })));
    let sizes = [&[0, 0, 8, 3][..], &[0xff; 12]].concat();
    assert!(matches!(parse(&sizes), Err(Error::Overflow { element_type: ElementType::U8, .. })));
}
