//! The files of backups: when they are there, and that no damaged one is taken for a whole.

use super::*;
use densely::Pool;
use densely::callbacks::LambdaCallback;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::fs;

/// So small that each of its backup's bytes can be changed in turn.
fn small() -> Model<f32> {
    let network = Sequential::new(1).add(Dense::new(2).use_bias(false).activation(Activation::Softmax));
    network.compile(Compile { pool: Pool::new(1).unwrap(), ..Compile::default() }).expect("a valid network")
}

/// Goes on from a backup, or says why not.
fn resume(folder: &Path) -> Result<(String, History), Error> {
    let mut model = model::<f32>(Optimizer::default());
    let history = model.fit(&data(40), fit(folder))?;
    Ok((model.fingerprint(), history))
}

#[test]
fn a_good_end_removes_the_backup_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("a/b");
    let run = |options: BackupAndRestore, epochs| {
        let mut files = Vec::new();
        let mut look = LambdaCallback::new().on_epoch_end(|_, _| files.push(names(&backup)));
        let fit = Fit { epochs, callbacks: vec![&mut look], backup: Some(options), ..Fit::default() };
        model::<f32>(Optimizer::default()).fit(&data(40), fit).unwrap();
        drop(look);
        (files, names(&backup))
    };
    let one = vec![NEWEST.to_owned()];
    let two = vec![PREVIOUS.to_owned(), NEWEST.to_owned()];
    let options = || BackupAndRestore::new(&backup);
    assert_eq!(run(options(), 2), (vec![one.clone(); 2], Vec::new()));
    assert!(!backup.exists() && backup.parent().unwrap().exists());
    assert_eq!(run(options().double_checkpoint(true), 2), (vec![one.clone(), two.clone()], Vec::new()));
    fs::create_dir_all(&backup).unwrap();
    // What a killed run left half-written goes, what is somebody else's stays.
    fs::write(backup.join(".densely-checkpoint-x1y2.partial"), "half").unwrap();
    fs::write(backup.join(".densely-x1y2.partial"), "of another file").unwrap();
    assert_eq!(run(options(), 1).1, [".densely-x1y2.partial"]);
    fs::remove_file(backup.join(".densely-x1y2.partial")).unwrap();
    assert_eq!(run(options().double_checkpoint(true).delete_checkpoint(false), 3).1, two);
    // Without `double_checkpoint` the one before the newest goes.
    assert_eq!(run(options().delete_checkpoint(false), 4).1, one);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut places = vec![file.clone(), file.join("below"), "".into()];
    if cfg!(target_os = "linux") {
        places.push("/proc/densely-backup".into());
    }
    for place in places {
        let mut batches = 0;
        let mut count = LambdaCallback::new().on_train_batch_begin(|_, _| batches += 1);
        let fit = Fit { callbacks: vec![&mut count], ..fit(&place) };
        let error = model::<f32>(Optimizer::default()).fit(&data(40), fit).unwrap_err().to_string();
        assert_eq!(error, format!("cannot write {}", place.display()));
        drop(count);
        assert_eq!(batches, 0);
    }
    let error =
        fs::create_dir(folder.path().join(NEWEST)).map(|()| resume(folder.path()).unwrap_err().to_string());
    assert_eq!(error.unwrap(), format!("cannot read {}", folder.path().join(NEWEST).display()));
}

#[test]
fn every_damaged_backup_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NEWEST);
    let data = Dataset::from_bytes(1, vec![0, 1, 2, 3], vec![0, 1, 0, 1], 2).unwrap();
    let fit = || Fit { batch_size: 2, ..fit(folder.path()) };
    let mut crash = Crash::new(At::BatchEnd(2, 2));
    small().fit(&data, Fit { callbacks: vec![&mut crash], ..fit() }).unwrap_err();
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() < 4096, "the test cuts and changes {} bytes one by one", whole.len());
    let check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let error = small().fit(&data, fit()).expect_err(what).to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{what}: {error}");
        assert!(fs::read(&path).unwrap() == bytes, "{what}");
    };
    for length in 0..whole.len() {
        check(&whole[..length], &format!("the first {length} bytes"));
    }
    let mut bytes = whole.clone();
    for place in 0..bytes.len() {
        bytes[place] ^= 1 << (place % 8);
        check(&bytes, &format!("byte {place} is another"));
        bytes[place] ^= 1 << (place % 8);
    }
    fs::write(&path, &whole).unwrap();
    assert!(small().fit(&data, fit()).unwrap().restored.is_some());
}

