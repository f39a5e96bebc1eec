//! Loading MNIST's 60,000 training images, and one epoch of random access, beside the peers: `cargo bench`.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use criterion::{Criterion, Throughput};
use idx_peers::{Reader, header, images, write_mnist};

const ITEMS: usize = 60_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_mnist(folder.path());
    let path = folder.path().join("train-images-idx3-ubyte");
    let file = fs::read(&path).expect("the images");
    let compressed = folder.path().join("images.gz");
    idx_dataset::write_gzip(&compressed, &idx_dataset::read(&path).expect("the images")).expect("the images");
    assert_eq!(idx_dataset::read(&path).unwrap().as_u8().unwrap(), &file[16..]);
    assert_eq!(header(8, &[60_000, 28, 28]), file[..16]);
    assert_eq!(images(1)[16..], file[16..800]);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("load");
    group.throughput(Throughput::Bytes(file.len() as u64)).sample_size(10);
    group.bench_function("a bare read into a fresh buffer", |bencher| {
        bencher.iter(|| {
            let mut bytes = Vec::with_capacity(file.len());
            File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("the images");
            bytes
        })
    });
    group.bench_function("idx-dataset", |bencher| bencher.iter(|| idx_dataset::read(&path).unwrap()));
    // SAFETY: nobody else knows of the file.
    group.bench_function("idx-dataset, mapped", |bencher| {
        bencher.iter(|| unsafe { idx_dataset::map(&path) }.unwrap())
    });
    group.bench_function("idx-dataset, gzip", |bencher| {
        bencher.iter(|| idx_dataset::read(&compressed).unwrap())
    });
    for reader in [Reader::IdxDataset, Reader::Mnist, Reader::RustMnist, Reader::MnistRead] {
        // The two that read MNIST as a whole have to read the test images and all labels as well, 17 % more.
        group.bench_function(format!("{} as in the table", reader.name()), |bencher| {
            bencher.iter(|| reader.read(folder.path()).unwrap())
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("one epoch of random access");
    group.throughput(Throughput::Bytes((file.len() - 16) as u64)).sample_size(10);
    let order: Vec<usize> = (0..ITEMS).map(|n| n * 7919 % ITEMS).collect();
    let idx = idx_dataset::read(&path).unwrap();
    // SAFETY: as above.
    let map = unsafe { idx_dataset::map(&path) }.unwrap();
    let slice = map.slice();
    let positioned = idx_dataset::IdxFile::open(&path).unwrap();
    let sum = |item: &[u8]| item.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
    group.bench_function("in memory", |bencher| {
        bencher.iter(|| order.iter().map(|&n| sum(idx.item(n).unwrap())).sum::<u64>())
    });
    group.bench_function("mapped", |bencher| {
        bencher.iter(|| order.iter().map(|&n| sum(&slice.item(n).unwrap())).sum::<u64>())
    });
    group.bench_function("positioned reads", |bencher| {
        let mut item = vec![0; 784];
        bencher.iter(|| {
            let sums = order.iter().map(|&n| {
                positioned.read_item(n, &mut item).unwrap();
                sum(&item)
            });
            sums.sum::<u64>()
        })
    });
    group.finish();
    criterion.final_summary();
    python(&path, &compressed);
}

/// The same in Python, if it is there: medians of seven.
fn python(path: &Path, compressed: &Path) {
    const PROGRAM: &str = "
import gzip, sys, time, statistics, numpy, idx2numpy
def measure(name, work):
    def once():
        start = time.perf_counter(); work(); return time.perf_counter() - start
    print('python', name, '%.1f ms' % (1000 * statistics.median(once() for _ in range(7))))
measure('idx2numpy', lambda: idx2numpy.convert_from_file(sys.argv[1]))
measure('numpy.fromfile', lambda: numpy.fromfile(sys.argv[1], numpy.uint8, offset=16).reshape(-1, 28, 28))
measure('idx2numpy, gzip', lambda: idx2numpy.convert_from_string(gzip.open(sys.argv[2]).read()))
measure('numpy.frombuffer, gzip', lambda: numpy.frombuffer(gzip.open(sys.argv[2]).read(), numpy.uint8, offset=16))
measure('numpy.memmap', lambda: numpy.memmap(sys.argv[1], numpy.uint8, 'r', offset=16))
images = numpy.fromfile(sys.argv[1], numpy.uint8, offset=16).reshape(-1, 784)
order = [n * 7919 % 60000 for n in range(60000)]
measure('numpy, one epoch of random access', lambda: sum(int(images[n].sum(dtype=numpy.int64)) for n in order))
";
    let python = std::env::var_os("PYTHON").unwrap_or("python3".into());
    let _ = Command::new(python).args(["-c", PROGRAM]).args([path, compressed]).status();
}
