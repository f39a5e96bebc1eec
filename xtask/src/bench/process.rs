//! One measured process: limited to its threads, timed from its start to its answer, its memory watched.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::contender::Contender;
use super::task::Task;

/// A process that has not answered by then is ended.
const LIMIT: Duration = Duration::from_secs(600);

/// How long lines are waited for when it has ended.
const REST: Duration = Duration::from_secs(1);

/// How often its memory is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// What limits the threads of the libraries that peers are built on.
const THREAD_VARIABLES: [&str; 6] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "MATMUL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
];

/// An answer, and what the process that gave it took.
pub(super) struct Answered<A> {
    pub(super) answer: A,
    /// From the start of the process to the line that it answered with.
    pub(super) seconds: f64,
    /// The most memory it has had, bytes; 0 where the system does not tell.
    pub(super) peak_memory: u64,
}

/// Asks a contender in a process of its own.
///
/// # Errors
///
/// If the process cannot be started, fails, takes longer than ten minutes, or does not print an answer; with the end of what
/// it said on standard error.
pub(super) fn ask<A: DeserializeOwned>(contender: &Contender, task: &Task<'_>) -> Result<Answered<A>> {
    let mut command = on_processors(task.threads, &contender.program);
    command.args(&contender.arguments).arg(serde_json::to_string(task)?).args(&contender.more_arguments);
    for variable in THREAD_VARIABLES {
        command.env(variable, task.threads.to_string());
    }
    let mut complaints = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(complaints.try_clone()?);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {}", contender.program.display()))?;
    let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let (sender, answers) = mpsc::channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok).filter(|line| line.starts_with('{')) {
            // Nobody listens any more where the process was given up.
            let _ = sender.send((line, start.elapsed()));
        }
    });
    let (ended, peak_memory) = watch(&mut child, start)?;
    // What the process has started may keep its output open.
    let answer = iter::from_fn(|| answers.recv_timeout(REST).ok()).last();
    match answer.filter(|_| ended.is_ok()) {
        Some((line, time)) => {
            let answer = serde_json::from_str(&line).with_context(|| format!("its answer, {line}"))?;
            Ok(Answered { answer, seconds: time.as_secs_f64(), peak_memory })
        }
        None => bail!("{}: {}", ended.err().unwrap_or("gave no answer".into()), end_of(&mut complaints)?),
    }
}

/// A command that runs on so many of the processors that this process may use, the last ones, if there is a `taskset` to do that:
/// then one thread is one core for every library. Elsewhere the variables have to do.
fn on_processors(threads: usize, program: &Path) -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let processors = allowed.and_then(processors).unwrap_or_default();
    match taskset() {
        Some(taskset) if processors.len() >= threads => {
            let last = &processors[processors.len() - threads..];
            let list = last.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            let mut command = Command::new(taskset);
            command.arg("--cpu-list").arg(list).arg(program);
            command
        }
        _ => Command::new(program),
    }
}

/// Where `taskset` (util-linux) is.
pub(super) fn taskset() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("taskset")).find(|file| file.is_file())
}

/// The numbers of a list such as `0-2,7`.
fn processors(list: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        numbers.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    Some(numbers)
}

/// Waits for the process to end, or ends it if it takes too long. Whether it succeeded, and the most memory it has had, as Linux tells it.
fn watch(child: &mut Child, start: Instant) -> Result<(Result<(), String>, u64)> {
    let file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait()? {
            let ended = if status.success() { Ok(()) } else { Err(format!("ended with {status}")) };
            return Ok((ended, peak));
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok((Err(format!("no answer after {} s", LIMIT.as_secs())), peak));
        }
        // A process that has just ended has no memory any more.
        peak = peak.max(most_memory(&fs::read_to_string(&file).unwrap_or_default()).unwrap_or(0));
        thread::sleep(INTERVAL);
    }
}

/// The most memory that a process has had, bytes, in the words of its `/proc/…/status`.
fn most_memory(status: &str) -> Option<u64> {
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    Some(1024 * kilobytes.trim().parse::<u64>().ok()?)
}

/// The last lines of what a process said on standard error.
fn end_of(file: &mut fs::File) -> Result<String> {
    const MOST: usize = 2000;
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(MOST)..]).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_have_numbers_and_ranges() {
        for (list, expected) in [
            ("\t0-1\n", Some(vec![0, 1])),
            ("3", Some(vec![3])),
            ("0-2,7,10-11", Some(vec![0, 1, 2, 7, 10, 11])),
            ("", None),
            ("0-", None),
        ] {
            assert_eq!(processors(list), expected, "{list:?}");
        }
    }

    #[test]
    fn the_most_memory_is_in_kilobytes() {
        let status = "Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t   12345 kB\nVmRSS:\t  1 kB\n";
        assert_eq!(most_memory(status), Some(12_345 * 1024));
        assert_eq!(most_memory("Name:\tx\n"), None);
    }

    #[cfg(unix)]
    mod programs {
        use super::*;
        use crate::bench::task::{Accuracies, Kind};

        /// Runs a shell script as a contender.
        fn run(script: &str) -> Result<Answered<Accuracies>> {
            let contender = Contender::new("script", "/bin/sh").arguments(["-c", script]);
            ask(&contender, &Task::new(Kind::Accuracy, Path::new("."), 1))
        }

        #[test]
        fn the_last_line_of_json_is_the_answer() {
            let script =
                r#"echo talk; echo '{"test_accuracy":[0.1]}'; echo '{"test_accuracy":[0.5,0.9]}'; echo more"#;
            let answered = run(script).unwrap();
            assert_eq!(answered.answer.test_accuracy, [0.5, 0.9]);
            assert!(answered.seconds > 0.0);
        }

        #[test]
        fn what_fails_says_why() {
            for (script, expected) in [
                ("echo '{}'; echo no such thing >&2; exit 3", "no such thing"),
                ("echo hello", "gave no answer"),
                ("echo '{\"else\":1}'", "its answer"),
            ] {
                let error = format!("{:#}", run(script).err().unwrap());
                assert!(error.contains(expected), "{error}");
            }
        }
    }
}
