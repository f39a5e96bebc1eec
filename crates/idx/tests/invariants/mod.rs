//! What holds for any bytes whatever. The fuzz targets call these functions, and so does `tests/fuzzed.rs`, with what
//! fuzzing found worth keeping and with random bytes.

#![allow(dead_code)] // each fuzz target calls one of them

use std::io::{self, Cursor, Read, Write};

use idx_dataset::{Element, ElementType, Error, Idx, Options, Reader, Values};

/// More bytes of values than this are too many for a test.
const LIMIT: u64 = 1 << 20;

/// The most items that are looked at one by one: empty ones can be four thousand million.
const MOST_ITEMS: usize = 1 << 10;

/// The parser takes what the format's table says, and gives exactly that.
pub(crate) fn parse(bytes: &[u8]) {
    let end = Expected::end(bytes);
    let strict = idx_dataset::parse(bytes);
    let lenient = Options::new().trailing_bytes(true).parse(bytes);
    assert_eq!(strict.is_ok(), end == Some(bytes.len()), "{strict:?}");
    assert_eq!(lenient.is_ok(), end.is_some_and(|end| end <= bytes.len()), "{lenient:?}");
    let Ok(slice) = lenient else { return };
    let payload = &bytes[4 + 4 * slice.shape().len()..end.unwrap()];
    assert_eq!(slice.payload(), payload);
    let idx = slice.to_idx();
    assert_eq!(big_endian(&idx.values), payload);
    assert_eq!(written(&idx), bytes[..end.unwrap()]);
    match slice.element_type() {
        ElementType::U8 => items_of_slice::<u8>(&slice, &idx),
        ElementType::I8 => items_of_slice::<i8>(&slice, &idx),
        ElementType::I16 => items_of_slice::<i16>(&slice, &idx),
        ElementType::I32 => items_of_slice::<i32>(&slice, &idx),
        ElementType::F32 => items_of_slice::<f32>(&slice, &idx),
        ElementType::F64 => items_of_slice::<f64>(&slice, &idx),
    }
}

fn items_of_slice<T: Element>(slice: &idx_dataset::IdxSlice<'_>, idx: &Idx) {
    assert_eq!(slice.iter_items::<T>().unwrap().len(), idx.n_items());
    assert_eq!(idx.iter_items::<T>().unwrap().len(), idx.n_items());
    let items = slice.iter_items::<T>().unwrap().zip(idx.iter_items::<T>().unwrap()).take(MOST_ITEMS);
    let mut values = Vec::new();
    for (n, (borrowed, owned)) in items.enumerate() {
        assert!(same(&borrowed, owned) && same(&slice.item::<T>(n).unwrap(), idx.item(n).unwrap()));
        values.extend_from_slice(owned);
    }
    assert!(same(&values, &idx.values.as_slice::<T>().unwrap()[..values.len()]));
    assert!(slice.item::<T>(idx.n_items()).is_none() && idx.item::<T>(idx.n_items()).is_none());
}

/// A stream that comes in pieces is what the parser makes of all of it, or fails with the same words.
pub(crate) fn stream(bytes: &[u8]) {
    let Some((&pieces, bytes)) = bytes.split_first() else { return };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return; // `gzip` does that
    }
    let pieces = || Pieces { bytes, len: usize::from(pieces) };
    let strict = Options::new().limit(LIMIT);
    let streamed = strict.reader(pieces()).and_then(Reader::read_rest);
    agree(&streamed, idx_dataset::parse(bytes).map(|slice| slice.to_idx()));
    let lenient = strict.trailing_bytes(true);
    let streamed = lenient.reader(pieces()).and_then(Reader::read_rest);
    agree(&streamed, lenient.parse(bytes).map(|slice| slice.to_idx()));
    places(bytes);

    let Ok(idx) = streamed else { return };
    match idx.element_type() {
        ElementType::U8 => items_of_stream::<u8>(bytes, &idx),
        ElementType::I8 => items_of_stream::<i8>(bytes, &idx),
        ElementType::I16 => items_of_stream::<i16>(bytes, &idx),
        ElementType::I32 => items_of_stream::<i32>(bytes, &idx),
        ElementType::F32 => items_of_stream::<f32>(bytes, &idx),
        ElementType::F64 => items_of_stream::<f64>(bytes, &idx),
    }
}

