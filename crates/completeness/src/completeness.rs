//! The comparison of a process, while it holds the office.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use log::{Append, Candidacy, Log, Producer};
use sendgrid::api::Client;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::term::Term;
use crate::{Clock, Config, Error};

/// How often one looks whether it holds the office, and whether a day is to be compared.
pub(crate) const LOOKING: Duration = Duration::from_millis(500);

/// Holds what Weir counted against what SendGrid counted. Of several processes one does.
pub struct Completeness(House);

/// What a term works with.
pub(crate) struct House {
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) log: Arc<dyn Log>,
    producer: Arc<dyn Producer>,
    pub(crate) candidacy: Box<dyn Candidacy>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
}

impl House {
    /// Appends to the log, which says `doing` where it fails.
    pub(crate) async fn append(&self, appends: Vec<Append>, doing: &'static str) -> Result<(), Error> {
        self.producer.append(appends).await.map_err(|source| Error::Log { doing, source })
    }
}

impl fmt::Debug for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completeness").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Completeness {
    /// Compares what came in by the sources of `config` with what SendGrid tells `client`.
    ///
    /// # Errors
    ///
    /// Where the log can't be stood for an office in, or a metric's name is taken.
    pub fn new(
        config: Config,
        client: Client,
        log: Arc<dyn Log>,
        clock: Clock,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Log { doing: "standing for its office", source };
        let candidacy = log.stand_for("completeness").map_err(failed)?;
        let (producer, metrics) = (log.producer(), Metrics::register(registry)?);
        Ok(Self(House { config, client, log, producer, candidacy, clock, metrics }))
    }

    /// Counts and compares until `shutdown`, while this process holds the office.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written for good. What SendGrid does is never an error.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            let served = if self.0.candidacy.holds_office() { self.serve(&shutdown).await } else { Ok(()) };
            match served {
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the count of events waits for the log");
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

    /// Works for as long as the office is held and all goes well.
    async fn serve(&self, shutdown: &CancellationToken) -> Result<(), Error> {
        let end = shutdown.child_token();
        // Whoever ends this in the middle ends the reader, too.
        let _reader_ends = end.clone().drop_guard();
        let mut term = Term::begin(&self.0, &end).await?;
        let worked = term.work(&end).await;
        end.cancel();
        let finished = term.finish().await;
        self.0.metrics.reset();
        worked.and(finished)
    }
}
