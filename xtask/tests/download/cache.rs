//! What is there already: intact, damaged, left over, or in use by another download.

use std::fs;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use xtask::download::{Error, Outcome};

use crate::fixture::{Fixture, gzip, images, labels, mirror, names, sound, tiny};
use crate::server::{Reply, Server};

#[test]
fn intact_files_are_left_alone_and_no_source_is_asked() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    let dataset = tiny(vec![mirror(&server)]);
    assert_eq!(fixture.downloader.download(&dataset).unwrap(), Outcome::Downloaded);
    let modified = || fs::metadata(fixture.folder().join("images")).unwrap().modified().unwrap();
    let (before, n_requests) = (modified(), server.requests().len());
    assert_eq!(fixture.downloader.download(&dataset).unwrap(), Outcome::AlreadyThere);
    assert_eq!((modified(), server.requests().len()), (before, n_requests));
    fixture.check(&[]);
}

#[test]
fn intact_files_need_no_lock_and_no_right_to_write() {
    let fixture = Fixture::new();
    fixture.fill();
    assert_eq!(fixture.downloader.download(&tiny(vec![])).unwrap(), Outcome::AlreadyThere);
    assert_eq!(names(&fixture.folder()), ["images", "labels"].map(String::from).into());
}

#[test]
fn a_damaged_file_is_moved_aside_and_fetched_again() {
    let server = Server::start(sound);
    let mut flipped = images();
    flipped[12_345] ^= 1;
    let longer = [&images()[..], b"\n"].concat();
    for (damaged, what) in [
        (flipped, "SHA-256"),
        (images()[..28_999].to_vec(), "28999 bytes, expected 29000"),
        (longer, "29001 bytes, expected 29000"),
        (Vec::new(), "0 bytes, expected 29000"),
    ] {
        let fixture = Fixture::new();
        fixture.fill();
        fs::write(fixture.folder().join("images"), &damaged).unwrap();
        let n_requests = server.requests().len();
        assert_eq!(fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap(), Outcome::Downloaded);
        fixture.check(&["images.damaged"]);
        assert_eq!(fs::read(fixture.folder().join("images.damaged")).unwrap(), damaged);
        assert!(fixture.said().contains(&format!("tiny: images is damaged ({what}")), "{}", fixture.said());
        assert!(fixture.said().contains("moved aside as images.damaged"), "{}", fixture.said());
        // The other file was intact.
        assert_eq!(server.requests()[n_requests..], ["/images.gz"]);
    }
}

#[test]
fn earlier_damaged_files_are_not_overwritten() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    fixture.fill();
    for content in ["one", "two", "three"] {
        fs::write(fixture.folder().join("labels"), content).unwrap();
        fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap();
    }
    fixture.check(&["labels.damaged", "labels.damaged-1", "labels.damaged-2"]);
    assert_eq!(fs::read(fixture.folder().join("labels.damaged-1")).unwrap(), b"two");
}

#[test]
fn a_folder_in_the_place_of_a_file_is_moved_aside_too() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.folder().join("images/inside")).unwrap();
    fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap();
    fixture.check(&["images.damaged"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_moved_aside_too() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    fixture.fill();
    fs::remove_file(fixture.folder().join("images")).unwrap();
    std::os::unix::fs::symlink("/no/such/file", fixture.folder().join("images")).unwrap();
    fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap();
    fixture.check(&["images.damaged"]);
}

#[test]
fn what_killed_downloads_left_is_never_used_and_removed() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.folder().join(".package.Zz9.partial/cache")).unwrap();
    fs::write(fixture.folder().join(".images.Ab1.partial"), &images()[..10_000]).unwrap();
    fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap();
    fixture.check(&[]);
}

