//! `cargo xtask sample`: cuts `data/sample` out of MNIST.
//!
//! Each class keeps its share (largest remainder), and of each class the images are taken at even distances over the whole
//! file, kept in the file's order. There is nothing random in it. Taking the first images of each class would not do: the
//! first half of the test set is cleaner and easier than the second.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use idx_dataset::{Idx, Pair, Values};

use crate::download::{Downloader, Limits, Report};
use crate::manifest::Manifest;
use crate::workspace;

/// The splits: the start of the two files' names, and how many images to keep. The four files have to stay below 1 MB.
pub const SPLITS: [(&str, usize); 2] = [("train", 4800), ("t10k", 1000)];

/// Cut data/sample out of MNIST again: the same images, byte for byte as long as the gzip encoder stays the same.
#[derive(clap::Args)]
pub struct Arguments {}

/// Carries out `cargo xtask sample`.
///
/// # Errors
///
/// If MNIST cannot be had, or the sample not be written.
pub fn run(Arguments {}: Arguments) -> Result<()> {
    let manifest = Manifest::read(&workspace::committed_data().join("datasets.ron"))?;
    let mnist = manifest.find("mnist").context("data/datasets.ron lists no mnist")?;
    let (data, report) = (workspace::data()?, Report::to_stderr());
    let downloader =
        Downloader { data, sources: Vec::new(), offline: false, limits: Limits::default(), report };
    downloader.download(mnist)?;

    let (from, to) = (downloader.data.join("mnist"), workspace::committed_data().join("sample"));
    let mut total = 0;
    for (split, n_images) in SPLITS {
        let [images, labels] = names(split);
        let sample = cut(&idx_dataset::read_pair(from.join(&images), from.join(&labels))?, n_images)?;
        let labels_as_idx = Idx { shape: vec![n_images], values: Values::U8(sample.labels) };
        for (name, content) in [(images, &sample.images), (labels, &labels_as_idx)] {
            let path = to.join(format!("{name}.gz"));
            idx_dataset::write_gzip(&path, content)?;
            let bytes = std::fs::metadata(&path)?.len();
            println!("{}: {:?}, {bytes} bytes", path.display(), content.shape);
            total += bytes;
        }
    }
    println!("{total} bytes together");
    Ok(())
}

fn names(split: &str) -> [String; 2] {
    [format!("{split}-images-idx3-ubyte"), format!("{split}-labels-idx1-ubyte")]
}

/// Reads one split of the sample in `folder`.
///
/// # Errors
///
/// If it is not there or not a pair of IDX files.
pub fn read(folder: &Path, split: &str) -> Result<Pair> {
    let [images, labels] = names(split);
    Ok(idx_dataset::read_pair(idx_dataset::find(folder, &images), idx_dataset::find(folder, &labels))?)
}

/// Keeps `n_images` of the images, each class by its share.
///
/// # Errors
///
/// If there are fewer images, or they are not bytes.
pub fn cut(pair: &Pair, n_images: usize) -> Result<Pair> {
    let n_all = pair.labels.len();
    ensure!(n_images <= n_all && n_all > 0, "expected at least {n_images} images, found {n_all}");
    let pixels = pair.images.as_u8().context("expected images of bytes")?;
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (image, &label) in pair.labels.iter().enumerate() {
        members[usize::from(label)].push(image);
    }

    let mut kept: Vec<usize> = members
        .iter()
        .zip(shares(&members.iter().map(Vec::len).collect::<Vec<_>>(), n_images))
        // The middles of n equal stretches of the class.
        .flat_map(|(class, n)| (0..n).map(move |pick| class[(2 * pick + 1) * class.len() / (2 * n)]))
        .collect();
    kept.sort_unstable();

    let size = pair.images.item_len();
    let mut shape = pair.images.shape.clone();
    shape[0] = n_images;
    let kept_pixels = kept.iter().flat_map(|image| &pixels[image * size..][..size]).copied().collect();
    Ok(Pair {
        images: Idx { shape, values: Values::U8(kept_pixels) },
        labels: kept.iter().map(|&image| pair.labels[image]).collect(),
    })
}

/// Divides `n_kept` among classes of these sizes: the whole parts first, then one more each for the largest remainders.
fn shares(sizes: &[usize], n_kept: usize) -> Vec<usize> {
    let n_all: usize = sizes.iter().sum();
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * n_kept / n_all).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(sizes[class] * n_kept % n_all));
    let n_left = n_kept - shares.iter().sum::<usize>();
    for &class in &by_remainder[..n_left] {
        shares[class] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_keeps_its_share() {
        assert_eq!(shares(&[50, 30, 20], 10), [5, 3, 2]);
        assert_eq!(shares(&[55, 25, 20], 10), [6, 2, 2]); // 5.5, 2.5, 2: the earlier class wins the tie
        assert_eq!(shares(&[1, 0, 99], 10), [0, 0, 10]);
        assert_eq!(shares(&[3, 4], 7), [3, 4]);
        assert_eq!(shares(&[3, 4], 0), [0, 0]);
    }

    #[test]
    fn images_keep_their_labels_and_are_taken_from_the_whole_file() {
        // Image i has the pixels i and i + 1; classes 7 and 9 take turns.
        let labels: Vec<u8> = (0..40).map(|image| if image % 2 == 0 { 7 } else { 9 }).collect();
        let pixels = (0..40).flat_map(|image| [image, image + 1]).collect();
        let pair = Pair { images: Idx { shape: vec![40, 1, 2], values: Values::U8(pixels) }, labels };
        let sample = cut(&pair, 4).unwrap();
        assert_eq!(sample.images.shape, [4, 1, 2]);
        assert_eq!(sample.labels, [7, 9, 7, 9]);
        // Of 20 images of a class, those at 5 and 15.
        assert_eq!(sample.images.as_u8().unwrap(), [10, 11, 11, 12, 30, 31, 31, 32]);
        assert_eq!(cut(&pair, 40).unwrap(), pair);
        assert!(cut(&pair, 41).is_err());
    }

    #[test]
    fn the_committed_sample_is_what_its_readme_says() {
        let folder = workspace::committed_data().join("sample");
        let mut bytes = 0;
        for (split, n_images) in SPLITS {
            let pair = read(&folder, split).unwrap();
            assert_eq!(pair.images.shape, [n_images, 28, 28], "{split}");
            // MNIST's rarest digit, 5, has 8.9 % of the images, and its most frequent, 1, has 11.4 %.
            for digit in 0..10 {
                let n = pair.labels.iter().filter(|&&label| label == digit).count();
                assert!(
                    (n_images * 85 / 1000..=n_images * 116 / 1000).contains(&n),
                    "{split}: {n} of digit {digit}"
                );
            }
            for name in names(split) {
                bytes += std::fs::metadata(folder.join(format!("{name}.gz"))).unwrap().len();
            }
        }
        assert!(bytes < 1_000_000, "{bytes} bytes");
    }
}
