//! Mirrors: folders on the web that serve each file as NAME.gz.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use ureq::http::StatusCode;
use ureq::{Agent, Timeout};

use super::error::Reason;
use super::limits::Limits;
use super::store::Destination;
use crate::manifest::{File, Source, is_on_this_machine};

/// All mirrors among the sources, each asked for a sign of life in the background.
///
/// Asking all at once is what keeps the time short when packets vanish instead of being refused: the limits of the mirrors do
/// not add up.
pub(super) struct Mirrors {
    limits: Limits,
    agent: Agent,
    answers: HashMap<String, Receiver<Result<(), String>>>,
}

impl Mirrors {
    /// Begins to ask each mirror whether it answers for `file`, with whatever status.
    pub(super) fn ask(sources: &[Source], file: &File, limits: &Limits) -> Self {
        let agent = agent(limits);
        let mut answers = HashMap::new();
        for source in sources {
            let Source::Mirror(address) = source else { continue };
            let (sender, answer) = mpsc::channel();
            let (agent, address_of_file, limit) = (agent.clone(), address_of(address, file), limits.answer);
            thread::spawn(move || {
                // Nobody may be listening any more: a mirror before this one had everything.
                let _ = sender.send(ask(&agent, &address_of_file, limit));
            });
            answers.insert(address.clone(), answer);
        }
        Self { limits: limits.clone(), agent, answers }
    }

    /// Stores everything that is missing from the mirror at `address`.
    pub(super) fn fetch(&self, address: &str, destination: &mut Destination<'_, '_>) -> Result<(), Reason> {
        if let Some(answer) = self.answers.get(address) {
            answer.recv().unwrap_or_else(|_| Err("could not be asked".into())).map_err(Reason::Source)?;
        }
        for file in destination.missing.clone() {
            let address = address_of(address, file);
            let response = for_host(&address, self.agent.get(&address)).call();
            let response = response.map_err(|error| {
                Reason::Source(format!("{}.gz: {}", file.name, describe(&error, &self.limits)))
            })?;
            destination.store(file, response.into_body().into_reader())?;
        }
        Ok(())
    }
}

fn address_of(mirror: &str, file: &File) -> String {
    format!("{mirror}{}.gz", file.name)
}

fn agent(limits: &Limits) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("densely-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_per_read(Some(limits.stall))
        .timeout_per_write(Some(limits.stall))
        .timeout_global(Some(limits.whole))
        .build()
        .new_agent()
}

/// Whether anything answers at `address` within `limit`.
fn ask(agent: &Agent, address: &str, limit: Duration) -> Result<(), String> {
    let request = for_host(address, agent.head(address)).config().timeout_global(Some(limit));
    let request =
        request.http_status_as_error(false).max_redirects(0).max_redirects_will_error(false).build();
    match request.call() {
        Ok(_) => Ok(()),
        Err(ureq::Error::Timeout(_)) => Err(format!("no answer within {limit:?}")),
        Err(ureq::Error::Io(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// This machine is never asked for through a proxy.
fn for_host<Kind>(address: &str, request: ureq::RequestBuilder<Kind>) -> ureq::RequestBuilder<Kind> {
    if is_on_this_machine(address) { request.config().proxy(None).build() } else { request }
}

fn describe(error: &ureq::Error, limits: &Limits) -> String {
    match error {
        ureq::Error::StatusCode(code) => match StatusCode::from_u16(*code) {
            Ok(status) => status.to_string(),
            Err(_) => code.to_string(),
        },
        ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
            format!("no byte for {:?}", limits.stall)
        }
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            format!("no connection within {:?}", limits.connect)
        }
        ureq::Error::Timeout(_) => format!("not finished within {:?}", limits.whole),
        ureq::Error::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}
