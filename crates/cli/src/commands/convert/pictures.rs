//! Folders of PNGs: all in one, or in a folder for each label.

use super::{ConvertError, Items, parent};
use crate::error::Error;
use densely::data::{Color, read_png};
use idx_dataset::{ElementType, Idx, Values};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Reads pictures of one size in the order of their names. If the folder holds folders, their names are labels.
pub(super) fn read(folder: &Path) -> Result<Items, Error> {
    let entries = sorted(folder)?;
    let labelled = entries.first().is_some_and(|entry| entry.is_dir());
    let mut pictures = Vec::new();
    for entry in entries {
        if !labelled {
            pictures.push((entry, 0));
            continue;
        }
        let label = entry.file_name().and_then(|name| name.to_str()?.parse().ok());
        let Some(label) = label.filter(|_| entry.is_dir()) else {
            return Err(ConvertError::NotAFolderOfPictures { path: folder.to_owned() }.into());
        };
        pictures.extend(sorted(&entry)?.into_iter().map(|picture| (picture, label)));
    }
    let (mut pixels, mut labels, mut size) = (Vec::new(), Vec::new(), None);
    for (path, label) in pictures {
        let picture = read_png(&path, Color::AsStored)?;
        let found = [picture.height, picture.width, picture.channels];
        let expected = *size.get_or_insert(found);
        if found != expected {
            return Err(ConvertError::PictureSize { path, expected, found }.into());
        }
        pixels.extend(picture.pixels);
        labels.push(label);
    }
    let Some([rows, columns, channels]) = size else {
        return Err(ConvertError::NotAFolderOfPictures { path: folder.to_owned() }.into());
    };
    let mut shape = vec![labels.len(), rows, columns];
    shape.extend(Some(channels).filter(|&channels| channels > 1));
    Ok(Items { idx: Idx { shape, values: Values::U8(pixels) }, labels: labelled.then_some(labels) })
}

/// What is in a folder, but for names that begin with a dot.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>());
    let mut paths = paths.map_err(|source| Error::Read { path: folder.to_owned(), source })?;
    let hidden =
        |path: &PathBuf| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| !hidden(path));
    paths.sort();
    Ok(paths)
}

/// Writes `00000.png` and so on, in folders by label if there are labels. The folder appears when all of it is there, synced.
pub(super) fn write(folder: &Path, items: &Items) -> Result<(), Error> {
    let Items { idx, .. } = items;
    let picture =
        matches!(idx.shape[..], [_, rows, columns] | [_, rows, columns, 3] if rows > 0 && columns > 0);
    if !picture || idx.element_type() != ElementType::U8 {
        let (path, element_type, shape) = (folder.to_owned(), idx.element_type(), idx.shape.clone());
        return Err(ConvertError::NoPictures { path, element_type, shape }.into());
    }
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(ConvertError::FolderExists { path: folder.to_owned() }.into());
    }
    let written = write_beside(folder, items);
    written.map_err(|source| ConvertError::Folder { path: folder.to_owned(), source }.into())
}

/// Fills a new folder beside `folder`, which then takes that name; where this fails, the new one is deleted.
fn write_beside(folder: &Path, items: &Items) -> io::Result<()> {
    let mut new = tempfile::Builder::new();
    new.prefix(".densely-").suffix(".partial");
    // Those of any new folder, from which the system takes what the user's mask forbids.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let new = new.tempdir_in(parent(folder))?;
    fill(new.path(), items)?;
    // An empty folder gives way to one that is renamed only on some systems.
    fs::remove_dir(folder).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    fs::rename(new.path(), folder)?;
    let _ = new.keep(); // there is nothing by its name any more
    sync(parent(folder))
}

/// Each file and each folder is synced before this returns.
fn fill(folder: &Path, Items { idx, labels }: &Items) -> io::Result<()> {
    let mut classes = BTreeSet::new();
    let digits = idx.n_items().saturating_sub(1).to_string().len().max(5);
    for item in 0..idx.n_items() {
        let name = format!("{item:0digits$}.png");
        let path = match labels {
            Some(labels) => {
                let class = folder.join(labels[item].to_string());
                if classes.insert(labels[item]) {
                    fs::create_dir(&class)?;
                }
                class.join(name)
            }
            None => folder.join(name),
        };
        let mut file = BufWriter::new(File::create_new(path)?);
        idx.write_png(item, &mut file).map_err(io::Error::other)?;
        file.into_inner()?.sync_all()?;
    }
    classes.iter().try_for_each(|class| sync(&folder.join(class.to_string())))?;
    sync(folder)
}

/// Makes the names in a folder last through a loss of power.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot sync a folder, and a folder may be writable but not readable.
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied) => Ok(()),
        outcome => outcome,
    }
}

/// Where folders cannot be opened, the system sees to it.
#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}
