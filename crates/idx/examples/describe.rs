//! What is in IDX files, without reading their values: `cargo run -p idx-dataset --features gzip --example describe -- FILE…`

use std::env;
use std::error::Error;
use std::process::ExitCode;

use idx_dataset::Reader;

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for path in env::args_os().skip(1) {
        match Reader::open(&path) {
            Ok(file) => println!("{}: {} of shape {:?}", path.display(), file.element_type(), file.shape()),
            Err(error) => {
                let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
                eprintln!("{error}{cause}");
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}
