//! The matrix product beside those of other libraries, on the products of the tutorial's network (784-512-512-10, batches of
//! 128), large squares, single samples and odd sizes; single precision, the same number of threads for each.
//!
//! ```text
//! cargo bench -p densely-tensor
//! cargo bench -p densely-tensor --features system-peers        # with OpenBLAS and oneDNN
//! DENSELY_THREADS=1 DENSELY_ISA=avx2 cargo bench -p densely-tensor -- forward
//! ```
//!
//! On Debian `apt install libopenblas0-pthread libdnnl-dev` installs the two; one that is missing is left out. Criterion's
//! `elem/s` are floating-point operations a second: 2·m·k·n a product. Criterion measures one library after the other; for
//! shares of the machine's peak, in turns, see `cargo xtask roofline`.

#![allow(missing_docs)] // criterion_group! makes an undocumented function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use densely_tensor::{AlignedBuffer, Pool};
use peers::{Contender, Peers, Product, contenders, prepare_environment};
use std::sync::LazyLock;
use std::time::Duration;

mod peers;

static POOL: LazyLock<Pool> = LazyLock::new(|| {
    let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
    prepare_environment(pool.threads(), pool.isa());
    pool
});

fn network(criterion: &mut Criterion) {
    peers::network().for_each(|product| measure(criterion, product));
}

fn odd_sizes(criterion: &mut Criterion) {
    peers::sweep().for_each(|product| measure(criterion, product));
}

fn measure(criterion: &mut Criterion, product: Product) {
    let sets = product.operands();
    let mut results = vec![AlignedBuffer::zeros(product.m * product.n); sets.len()];
    let mut group = criterion.benchmark_group(format!("{} {}", product.group.name(), product.shape()));
    group.throughput(Throughput::Elements(product.flops() as u64));
    let everyone = Peers { crates: true, system: true };
    for Contender { name, packed, mut multiply } in contenders(&POOL, everyone, &product, &sets) {
        let form = if packed { "packed ahead" } else { "plain" };
        group.bench_function(BenchmarkId::new(name, form), |bencher| {
            // Here, and not before, so that a filter spares the work.
            multiply(0, &mut results[0]);
            assert!(product.is_correct(&sets[0], &results[0]), "{name}, {form}: wrong product");
            let mut set = 0;
            bencher.iter(|| {
                set = (set + 1) % sets.len();
                multiply(set, &mut results[set]);
            });
        });
    }
    group.finish();
}

fn config(warm_up: u64, measurement: u64) -> Criterion {
    let (warm_up, measurement) = (Duration::from_millis(warm_up), Duration::from_millis(measurement));
    Criterion::default().sample_size(20).warm_up_time(warm_up).measurement_time(measurement)
}

criterion_group! { name = network_benches; config = config(300, 1000); targets = network }
criterion_group! { name = odd_benches; config = config(50, 200); targets = odd_sizes }

fn main() {
    network_benches();
    odd_benches();
    Criterion::default().configure_from_args().final_summary();
}
