//! Mirrors that truncate, corrupt, redirect, refuse, stall and serve other things.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use xtask::download::{Error, Outcome};
use xtask::manifest::Source;

use crate::fixture::{Fixture, gzip, images, mirror, names, sound, tiny};
use crate::server::{Reply, Server};

/// An address at which nothing listens.
fn closed() -> Source {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Source::Mirror(format!("http://127.0.0.1:{port}/"))
}

#[test]
fn whatever_a_mirror_does_wrong_the_next_one_is_asked() {
    let whole = gzip(&images());
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let mut other_content = images();
    other_content[20_000] ^= 1;
    let mut longer = images();
    longer.push(b'\n');
    let two_members = [gzip(&images()), gzip(b"and more")].concat();
    for (fault, reply, reason) in [
        ("404", Reply::Status(404), "images.gz: 404 Not Found"),
        ("403", Reply::Status(403), "images.gz: 403 Forbidden"),
        ("503", Reply::Status(503), "images.gz: 503 Service Unavailable"),
        ("a status of its own", Reply::Status(599), "images.gz: 599"),
        ("a cut body", Reply::Cut(whole.clone(), whole.len() / 2), "images broke off after"),
        ("no body at all", Reply::Cut(whole.clone(), 0), "images broke off after 0 of 29,000 bytes"),
        (
            "a cut file, served as whole",
            Reply::Body(whole[..whole.len() - 9].to_vec()),
            "images broke off after",
        ),
        ("an empty file", Reply::Body(Vec::new()), "images ends after 0 of 29,000 bytes"),
        ("a flipped bit in transit", Reply::Body(flipped), "images"),
        ("other bytes, soundly packed", Reply::Body(gzip(&other_content)), "images has SHA-256"),
        ("other bytes, not packed", Reply::Body(other_content), "images has SHA-256"),
        (
            "a page instead",
            Reply::Body(b"<html>Please log in</html>".to_vec()),
            "images ends after 26 of 29,000 bytes",
        ),
        ("a longer file", Reply::Body(gzip(&longer)), "images is longer than 29,000 bytes"),
        ("a second gzip member", Reply::Body(two_members), "images is longer than 29,000 bytes"),
        (
            "rubbish after the gzip member",
            Reply::Body([&whole[..], b"rubbish"].concat()),
            "images broke off after",
        ),
        ("a gzip bomb", Reply::Body(gzip(&vec![0; 10_000_000])), "images is longer than 29,000 bytes"),
        ("a body without end", Reply::Endless(b'x'), "images is longer than 29,000 bytes"),
        (
            "half, without a length",
            Reply::BodyWithoutLength(whole[..whole.len() / 2].to_vec()),
            "images broke off after",
        ),
        ("no answer", Reply::HangUp, "images.gz: "),
        ("no HTTP", Reply::Garbage, "images.gz: "),
        ("silence after the head", Reply::Stall(whole.clone(), 0), "images broke off after 0 of"),
        ("silence in the middle", Reply::Stall(whole.clone(), whole.len() - 1), "images broke off after"),
        ("a redirection in a circle", Reply::Redirect("/images.gz".into()), "images.gz: "),
        ("a redirection to nowhere", Reply::Redirect("http://127.0.0.1:9/images.gz".into()), "images.gz: "),
    ] {
        let bad = Server::start(move |_| reply.clone());
        let good = Server::start(sound);
        let fixture = Fixture::new();
        let started = Instant::now();
        let outcome = fixture.downloader.download(&tiny(vec![mirror(&bad), mirror(&good)]));
        assert!(matches!(outcome, Ok(Outcome::Downloaded)), "{fault}: {outcome:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{fault}: {:?}", started.elapsed());
        fixture.check(&[]);
        let expected = format!("tiny: {}: {reason}", bad.address());
        assert!(fixture.said().contains(&expected), "{fault}: {}", fixture.said());
        assert!(
            fixture.said().contains(&format!("; trying {}", good.address())),
            "{fault}: {}",
            fixture.said()
        );
    }
}

#[test]
fn gzip_bytes_without_end_are_cut_off_too() {
    // Empty gzip members for ever: nothing comes out of them, so that only the cap on the body can end this.
    let body = gzip(b"").repeat(10_000);
    let bad = Server::start(move |_| Reply::Body(body.clone()));
    let fixture = Fixture::new();
    let error = fixture.downloader.download(&tiny(vec![mirror(&bad)])).unwrap_err();
    assert!(
        error.to_string().contains("images broke off after 0 of 29,000 bytes: the body is too long"),
        "{error}"
    );
}

