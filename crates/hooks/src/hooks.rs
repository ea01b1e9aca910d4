//! All hooks of a process, while it holds the office.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use log::Log;
use telemetry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::post::Poster;
use crate::worker::{End, House, Worker};
use crate::{Clock, Error, Hook, HookName};

/// How often one looks whether it holds the office.
const LOOKING: Duration = Duration::from_millis(500);

/// Delivers to every endpoint. Of several processes one does.
pub struct Hooks {
    house: House,
    hooks: Vec<(Arc<Hook>, Poster)>,
    /// Those whose endpoint said that it is gone, while this process runs.
    gone: BTreeSet<HookName>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("hooks", &self.hooks).finish_non_exhaustive()
    }
}

type Workers = JoinSet<(HookName, Result<End, Error>)>;

impl Hooks {
    /// These hooks, each with a name of its own.
    ///
    /// # Errors
    ///
    /// Where the log can't be stood for an office in, a client can't be made, or a metric's name is taken.
    pub fn new(hooks: Vec<Hook>, log: Arc<dyn Log>, clock: Clock, registry: &Registry) -> Result<Self, Error> {
        let candidacy =
            log.stand_for("hooks").map_err(|source| Error::Log { doing: "standing for its office", source })?;
        let with_poster = |hook: Hook| Ok((Poster::new(&hook)?, hook)).map(|(poster, hook)| (Arc::new(hook), poster));
        let house = House {
            producer: log.producer(),
            log,
            candidacy: candidacy.into(),
            clock,
            metrics: Metrics::register(registry)?,
        };
        let hooks = hooks.into_iter().map(with_poster).collect::<Result<_, Error>>()?;
        Ok(Self { house, hooks, gone: BTreeSet::new() })
    }

    /// Delivers until `shutdown`, while this process holds the office.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written for good. What an endpoint does is never an error.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            let served = if self.house.candidacy.holds_office() { self.serve(&shutdown).await } else { Ok(()) };
            match served {
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "hooks wait for the log");
                }
                served => served?,
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOKING) => {}
            }
        }
        Ok(())
    }

    /// Runs the hooks for as long as the office is held and all goes well.
    async fn serve(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let term = shutdown.child_token();
        let mut workers = self.start(&term).await?;
        let mut result = Ok(());
        loop {
            tokio::select! {
                biased;
                () = term.cancelled() => break,
                Some(ended) = workers.join_next() => {
                    result = self.ended(ended);
                    if result.is_err() {
                        break;
                    }
                }
                () = tokio::time::sleep(LOOKING) => if !self.house.candidacy.holds_office() { break },
            }
        }
        term.cancel();
        while let Some(ended) = workers.join_next().await {
            let ended = self.ended(ended);
            result = result.and(ended);
        }
        // Whoever has the office next tells these.
        self.house.metrics.waiting.reset();
        self.house.metrics.dead_letters.reset();
        result
    }

    async fn start(&self, term: &CancellationToken) -> Result<Workers, Error> {
        let (log, until) = (Arc::clone(&self.house.log), term.clone());
        let read = tokio::task::spawn_blocking(move || Memory::read(log.as_ref(), &until));
        let memory = read.await.map_err(|_| Error::Panicked)??;
        let mut workers = Workers::new();
        if term.is_cancelled() {
            return Ok(workers);
        }
        for (hook, poster) in &self.hooks {
            let name = hook.name.clone();
            let dead_letters = i64::try_from(memory.dead_letters_of(&name)).unwrap_or(i64::MAX);
            self.house.metrics.dead_letters.with_label_values(&[name.as_str()]).set(dead_letters);
            let is_gone = self.gone.contains(&name);
            self.house.metrics.disabled.with_label_values(&[name.as_str()]).set(is_gone.into());
            if !is_gone {
                let progress = memory.progress_of(&name)?;
                let worker = Worker::new(self.house.clone(), Arc::clone(hook), poster.clone(), progress);
                let term = term.clone();
                workers.spawn(async move { (name, worker.run(term).await) });
            }
        }
        Ok(workers)
    }

    fn ended(&mut self, ended: Result<(HookName, Result<End, Error>), tokio::task::JoinError>) -> Result<(), Error> {
        let (name, ended) = ended.map_err(|_| Error::Panicked)?;
        if ended? == End::Gone {
            tracing::error!(
                hook = %name,
                "the endpoint says that it is gone (410): nothing more is delivered there until Weir is started again; \
                 what waits is kept. Set the endpoint's new url, or take the hook out"
            );
            self.house.metrics.disabled.with_label_values(&[name.as_str()]).set(1);
            self.gone.insert(name);
        }
        Ok(())
    }
}