/// Every place that a header declares can be gone to, whether or not something is there.
fn places(bytes: &[u8]) {
    let reader = || Options::new().limit(LIMIT).reader(Cursor::new(bytes));
    let Ok(n_items) = reader().map(|reader| reader.n_items()) else { return };
    for n in [0, 1, n_items / 2, n_items.saturating_sub(1), n_items] {
        let mut reader = reader().unwrap();
        let outcome = reader.seek(n).and_then(|()| reader.read_item::<u8>(&mut Vec::new()));
        assert!(n < n_items || !matches!(outcome, Ok(true)), "{outcome:?}");
    }
}

/// Items in order, and one after a jump.
fn items_of_stream<T: Element>(bytes: &[u8], idx: &Idx) {
    let reader = || Options::new().trailing_bytes(true).reader(Cursor::new(bytes)).unwrap();
    let items = reader().into_items::<T>().unwrap().take(MOST_ITEMS);
    for (n, item) in items.enumerate() {
        assert!(same(&item.unwrap(), idx.item(n).unwrap()));
    }
    let mut item = Vec::<T>::new();
    let mut reader = reader();
    for n in [idx.n_items() / 2, 0, idx.n_items().saturating_sub(1)] {
        reader.seek(n).unwrap();
        assert_eq!(reader.read_item(&mut item).unwrap(), n < idx.n_items());
        assert!(n >= idx.n_items() || same(&item, idx.item(n).unwrap()));
    }
    reader.seek(idx.n_items()).unwrap();
    assert!(!reader.read_item(&mut item).unwrap());
    assert!(reader.seek(idx.n_items() + 1).is_err());
}

/// What is read from compressed data is what a parser makes of them after a plain decompression; nothing damaged is
/// taken. The first byte says whether the rest is compressed here first, and damaged at a place.
pub(crate) fn gzip(bytes: &[u8]) {
    let Some(([mode, cut, place, bit], rest)) = bytes.split_first_chunk() else { return };
    let compressed = if mode % 4 == 0 {
        [&[0x1f, 0x8b], rest].concat()
    } else {
        let member = if mode % 32 == 31 { deflated } else { stored };
        let (first, second) = rest.split_at(rest.len().min(usize::from(*cut)));
        let mut compressed = [member(first), member(second)].concat();
        if mode % 4 == 1 {
            let place = usize::from(*place) % compressed.len();
            compressed[place] ^= 1 << (bit % 8);
        }
        compressed
    };
    let found = Options::new().limit(LIMIT).reader(&compressed[..]).and_then(Reader::read_rest);
    let mut plain = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(&compressed[..]);
    let decoded = decoder.take(2 * LIMIT).read_to_end(&mut plain);
    let expected = idx_dataset::parse(&plain);
    match found {
        Ok(idx) => {
            assert!(decoded.is_ok() && compressed.starts_with(&[0x1f, 0x8b]));
            assert_eq!(written(&idx), plain);
        }
        Err(Error::AboveLimit { .. }) => assert!(expected.is_err() || above_limit(&plain)),
        Err(error) => assert!(decoded.is_err() || expected.is_err(), "{error}"),
    }
}

/// What is written is read again, bit for bit. The bytes are the type, the rank, the sizes and the values.
pub(crate) fn roundtrip(bytes: &[u8]) {
    let Some(([element_type, rank], rest)) = bytes.split_first_chunk() else { return };
    let (sizes, rest) = rest.split_at(rest.len().min(usize::from(rank % 6)));
    let shape: Vec<usize> = sizes.iter().map(|&size| usize::from(size % 7)).collect();
    let mut next = rest.iter().copied().chain(std::iter::repeat(0xa5));
    let bits = std::iter::repeat_with(|| u64::from_le_bytes([(); 8].map(|()| next.next().unwrap())));
    let bits = bits.take(shape.iter().product());
    let values = values(ElementType::ALL[usize::from(element_type % 6)], bits);
    let idx = Idx { shape, values };
    let file = written(&idx);
    for found in
        [idx_dataset::parse(&file).unwrap().to_idx(), Reader::new(&file[..]).unwrap().read_rest().unwrap()]
    {
        assert_eq!((&found.shape, found.element_type()), (&idx.shape, idx.element_type()));
        assert_eq!(big_endian(&found.values), big_endian(&idx.values));
    }
    let n_values = idx.values.len();
    let torn = Idx { shape: [&idx.shape[..], &[3]].concat(), values: idx.values };
    assert_eq!(idx_dataset::write_to(io::sink(), &torn).is_ok(), 3 * n_values == n_values);
}

