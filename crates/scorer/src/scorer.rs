//! Starting the scorer, asking it, and waiting for its end.

use std::sync::Arc;
use std::thread::JoinHandle;

use log::Log;
use policy::Policy;
use telemetry::Registry;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::driver::Driver;
use crate::handle::{Handle, questions};
use crate::metrics::Metrics;
use crate::watched::Watched;
use crate::{Clock, Error, Troubles};

/// A running scorer.
#[derive(Debug)]
pub struct Scorer {
    handle: Handle,
    troubles: Troubles,
    ended: oneshot::Receiver<Result<(), Error>>,
    thread: JoinHandle<()>,
}

impl Scorer {
    /// Starts the scorer's thread; it ends when `shutdown` is cancelled or when it fails. The clock tells how old things are
    /// that the metrics show, and nothing else.
    ///
    /// # Errors
    ///
    /// Where a metric can't be registered, the log not be read, or no thread be had.
    pub fn start(
        config: Config,
        log: &Arc<dyn Log>,
        policy: Arc<Policy>,
        (registry, clock): (&Registry, &Clock),
        shutdown: CancellationToken,
    ) -> Result<Self, Error> {
        let metrics = Metrics::register(registry)?.traced(config.tracing.clone());
        let troubles = Troubles::default();
        let (handle, asked) = questions();
        let watched = Watched { metrics, troubles: troubles.clone(), clock: Arc::clone(clock) };
        let mut driver = Driver::new(config, Arc::clone(log), policy, watched, asked)?;
        let (end, ended) = oneshot::channel();
        let run = move || {
            let result = driver.run(&shutdown);
            // Nobody waits any more where the process is ending anyway.
            let _unheard = end.send(result);
        };
        let thread = std::thread::Builder::new().name("scorer".to_owned()).spawn(run);
        let thread = thread.map_err(|_| Error::Thread("could not be started"))?;
        Ok(Self { handle, troubles, ended, thread })
    }

    /// A way to ask it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What keeps it from its work.
    pub fn troubles(&self) -> Troubles {
        self.troubles.clone()
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// What made it fail; `Ok` after an orderly shutdown.
    pub async fn ended(self) -> Result<(), Error> {
        let result = self.ended.await.unwrap_or(Err(Error::Thread("ended without a word")));
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        match joined {
            Ok(Ok(())) => result,
            _ => Err(Error::Thread("panicked")),
        }
    }
}
