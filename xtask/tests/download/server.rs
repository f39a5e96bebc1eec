//! A web server on this machine that misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does when it is asked for a path. Unless it says otherwise, HEAD gets the head of the same answer.
#[derive(Clone)]
pub(crate) enum Reply {
    /// The body, with its length.
    Body(Vec<u8>),
    /// The body without a length, ended by closing the connection.
    BodyWithoutLength(Vec<u8>),
    /// This status.
    Status(u16),
    /// A redirection to this address.
    Redirect(String),
    /// The length of the whole body, but only so many bytes of it before the connection is closed.
    Cut(Vec<u8>, usize),
    /// The length of the whole body and so many bytes of it, then nothing.
    Stall(Vec<u8>, usize),
    /// A body that does not end, as long as somebody reads it.
    Endless(u8),
    /// No answer: the connection is closed. HEAD gets 200.
    HangUp,
    /// Bytes that are not HTTP. HEAD gets 200.
    Garbage,
}

/// Runs until the test's process ends.
pub(crate) struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each path with what `reply` says.
    pub(crate) fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, reply) = (requests.clone(), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, reply) = (log.clone(), reply.clone());
                // A client that hangs up early ends the connection with an error, and that is fine.
                thread::spawn(move || drop(serve(stream.unwrap(), &log, &*reply)));
            }
        });
        Self { address, requests }
    }

    /// With a slash at the end.
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// The paths of all GET requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<String>>, reply: &dyn Fn(&str) -> Reply) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let get = method == "GET";
    if get {
        log.lock().unwrap().push(path.to_string());
    }
    let mut stream = &stream;
    let ok =
        |length: usize| format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let without_length = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    match reply(path) {
        Reply::HangUp if get => Ok(()),
        Reply::Garbage if get => stream.write_all(b"\x00\xff\r\n\r\n"),
        Reply::HangUp | Reply::Garbage => stream.write_all(ok(0).as_bytes()),
        Reply::Status(code) => {
            write!(stream, "HTTP/1.1 {code} \r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        Reply::Redirect(to) => {
            write!(
                stream,
                "HTTP/1.1 302 \r\nLocation: {to}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
        }
        Reply::Body(body) | Reply::Cut(body, _) | Reply::Stall(body, _) if !get => {
            stream.write_all(ok(body.len()).as_bytes())
        }
        Reply::Body(body) => {
            stream.write_all(ok(body.len()).as_bytes())?;
            stream.write_all(&body)
        }
        Reply::Cut(body, n_bytes) => {
            stream.write_all(ok(body.len()).as_bytes())?;
            stream.write_all(&body[..n_bytes])
        }
        Reply::Stall(body, n_bytes) => {
            stream.write_all(ok(body.len()).as_bytes())?;
            stream.write_all(&body[..n_bytes])?;
            // Until the client gives up and closes its side, but no longer than any test.
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            stream.read(&mut [0]).map(drop)
        }
        Reply::BodyWithoutLength(body) => {
            stream.write_all(without_length.as_bytes())?;
            if get { stream.write_all(&body) } else { Ok(()) }
        }
        Reply::Endless(byte) => {
            stream.write_all(without_length.as_bytes())?;
            if !get {
                return Ok(());
            }
            loop {
                stream.write_all(&[byte; 4096])?;
            }
        }
    }
}
