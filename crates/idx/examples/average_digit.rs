//! The average image of each digit, drawn in the terminal, from MNIST's files (plain, or as .gz) in a folder:
//! `cargo run -p idx-dataset --features gzip --example average_digit -- data/mnist`

use std::{env, error};

use idx_dataset::{find, read_pair};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn error::Error>> {
    let folder = env::args_os().nth(1).ok_or("expected a folder with MNIST's files")?;
    let mnist = read_pair(find(&folder, "t10k-images-idx3-ubyte"), find(&folder, "t10k-labels-idx1-ubyte"))?;
    let [_, _, columns @ 1..=usize::MAX] = mnist.images.shape[..] else {
        return Err("expected images".into());
    };
    for (digit, items) in mnist.items_by_class().into_iter().enumerate() {
        let mut sums = vec![0_u32; mnist.images.item_len()];
        for item in mnist.images.select(&items).iter_items::<u8>().ok_or("expected pixels of u8")? {
            sums.iter_mut().zip(item).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
        }
        println!("{digit}: {} images", items.len());
        for row in sums.chunks(columns) {
            let shades =
                row.iter().map(|sum| b" .:-=+*#%@"[(sum / items.len().max(1) as u32 * 10 / 256) as usize]);
            println!("{}", shades.map(char::from).collect::<String>().trim_end());
        }
    }
    Ok(())
}
