//! A file of any size, item by item: images whose light is dark and dark light.
//! `cargo run -p idx-dataset --features gzip --example invert -- FROM TO`

use std::{env, error};

use idx_dataset::{Reader, Writer};

fn main() -> Result<(), Box<dyn error::Error>> {
    let [from, to] = &env::args_os().skip(1).collect::<Vec<_>>()[..] else {
        return Err("expected two files: FROM and TO".into());
    };
    let mut reader = Reader::open(from)?;
    let [_, image_shape @ ..] = reader.shape() else { return Err("expected images, found one value".into()) };
    let mut writer = Writer::create(to, image_shape)?;
    let mut image = Vec::new();
    while reader.read_item::<u8>(&mut image)? {
        image.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
        writer.write_item(&image)?;
    }
    writer.finish()?; // the number of images is put into the header, and the file appears
    Ok(())
}
