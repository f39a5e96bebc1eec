//! What all parts of the bench share: who is measured, on what, and the taking of turns.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use super::contender::{Contender, Missing};
use super::process::{Answered, ask};
use super::task::Task;
use crate::figure::Figure;
use crate::roofline;

/// Of one bench.
pub(super) struct Session {
    /// Ours first.
    pub(super) contenders: Vec<Contender>,
    pub(super) missing: Vec<Missing>,
    /// The folder with MNIST's files.
    pub(super) data: PathBuf,
    /// Numbers of threads, ascending.
    pub(super) threads: Vec<usize>,
    pub(super) rounds: usize,
    /// Epochs that count.
    pub(super) epochs: usize,
    pub(super) seeds: u64,
    /// The benchmark that measures the peak of fused multiply-adds.
    pub(super) roofline: PathBuf,
    /// When the bench began.
    pub(super) start: Instant,
}

/// What one contender answered in the rounds of a measurement.
pub(super) type Answers<A> = Vec<Answered<A>>;

impl Session {
    pub(super) fn most_threads(&self) -> usize {
        self.threads.iter().copied().max().unwrap_or(1)
    }

    /// GFLOP/s of fused multiply-adds: the upper quartile of nine samples.
    pub(super) fn peak(&self, threads: usize) -> Result<f64> {
        let (Figure { upper, .. }, _) = roofline::peak(&self.roofline, threads)?;
        Ok(upper)
    }

    /// Says on standard error what is measured now.
    pub(super) fn say(&self, what: &str) {
        eprintln!("{:>5.0} s  {what}", self.start.elapsed().as_secs_f64());
    }

    /// Asks each contender once for which `task` has one, and adds the answers to those of the rounds before. A peer that fails is left
    /// out from then on, and noted.
    ///
    /// # Errors
    ///
    /// If densely fails.
    pub(super) fn round<'a, A: DeserializeOwned>(
        &self,
        answers: &mut Vec<Answers<A>>,
        failures: &mut Failures,
        what: &str,
        task: impl Fn(&Contender) -> Option<Task<'a>>,
    ) -> Result<()> {
        answers.resize_with(self.contenders.len(), Vec::new);
        for (contender, answers) in self.contenders.iter().zip(answers) {
            let Some(task) = task(contender).filter(|_| !failures.has(&contender.name)) else { continue };
            self.say(&format!("{what}: {}", contender.name));
            match ask(contender, &task).with_context(|| contender.name.clone()) {
                Ok(answered) => answers.push(answered),
                Err(error) if contender.is_ours() => return Err(error),
                Err(error) => failures.add(&contender.name, &format!("{what}: {error:#}")),
            }
        }
        Ok(())
    }
}

/// Peers that failed in a part of the bench.
#[derive(Default)]
pub(super) struct Failures(Vec<(String, String)>);

impl Failures {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(failed, _)| failed == name)
    }

    fn add(&mut self, name: &str, why: &str) {
        eprintln!("warning: {why}");
        self.0.push((name.to_owned(), why.to_owned()));
    }

    /// A sentence for the section, if any failed.
    pub(super) fn sentence(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| &**name).collect();
        if names.is_empty() { String::new() } else { format!("Failed: {}.\n", names.join("; ")) }
    }
}
