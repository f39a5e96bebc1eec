//! What is in IDX files, without reading their values: `cargo run -p idx-dataset --features gzip --example describe -- FILE…`

use std::env;
use std::process::ExitCode;

use idx_dataset::Reader;

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in env::args_os().skip(1) {
        match Reader::open(&path) {
            Ok(file) => println!("{}: {} of shape {:?}", path.display(), file.element_type(), file.shape()),
            Err(error) => {
                eprintln!("{error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
