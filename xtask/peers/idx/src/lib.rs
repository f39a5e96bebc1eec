//! The readers that are compared, each as it is meant to be called, and files for them. The crate `idx_parser` is not among
//! them: neither 0.2.0 nor 0.3.0 compiled with Rust 1.95.0 or the nightly of 2026-05-19, which refuse its feature `array_chunks`.

#[path = "../../../../crates/idx/benches/discs/mod.rs"]
mod discs;

use std::fs;
use std::path::Path;

/// A reader of IDX files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reader {
    IdxDataset,
    Mnist,
    RustMnist,
    MnistRead,
    Idx2Numpy,
}

impl Reader {
    pub const ALL: [Self; 5] =
        [Self::IdxDataset, Self::Mnist, Self::RustMnist, Self::MnistRead, Self::Idx2Numpy];

    /// Its name, and its version.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdxDataset => "idx-dataset",
            Self::Mnist => "mnist 0.6.0",
            Self::RustMnist => "rust-mnist 0.2.0",
            Self::MnistRead => "mnist_read 1.0.1",
            Self::Idx2Numpy => "idx2numpy 1.2.3",
        }
    }

    /// Reads MNIST's training images, and what the reader reads with them, from the folder. Returns the number of values.
    ///
    /// # Errors
    ///
    /// What the reader says.
    pub fn read(self, folder: &Path) -> Result<usize, String> {
        let text = format!("{}/", folder.display());
        let images = folder.join("train-images-idx3-ubyte");
        match self {
            Self::IdxDataset => {
                let labels = folder.join("train-labels-idx1-ubyte");
                let pair = idx_dataset::read_pair(images, labels).map_err(|error| error.to_string())?;
                idx_dataset::one_hot(&pair.labels, 10).map_err(|error| error.to_string())?;
                Ok(pair.images.values.len())
            }
            Self::Mnist => {
                let data = mnist::MnistBuilder::new().base_path(&text).label_format_one_hot().finalize();
                Ok(data.trn_img.len())
            }
            Self::RustMnist => Ok(784 * rust_mnist::Mnist::new(&text).train_data.len()),
            Self::MnistRead => Ok(mnist_read::read_data(&images.to_string_lossy()).len()),
            Self::Idx2Numpy => Err("runs in Python".to_owned()),
        }
    }
}

/// Writes a whole set of MNIST's shapes into a folder: 60,000 and 10,000 noisy discs, a fifth of the pixels not zero.
pub fn write_mnist(folder: &Path) {
    for (name, items) in [("train", 60_000), ("t10k", 10_000)] {
        fs::write(folder.join(format!("{name}-images-idx3-ubyte")), images(items)).expect("a file of images");
        let labels: Vec<u8> = (0..items).map(|item| (item % 10) as u8).collect();
        let header = [0, 0, 8, 1].into_iter().chain((items as u32).to_be_bytes());
        let labels: Vec<u8> = header.chain(labels).collect();
        fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), labels).expect("a file of labels");
    }
}

/// A file of so many images of 28 × 28.
pub fn images(items: i64) -> Vec<u8> {
    let mut file = header(8, &[items as u32, 28, 28]);
    file.extend(discs::pixels(items));
    file
}

/// A header.
pub fn header(code: u8, shape: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    shape.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes
}
