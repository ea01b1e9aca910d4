//! The part that tells, while it holds the office.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use log::Log;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::house::{ClockOf, House};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::worker::Worker;
use crate::{Clock, Config, Error, chat};

/// How often one looks whether it holds the office.
const LOOKING: Duration = Duration::from_millis(500);

/// Tells. Of several processes one does.
#[derive(Debug)]
pub struct Outreach {
    house: House,
}

impl Outreach {
    /// Outreach as `config` says.
    ///
    /// # Errors
    ///
    /// Where the log can't be stood for an office in, a client can't be made, or a metric's name is taken.
    pub fn new(config: Config, log: Arc<dyn Log>, clock: Clock, registry: &Registry) -> Result<Self, Error> {
        let candidacy =
            log.stand_for("outreach").map_err(|source| Error::Log { doing: "standing for its office", source })?;
        let metrics = Metrics::register(registry)?;
        Channel::ALL.into_iter().filter(|channel| config.tells(*channel)).for_each(|channel| metrics.begin(channel));
        let house = House {
            config,
            producer: log.producer(),
            log,
            candidacy: candidacy.into(),
            clock: ClockOf(clock),
            metrics,
            client: chat::client()?,
        };
        Ok(Self { house })
    }

    /// Tells until `shutdown`, while this process holds the office.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written for good.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            let served = if self.house.candidacy.holds_office() { self.serve(&shutdown).await } else { Ok(()) };
            match served {
                Err(Error::OfficeLost) => {}
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "outreach waits for the log");
                }
                served => served?,
            }
            // Whoever has the office next tells these.
            self.house.metrics.waiting.reset();
            self.house.metrics.given_up.reset();
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOKING) => {}
            }
        }
        Ok(())
    }

    async fn serve(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let (log, until) = (Arc::clone(&self.house.log), shutdown.clone());
        let read = tokio::task::spawn_blocking(move || Memory::read(log.as_ref(), &until));
        let memory = read.await.map_err(|_| Error::Panicked)??;
        if shutdown.is_cancelled() {
            return Ok(());
        }
        let Memory { progress, remembered, tail } = memory;
        let mut worker = Worker::new(self.house.clone(), remembered);
        worker.recover().await?;
        worker.run(progress.unwrap_or_else(BTreeMap::new), tail, shutdown).await
    }
}
