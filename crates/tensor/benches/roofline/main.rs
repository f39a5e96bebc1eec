//! What `cargo xtask roofline` measures: this machine's roofs (fused multiply-adds, bandwidth of each cache level and of
//! memory) and the kernels below them. Prints JSON, a line for each thing measured; xtask makes tables and pictures of it.
//!
//! ```text
//! DENSELY_THREADS=1 DENSELY_ISA=avx512 cargo bench -p densely-tensor --bench roofline -- --rounds 15 --peers all --sweep
//! ```
//!
//! Everything that belongs to one kernel is measured in turns (`measure`), so that what else the machine or its host does
//! meets all alike. To measure another kernel, add it in `kernels`.

#![allow(clippy::print_stdout)]

mod kernels;
mod loops;
mod machine;
mod measure;
#[path = "../peers/mod.rs"]
mod peers;

use densely_tensor::Pool;
use measure::Measure;
use peers::Peers;

struct Arguments {
    rounds: usize,
    peers: Peers,
    /// Whether odd sizes are measured too.
    sweep: bool,
}

fn main() {
    let Arguments { rounds, peers, sweep } = arguments();
    let pool = Pool::from_environment().expect("DENSELY_THREADS and DENSELY_ISA are valid");
    peers::prepare_environment(pool.threads(), pool.isa());
    let caches = machine::Caches::of_this_machine();
    machine::measure_roofs(&pool, &caches, rounds);
    let measure = Measure { pool: &pool, rounds };
    kernels::products(&measure, peers, peers::network());
    kernels::fused_updates(&measure);
    kernels::updates(&measure);
    kernels::elementwise(&measure);
    if sweep {
        kernels::products(&measure, peers, peers::sweep());
    }
}

/// Reads the command line that xtask makes.
fn arguments() -> Arguments {
    let mut arguments = Arguments { rounds: 15, peers: Peers { crates: true, system: true }, sweep: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--rounds" => {
                let rounds = words.next().and_then(|number| number.parse().ok());
                arguments.rounds = rounds.filter(|&rounds| rounds > 0).expect("a number after --rounds");
            }
            "--peers" => {
                arguments.peers = match words.next().as_deref() {
                    Some("none") => Peers { crates: false, system: false },
                    Some("crates") => Peers { crates: true, system: false },
                    Some("all") => Peers { crates: true, system: true },
                    other => panic!("--peers none, crates or all, not {other:?}"),
                }
            }
            "--sweep" => arguments.sweep = true,
            "--bench" => {} // cargo adds it
            other => panic!("unknown argument {other}"),
        }
    }
    arguments
}