#[test]
fn the_backup_before_is_taken_if_the_newest_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (newest, previous) = (folder.path().join(NEWEST), folder.path().join(PREVIOUS));
    let double = || {
        let backup =
            BackupAndRestore::new(folder.path()).save_freq(SaveFreq::Batches(1)).delete_checkpoint(false);
        Fit { backup: Some(backup.double_checkpoint(true)), ..fit(folder.path()) }
    };
    let mut undisturbed = model::<f32>(Optimizer::default());
    let expected = undisturbed.fit(&data(40), Fit { backup: None, ..double() }).unwrap();
    let mut crash = Crash::new(At::BatchBegin(2, 4));
    model::<f32>(Optimizer::default())
        .fit(&data(40), Fit { callbacks: vec![&mut crash], ..double() })
        .unwrap_err();
    let (whole, before) = (fs::read(&newest).unwrap(), fs::read(&previous).unwrap());
    let resume = |batch, is_damaged: bool| {
        let mut model = model::<f32>(Optimizer::default());
        let history = model.fit(&data(40), double()).unwrap();
        assert_eq!(figures(&history), figures(&expected));
        assert_eq!(model.fingerprint(), undisturbed.fingerprint());
        let restored = history.restored.unwrap();
        assert_eq!((restored.epoch, restored.batch), (1, batch));
        let said = restored.damaged.as_ref().is_some_and(|damaged| damaged.contains(NEWEST));
        assert_eq!(said, is_damaged, "{restored}");
    };
    resume(3, false);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&newest, &damaged).unwrap();
    fs::write(&previous, &before).unwrap();
    resume(2, true);
    // A run can be killed between two renames.
    fs::remove_file(&newest).unwrap();
    fs::write(&previous, &before).unwrap();
    resume(2, false);
    // A damaged one does not push out the one before when the next is written: that is what a second crash goes on from.
    fs::write(&newest, &damaged).unwrap();
    fs::write(&previous, &before).unwrap();
    let mut crash = Crash::new(At::BatchBegin(2, 4));
    model::<f32>(Optimizer::default())
        .fit(&data(40), Fit { callbacks: vec![&mut crash], ..double() })
        .unwrap_err();
    assert!(fs::read(&previous).unwrap() == before);
    resume(3, false);
    // If both are damaged, that is an error.
    fs::write(&newest, &damaged).unwrap();
    fs::write(&previous, &before[1..]).unwrap();
    let error = model::<f32>(Optimizer::default()).fit(&data(40), double()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: the file is damaged: ", newest.display())), "{error}");
}

#[test]
fn files_of_another_kind_or_a_newer_format_are_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (newest, previous) = (folder.path().join(NEWEST), folder.path().join(PREVIOUS));
    interrupted(folder.path(), At::BatchEnd(2, 3));
    let checkpoint = fs::read(&newest).unwrap();
    let error = Model::<f32>::load(&newest, Pool::new(1).unwrap()).unwrap_err().to_string();
    assert_eq!(error, format!("{}: the file is a checkpoint, expected a model", newest.display()));
    model::<f32>(Optimizer::default()).save(&newest).unwrap();
    let error = resume(folder.path()).unwrap_err().to_string();
    assert_eq!(error, format!("{}: the file is a model, expected a checkpoint", newest.display()));

    let mark = b"format: 1,";
    let place = checkpoint.windows(mark.len()).position(|window| window == mark).unwrap();
    let mut newer = checkpoint.clone();
    newer[place + 8] = b'2';
    fs::write(&newest, newer).unwrap();
    // What is wrong is not the file, so the one before is not taken in its place.
    fs::write(&previous, &checkpoint).unwrap();
    let error = resume(folder.path()).unwrap_err().to_string();
    let expected = "the file is in format 2, this version reads up to format 1; a newer densely reads it";
    assert_eq!(error, format!("{}: {expected}", newest.display()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Damage that the checksum does not show reaches everything behind it.
    #[test]
    fn no_damage_behind_the_checksum_makes_a_run_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NEWEST);
        interrupted(folder.path(), At::BatchEnd(2, 3));
        let mut bytes = fs::read(&path).unwrap();
        let mark = br#"checksum: \""#;
        let start = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len();
        for (place, value) in changes {
            let place = start + 64 + place.index(bytes.len() - start - 64);
            bytes[place] = value;
        }
        bytes[start..start + 64].fill(b'0');
        let digits: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        bytes[start..start + 64].copy_from_slice(digits.as_bytes());
        fs::write(&path, bytes).unwrap();
        let _ = resume(folder.path());
    }
}
