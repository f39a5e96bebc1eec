//! Memory follows the data, never the header's word alone. Each thread's allocations are counted.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use common::{idx, parse};
use idx_dataset::{Error, Idx, read};

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counting. A vector that grows counts with its new size alone: the system moves large ones
/// by their pages.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call goes to `System` unchanged; counting touches two thread-local cells, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is `System`'s.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller keeps `dealloc`'s contract, which is `System`'s.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as isize - layout.size() as isize);
        // SAFETY: the caller keeps `realloc`'s contract, which is `System`'s.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// What `work` returns, and the most bytes that it held at once.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let outcome = work();
    (outcome, (PEAK.get() - before) as usize)
}

/// Path names, shapes and messages.
const SMALL: usize = 16 << 10;
/// Bytes on their way to become values.
const BLOCK: usize = 64 << 10;
/// The decoder's window, state and input buffer.
#[cfg(feature = "gzip")]
const DECODER: usize = 128 << 10;

/// Reads a file of these bytes.
fn read_file(bytes: &[u8]) -> (Result<Idx, Error>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idx");
    fs::write(&path, bytes).unwrap();
    peak(|| read(&path))
}

#[test]
fn the_counter_counts() {
    let (vector, held) = peak(|| {
        drop(vec![1_u8; 5_000_000]);
        vec![1_u8; 1000]
    });
    assert_eq!((vector.len(), held), (1000, 5_000_000));
}

#[test]
fn claims_allocate_nothing() {
    for (code, shape) in [
        (0x08, vec![u32::MAX]),
        (0x0e, vec![u32::MAX]),
        (0x08, vec![60_000, 28, 28]),
        (0x0b, vec![u32::MAX, u32::MAX / 4]),
        (0x08, vec![u32::MAX; 255]),
    ] {
        let file = idx(code, &shape, &[0; 64]);
        let (outcome, held) = read_file(&file);
        assert!(outcome.is_err() && held < SMALL, "{shape:?}: {held} bytes");
        let (outcome, held) = peak(|| parse(&file));
        assert!(outcome.is_err() && held < SMALL, "{shape:?}: {held} bytes");
    }
}

#[test]
fn plain_files_take_one_vector() {
    for (code, size) in [(0x08, 1), (0x09, 1), (0x0b, 2), (0x0c, 4), (0x0d, 4), (0x0e, 8)] {
        let payload = vec![3; 3_000_000 * size];
        let file = idx(code, &[3_000_000], &payload);
        for (outcome, held) in [read_file(&file), peak(|| parse(&file))] {
            assert_eq!(outcome.unwrap().values.len(), 3_000_000);
            let most = payload.len() + BLOCK + SMALL;
            assert!((payload.len()..most).contains(&held), "code {code:02x}: {held} bytes");
        }
    }
}

#[test]
fn hostile_streams_take_twice_what_arrives_at_most() {
    for (code, shape) in
        [(0x08, vec![u32::MAX; 2]), (0x0e, vec![4, 1 << 28]), (0x0c, vec![1 << 30]), (0x0b, vec![0, 9])]
    {
        let file = idx(code, &shape, &vec![7; 300_000]);
        let limit = idx_dataset::Options::new().limit(u64::MAX);
        let (outcome, held) = peak(|| limit.reader(&file[..]).and_then(idx_dataset::Reader::read_rest));
        assert!(outcome.is_err() && held < 2 * file.len() + BLOCK + SMALL, "{shape:?}: {held} bytes");
        let (outcome, held) = peak(|| {
            let mut reader = limit.reader(&file[..])?;
            match code {
                0x08 => reader.read_item::<u8>(&mut Vec::new()),
                0x0b => reader.read_item::<i16>(&mut Vec::new()),
                0x0c => reader.into_items::<i32>()?.last().unwrap().map(|_| true),
                _ => reader.read_item::<f64>(&mut Vec::new()),
            }
        });
        assert!(outcome.is_err() && held < 2 * file.len() + BLOCK + SMALL, "{shape:?}: {held} bytes");
    }
}

#[cfg(feature = "gzip")]
mod compressed {
    use super::*;
    use crate::common::gzip;

    #[test]
    fn files_take_one_vector_and_the_decoder() {
        for (code, size) in [(0x08, 1), (0x0b, 2), (0x0e, 8)] {
            let payload = vec![3; 1_000_000 * size];
            let (outcome, held) = read_file(&gzip(&idx(code, &[1000, 1000], &payload)));
            assert_eq!(outcome.unwrap().values.len(), 1_000_000);
            assert!(
                (payload.len()..payload.len() + BLOCK + DECODER).contains(&held),
                "code {code:02x}: {held} bytes"
            );
        }
    }

    #[test]
    fn claims_allocate_twice_what_arrives_at_most() {
        const ARRIVING: usize = 1_000_000;
        for code in [0x08, 0x0c] {
            let file = gzip(&idx(code, &[1 << 30], &vec![5; ARRIVING])); // 1 or 4 GiB
            let (outcome, held) = read_file(&file);
            let message = outcome.unwrap_err().to_string();
            assert!(message.contains("values end at byte 1000008"), "{message}");
            assert!(held < 2 * ARRIVING + DECODER, "{held} bytes");
        }
    }

    #[test]
    fn bombs_stop_one_byte_after_the_promise() {
        let bomb = gzip(&idx(0x08, &[10], &vec![0; 20_000_000]));
        assert!(bomb.len() < 200_000, "{} bytes", bomb.len());
        let (outcome, held) = read_file(&bomb);
        let message = outcome.unwrap_err().to_string();
        assert!(message.contains("byte 18: expected the end after the values of shape [10]"), "{message}");
        assert!(held < DECODER, "{held} bytes");
    }
}