/// What a header says, without the crate under test.
struct Expected;

impl Expected {
    /// Where the data of this header end, if it is one.
    fn end(bytes: &[u8]) -> Option<usize> {
        let (&[0, 0, code, rank], rest) = bytes.split_first_chunk()? else { return None };
        let size = match code {
            8 | 9 => 1_u128,
            11 => 2,
            12 | 13 => 4,
            14 => 8,
            _ => return None,
        };
        let sizes = rest.get(..4 * usize::from(rank))?.chunks(4);
        let sizes: Vec<u128> =
            sizes.map(|size| size.iter().fold(0, |sum, &byte| 256 * sum + u128::from(byte))).collect();
        let nonzero = sizes.iter().filter(|&&size| size > 0);
        let most = nonzero.fold(size, |product, size| product.saturating_mul(*size));
        let payload = if sizes.contains(&0) { 0 } else { most };
        let start = 4 + 4 * usize::from(rank);
        (most.saturating_add(start as u128) <= isize::MAX as u128).then(|| start + payload as usize)
    }
}

/// A reader that gives so many bytes at a time, and is interrupted in between.
struct Pieces<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.len() % 3 == 2 && self.len % 2 == 1 {
            self.len += 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(self.len.max(1));
        self.bytes.read(&mut buffer[..len])
    }
}

/// The same content, or the same message but for where the data come from.
fn agree(streamed: &Result<Idx, Error>, parsed: Result<Idx, Error>) {
    match (streamed, parsed) {
        (Ok(streamed), Ok(parsed)) => assert_eq!(written(streamed), written(&parsed)),
        (Err(Error::AboveLimit { .. }), parsed) => {
            assert!(parsed.is_err() || above_limit(&written(&parsed.unwrap())));
        }
        (Err(streamed), Err(parsed)) => {
            assert_eq!(streamed.to_string(), parsed.to_string().replace("bytes in memory", "stream"));
        }
        (streamed, parsed) => panic!("{streamed:?} and {parsed:?}"),
    }
}

/// Whether a whole file has more bytes of values than `LIMIT`.
fn above_limit(file: &[u8]) -> bool {
    idx_dataset::parse(file).is_ok_and(|slice| slice.payload().len() as u64 > LIMIT)
}

fn same<T: Element>(left: &[T], right: &[T]) -> bool {
    big_endian(&left.to_vec().into()) == big_endian(&right.to_vec().into())
}

/// The bytes of values: equal for equal bits only, which `==` on floats is not.
pub(crate) fn big_endian(values: &Values) -> Vec<u8> {
    match values {
        Values::U8(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        Values::I8(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        Values::I16(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        Values::I32(values) => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        Values::F32(values) => values.iter().flat_map(|value| value.to_bits().to_be_bytes()).collect(),
        Values::F64(values) => values.iter().flat_map(|value| value.to_bits().to_be_bytes()).collect(),
    }
}

/// Values of a type from raw bits, so that NaNs of every payload are among them.
pub(crate) fn values(element_type: ElementType, bits: impl Iterator<Item = u64>) -> Values {
    match element_type {
        ElementType::U8 => Values::U8(bits.map(|bits| bits as u8).collect()),
        ElementType::I8 => Values::I8(bits.map(|bits| bits as i8).collect()),
        ElementType::I16 => Values::I16(bits.map(|bits| bits as i16).collect()),
        ElementType::I32 => Values::I32(bits.map(|bits| bits as i32).collect()),
        ElementType::F32 => Values::F32(bits.map(|bits| f32::from_bits(bits as u32)).collect()),
        ElementType::F64 => Values::F64(bits.map(f64::from_bits).collect()),
    }
}

fn written(idx: &Idx) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx_dataset::write_to(&mut bytes, idx).unwrap();
    bytes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzip member of one block that is not compressed: a thousand times as fast.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u16;
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    member.extend(len.to_le_bytes().into_iter().chain((!len).to_le_bytes()));
    member.extend(bytes);
    member.extend(crc.sum().to_le_bytes().into_iter().chain(u32::from(len).to_le_bytes()));
    member
}