#[test]
fn of_two_downloads_at_once_the_second_waits_and_finds_the_files() {
    let server = Server::start(|path| {
        thread::sleep(Duration::from_millis(200));
        sound(path)
    });
    let fixture = Fixture::new();
    let dataset = tiny(vec![mirror(&server)]);
    let others: Vec<_> = (0..3).map(|_| fixture.another()).collect();
    thread::scope(|scope| {
        let downloads: Vec<_> =
            others.iter().map(|downloader| scope.spawn(|| downloader.download(&dataset))).collect();
        for download in downloads {
            assert_eq!(download.join().unwrap().unwrap(), Outcome::Downloaded);
        }
    });
    fixture.check(&[]);
    assert_eq!(server.requests(), ["/images.gz", "/labels.gz"], "each file is fetched once");
    assert_eq!(fixture.said().matches("another download is at work").count(), 2, "{}", fixture.said());
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_made_for_nothing_is_removed_and_no_other() {
    let slow = Server::start(|_| {
        thread::sleep(Duration::from_millis(100));
        Reply::Status(503)
    });
    let fixture = Fixture::new();
    let dataset = tiny(vec![mirror(&slow)]);
    let others: Vec<_> = (0..3).map(|_| fixture.another()).collect();
    thread::scope(|scope| {
        let downloads: Vec<_> =
            others.iter().map(|downloader| scope.spawn(|| downloader.download(&dataset))).collect();
        for download in downloads {
            let error = download.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        }
    });
    assert!(!fixture.folder().exists());

    // One that was there stays, empty or not, and so does one that holds a file now.
    fs::create_dir(fixture.folder()).unwrap();
    fixture.downloader.download(&dataset).unwrap_err();
    assert!(fixture.folder().exists());
    let half = Server::start(|path| if path == "/images.gz" { sound(path) } else { Reply::Status(404) });
    let fixture = Fixture::new();
    fixture.downloader.download(&tiny(vec![mirror(&half)])).unwrap_err();
    assert_eq!(names(&fixture.folder()), ["images", ".lock"].map(String::from).into());
}

#[cfg(unix)]
#[test]
fn a_download_that_waited_for_one_that_failed_makes_the_folder_again() {
    // The first request is refused late, so that the second download waits; all later ones are answered.
    let n_requests = AtomicUsize::new(0);
    let server = Server::start(move |path| {
        if n_requests.fetch_add(1, Ordering::Relaxed) > 0 {
            return sound(path);
        }
        thread::sleep(Duration::from_millis(500));
        Reply::Status(503)
    });
    let fixture = Fixture::new();
    let dataset = tiny(vec![mirror(&server)]);
    let second = fixture.another();
    thread::scope(|scope| {
        let first = scope.spawn(|| fixture.downloader.download(&dataset));
        while !fixture.folder().join(".lock").exists() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(second.download(&dataset).unwrap(), Outcome::Downloaded);
        assert!(first.join().unwrap().is_err());
    });
    fixture.check(&[]);
    assert_eq!(fixture.said().matches("another download is at work").count(), 1, "{}", fixture.said());
}

#[test]
fn offline_intact_files_are_used_and_nothing_is_fetched_or_moved() {
    let server = Server::start(sound);
    let mut fixture = Fixture::new();
    fixture.downloader.offline = true;
    fixture.downloader.sources = vec![mirror(&server)];
    let dataset = tiny(vec![mirror(&server)]);

    let Err(Error::Unavailable { failures, missing, .. }) = fixture.downloader.download(&dataset) else {
        panic!("nothing is there");
    };
    assert_eq!((failures.len(), missing.len()), (0, 2));
    assert!(!fixture.folder().exists());

    fixture.fill();
    assert_eq!(fixture.downloader.download(&dataset).unwrap(), Outcome::AlreadyThere);

    fs::write(fixture.folder().join("labels"), "damaged").unwrap();
    let Err(Error::Unavailable { failures, missing, .. }) = fixture.downloader.download(&dataset) else {
        panic!("a file is damaged");
    };
    assert_eq!((&*failures[0].source, &*failures[0].reason), ("labels", "damaged: 7 bytes, expected 110"));
    assert_eq!(missing.len(), 1);
    assert_eq!(names(&fixture.folder()), ["images", "labels"].map(String::from).into());
    assert!(server.requests().is_empty());
}

#[test]
fn gzip_files_put_there_by_hand_are_unpacked() {
    let refusing = Server::start(|_| Reply::Status(503));
    let mut fixture = Fixture::new();
    fixture.downloader.offline = true;
    fs::create_dir_all(fixture.folder()).unwrap();
    fs::write(fixture.folder().join("images.gz"), gzip(&images())).unwrap();
    fs::write(fixture.folder().join("labels"), labels()).unwrap();
    assert_eq!(fixture.downloader.download(&tiny(vec![mirror(&refusing)])).unwrap(), Outcome::Downloaded);
    fixture.check(&["images.gz"]);
}

#[test]
fn a_file_in_the_way_of_the_folder_is_an_error_of_the_disk() {
    let server = Server::start(sound);
    let fixture = Fixture::new();
    fs::write(fixture.folder(), "in the way").unwrap();
    let error = fixture.downloader.download(&tiny(vec![mirror(&server)])).unwrap_err();
    assert!(matches!(error, Error::Disk { .. }), "{error:?}");
    assert!(error.to_string().contains("tiny"), "{error}");
    assert_eq!(fs::read(fixture.folder()).unwrap(), b"in the way");
}
