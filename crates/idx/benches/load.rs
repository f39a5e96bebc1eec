//! Loading a file of MNIST's training shape, beside reading the same file without looking at it:
//!
//! ```text
//! cargo bench -p idx-dataset
//! ```

mod discs;

use std::fs;
use std::path::Path;

use criterion::{Criterion, Throughput};
use idx_dataset::{Idx, Values, read, write};

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = generated_images();
    let plain = folder.path().join("plain");
    write(&plain, &images).expect("the plain file");
    assert_eq!(read(&plain).expect("the plain file"), images);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Bytes(images.values.len() as u64)).sample_size(20);
    group.bench_function("bare read of the plain file", |bencher| bencher.iter(|| bare_read(&plain)));
    group.bench_function("plain", |bencher| bencher.iter(|| read(&plain)));
    #[cfg(feature = "gzip")]
    {
        let compressed = folder.path().join("compressed");
        idx_dataset::write_gzip(&compressed, &images).expect("the compressed file");
        assert_eq!(read(&compressed).expect("the compressed file"), images);
        group.bench_function("gzip", |bencher| bencher.iter(|| read(&compressed)));
    }
    group.finish();
    criterion.final_summary();
}

fn bare_read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the plain file")
}

/// A file of MNIST's training shape.
fn generated_images() -> Idx {
    Idx { shape: vec![60_000, 28, 28], values: Values::U8(discs::pixels(60_000).collect()) }
}
