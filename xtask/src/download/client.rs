//! Running another program, such as a package client, so that it ends in bounded time whatever its network does.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::limits::ClientLimits;
use super::report::Bar;

/// How often the program and its folder are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// A program that writes into a folder.
pub(super) struct Client<'a> {
    /// The program's current folder. It is taken as alive as long as the files in it grow.
    pub(super) folder: &'a Path,
    pub(super) limits: &'a ClientLimits,
    /// Shows how many bytes the folder holds.
    pub(super) bar: &'a Bar,
}

impl Client<'_> {
    /// Runs `program`; an error says why it did not succeed, for a person to read.
    pub(super) fn run(&self, program: &str, arguments: &[String]) -> Result<(), String> {
        let mut errors =
            tempfile::tempfile().map_err(|error| format!("cannot make a temporary file: {error}"))?;
        let errors_of_program =
            errors.try_clone().map_err(|error| format!("cannot share a temporary file: {error}"))?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(self.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors_of_program)
            .spawn();
        let mut child = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{program} is not installed"),
            _ => format!("{program} cannot be started: {error}"),
        })?;
        let watched = self.watch(&mut child);
        if watched.is_err() {
            // It may have ended by itself in this moment; then there is nothing to kill.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| format!("{program} is lost: {error}"))?;
        watched.map_err(|reason| format!("{program} {reason}"))?;
        if status.success() {
            return Ok(());
        }
        let said = complaint(&mut errors).unwrap_or_default();
        Err(format!("{program} failed ({status}){}{said}", if said.is_empty() { "" } else { ": " }))
    }

    /// Waits for the end of the program; an error is the time limit that it went past.
    fn watch(&self, child: &mut Child) -> Result<(), String> {
        let ClientLimits { start, stall, whole } = *self.limits;
        let started = Instant::now();
        let at_first = size(self.folder);
        let (mut largest, mut grown) = (at_first, started);
        loop {
            // An error means that the program cannot be waited for, which `wait` will report.
            if !matches!(child.try_wait(), Ok(None)) {
                return Ok(());
            }
            let now = Instant::now();
            let bytes = size(self.folder);
            if bytes > largest {
                (largest, grown) = (bytes, now);
                self.bar.set(bytes);
            }
            let patience = if largest == at_first { start } else { stall };
            if now - grown > patience {
                return Err(format!("received nothing for {:.1} s", patience.as_secs_f64()));
            }
            if now - started > whole {
                return Err(format!("was not finished after {:.0} s", whole.as_secs_f64()));
            }
            thread::sleep(INTERVAL);
        }
    }
}

/// The bytes of all files below `folder`; what vanishes while it is looked at counts nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// What the program complained of first, on one line of moderate length.
fn complaint(errors: &mut fs::File) -> io::Result<String> {
    /// Beginnings of lines that say nothing to a person.
    const NOISE: [&str; 7] = ["W:", "npm ", "at ", "errno ", "syscall ", "Log files ", "A complete log "];
    const MOST_LINES: usize = 3;
    const MOST_CHARACTERS: usize = 300;
    errors.rewind()?;
    let mut text = Vec::new();
    errors.take(1 << 16).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(|line| line.trim_start_matches("npm error").trim());
    let is_noise = |line: &str| line.is_empty() || NOISE.iter().any(|noise| line.starts_with(noise));
    let telling: Vec<&str> = lines.filter(|line| !is_noise(line)).take(MOST_LINES).collect();
    let words = telling.join("; ");
    Ok(match words.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    })
}