#[test]
fn a_mirror_that_cannot_be_reached_is_passed_by() {
    let good = Server::start(sound);
    let fixture = Fixture::new();
    fixture.downloader.download(&tiny(vec![closed(), mirror(&good)])).unwrap();
    fixture.check(&[]);
    assert!(fixture.said().contains("refused"), "{}", fixture.said());
}

#[test]
fn mirrors_that_never_answer_cost_one_time_limit_together() {
    // These accept connections in the kernel's queue, and nobody ever reads from them.
    let silent: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let address =
        |listener: &TcpListener| Source::Mirror(format!("http://{}/", listener.local_addr().unwrap()));
    let mut fixture = Fixture::new();
    fixture.downloader.limits.answer = Duration::from_secs(1);
    fixture.downloader.limits.stall = Duration::from_secs(20);
    let started = Instant::now();
    let error = fixture.downloader.download(&tiny(silent.iter().map(address).collect())).unwrap_err();
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(900) && elapsed < Duration::from_millis(2500), "{elapsed:?}");
    assert_eq!(error.to_string().matches(": no answer within 1s").count(), 4, "{error}");
}

#[test]
fn redirections_are_followed() {
    let good = Server::start(sound);
    let address = good.address();
    let redirecting = Server::start(move |path| Reply::Redirect(format!("{address}{}", &path[1..])));
    let fixture = Fixture::new();
    fixture.downloader.download(&tiny(vec![mirror(&redirecting)])).unwrap();
    fixture.check(&[]);
}

#[test]
fn a_body_that_is_unpacked_on_the_way_is_as_good() {
    let unpacking = Server::start(|path| match path {
        "/images.gz" => Reply::BodyWithoutLength(images()),
        _ => sound(path),
    });
    let fixture = Fixture::new();
    fixture.downloader.download(&tiny(vec![mirror(&unpacking)])).unwrap();
    fixture.check(&[]);
}

#[test]
fn what_a_failing_mirror_had_is_kept_and_the_next_is_asked_only_for_the_rest() {
    let first = Server::start(|path| if path == "/images.gz" { sound(path) } else { Reply::Status(500) });
    let second = Server::start(sound);
    let fixture = Fixture::new();
    fixture.downloader.download(&tiny(vec![mirror(&first), mirror(&second)])).unwrap();
    fixture.check(&[]);
    assert_eq!(first.requests(), ["/images.gz", "/labels.gz"]);
    assert_eq!(second.requests(), ["/labels.gz"]);
}

#[test]
fn without_a_good_source_the_error_names_each_with_its_reason_and_what_belongs_where() {
    let wrong = Server::start(|path| if path == "/labels.gz" { Reply::Status(404) } else { sound(path) });
    let refusing = Server::start(|_| Reply::Status(503));
    let mut fixture = Fixture::new();
    fixture.downloader.sources = vec![Source::Folder("/no/such/folder".into())];
    let error =
        fixture.downloader.download(&tiny(vec![mirror(&wrong), mirror(&refusing), closed()])).unwrap_err();
    let message = error.to_string();
    for part in [
        "tiny: 1 file is missing".to_string(),
        "\n  /no/such/folder: no such folder\n".to_string(),
        format!("\n  {}: labels.gz: 404 Not Found\n", wrong.address()),
        format!("\n  {}: labels.gz: 503 Service Unavailable\n", refusing.address()),
        "refused".to_string(),
        format!("into {} ", fixture.folder().display()),
        "--source".to_string(),
        "\n  labels  110 bytes  SHA-256 81d568ed27b0a39d148303787a17795a52b16324b0c97b1ae4961dfdd0d1939b"
            .to_string(),
    ] {
        assert!(message.contains(&part), "{part:?} is not in: {message}");
    }
    let Error::Unavailable { failures, missing, .. } = error else { panic!("{error:?}") };
    assert_eq!((failures.len(), missing.len()), (4, 1));
    // The file that did arrive was verified and stays; nothing else does.
    assert_eq!(names(&fixture.folder()), ["images", ".lock"].map(String::from).into());
}

#[test]
fn an_extra_source_is_asked_first() {
    let (extra, listed) = (Server::start(sound), Server::start(sound));
    let mut fixture = Fixture::new();
    fixture.downloader.sources = vec![mirror(&extra)];
    fixture.downloader.download(&tiny(vec![mirror(&listed)])).unwrap();
    fixture.check(&[]);
    assert_eq!((extra.requests().len(), listed.requests().len()), (2, 0));
}
