//! The gate that mailers ask before they send: through which pool, and how many. Answered from memory.
//!
//! Standings are read into a compact table. What a day's cap grants is reserved on the log before it is granted, in chunks, and
//! every instance reads every reservation ([`ledger`]): so a cap holds over several instances, and over a crash.

mod allowance;
mod granting;
mod http;
mod ledger;
mod ledgers;
mod readers;
mod registration;
mod reservation;
mod standings;

#[cfg(test)]
mod ledger_laws;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use log::{Log, PartitionCount, Producer};
use model::{
    Counter, CustomerId, Day, EnforcerMode, EnforcerModes, Phase, PoolName, Sending, Stage, Timestamp, Window,
};
use tokio_util::sync::CancellationToken;

use self::allowance::{Allowance, Limit};
pub(crate) use self::http::router;
use self::ledgers::Ledgers;
use self::registration::Registration;
pub use self::registration::Unknown;
use self::reservation::Instance;
use self::standings::{Known, Standings};
use crate::{IndexError, Views};

/// What the gate is told.
#[derive(Clone)]
pub struct GateConfig {
    /// The name under which this process reserves mail: of its own for each process, and the same after a restart. Without `:`.
    pub instance: String,
    /// How the enforcer acts: who would be restrained at a stage in shadow is told to send as a healthy customer.
    pub modes: EnforcerModes,
    /// The pool of healthy customers.
    pub home_pool: Option<PoolName>,
    /// What a customer may send that Weir has never heard of.
    pub unknown: Unknown,
    /// Who knows what customers have sent.
    pub views: Views,
    /// What time it is: caps are a day's, in UTC.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for GateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateConfig")
            .field("instance", &self.instance)
            .field("modes", &self.modes)
            .finish_non_exhaustive()
    }
}

/// Why the gate can't do just now what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The topics were not read to their end yet.
    #[error("Weir is starting, and does not know yet where everybody stands")]
    Starting,
    /// This process has handed back what it did not grant.
    #[error("this process is ending")]
    Ending,
    /// A reservation could not be made.
    #[error("the log does not take the reservation")]
    Log(#[source] log::Error),
    /// A customer that Weir does not know is being registered, and the scorer has not answered yet.
    #[error("Weir did not know the customer; it is being registered")]
    Registering,
    /// The log took too long.
    #[error("the log takes too long over the reservation")]
    Slow,
    /// A reservation can't be written down.
    #[error("the reservation can't be written")]
    Unwritable(#[from] serde_json::Error),
}

/// Which topics were read to the end that they had when the gate began.
#[derive(Debug, Default)]
struct Reading {
    standings: AtomicBool,
    enforcement: AtomicBool,
}

impl Reading {
    fn standings(&self) {
        self.standings.store(true, Ordering::Release);
    }

    fn enforcement(&self) {
        self.enforcement.store(true, Ordering::Release);
    }

    fn is_caught_up(&self) -> bool {
        self.standings.load(Ordering::Acquire) && self.enforcement.load(Ordering::Acquire)
    }
}

/// Tells mailers what they may send. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: GateConfig,
    standings: Standings,
    ledgers: Ledgers,
    registration: Registration,
    reading: Reading,
    producer: Arc<dyn Producer>,
    partitions: PartitionCount,
}

impl Gate {
    /// Reads standings, reservations and what the enforcer lets through from their beginning, each on a thread of its own, until `shutdown`. Mailers are told to
    /// come again until both were read.
    ///
    /// # Errors
    ///
    /// [`IndexError`], where a topic can't be opened.
    pub fn start(
        config: GateConfig,
        log: &Arc<dyn Log>,
        shutdown: &CancellationToken,
    ) -> Result<(Self, Vec<JoinHandle<()>>), IndexError> {
        let gate = Self(Arc::new(Inner {
            standings: Standings::new(),
            ledgers: Ledgers::new(Instance::new(&config.instance)),
            registration: Registration::default(),
            reading: Reading::default(),
            producer: log.producer(),
            partitions: log.partitions(),
            config,
        }));
        let readers = readers::start(&gate, log, shutdown)?;
        Ok((gate, readers))
    }

    /// Whether it knows enough to answer.
    pub fn is_caught_up(&self) -> bool {
        self.0.reading.is_caught_up()
    }

    fn today(&self) -> Day {
        Day::of((self.0.config.clock)())
    }

    /// What the customer may send: as much as the enforcer has let through of what was decided, so that modes, approvals, the
    /// limits by the hour and a pause hold for mailers as they do for SendGrid. What no rule has decided is told as it stands:
    /// phases that do not send, and the cap of a pilot of whom the enforcer has not heard yet. A customer that Weir does not know is
    /// registered first.
    async fn allowance(&self, customer: &CustomerId) -> Result<Allowance, GateError> {
        if !self.is_caught_up() {
            return Err(GateError::Starting);
        }
        let home = || self.0.config.home_pool.clone();
        let Some(known) = self.known(customer).await? else {
            // Nobody who is unknown may send.
            return Ok(Allowance { pool: home(), stage: Stage::Healthy, limit: Limit::Stopped { daily_cap: None } });
        };
        let Known { stage, phase, sending, pool, daily_cap } = known;
        let is_obeyed = |severity| self.0.config.modes.of(severity) != EnforcerMode::Shadow;
        let by_standing = Allowance { pool, stage, limit: Limit::of(sending, daily_cap) };
        let severity = stage.max(sending.severity());
        // A person has put it into its phase: there is nobody left to approve it.
        if !phase.sends() && is_obeyed(severity) {
            return Ok(by_standing);
        }
        if let Some(in_force) = self.0.standings.let_through(customer).filter(|passed| is_obeyed(passed.severity())) {
            return Ok(Allowance { stage, ..Allowance::of(in_force) });
        }
        // No rule has brought a pilot's cap about, and the enforcer may not have heard of a new one yet.
        let is_by_phase = sending == Sending::Free || phase == Phase::Pilot;
        if stage <= Stage::Watch && is_by_phase && is_obeyed(severity) {
            return Ok(by_standing);
        }
        Ok(Allowance { pool: home(), stage, limit: Limit::None })
    }

    /// What the customer may send, and how much of its cap is left: by what was granted today, and by what was sent in the last
    /// 24 hours, where a scorer of this process knows.
    async fn route(&self, customer: &CustomerId) -> Result<(Allowance, Option<u32>), GateError> {
        let allowance = self.allowance(customer).await?;
        let remaining = match allowance.limit {
            Limit::None => None,
            Limit::Stopped { .. } => Some(0),
            Limit::Daily(cap) => {
                let sent = self.sent(customer).await.unwrap_or_default();
                let left = self.0.ledgers.left(customer, self.today(), cap);
                Some(left.min(cap.saturating_sub(sent)))
            }
        };
        Ok((allowance, remaining))
    }

    /// Mails of the last 24 hours, where a scorer of this process knows.
    async fn sent(&self, customer: &CustomerId) -> Option<u32> {
        let view = (self.0.config.views)(customer.clone()).await.ok()??;
        view.windows.get(&Window::Day).map(|day| day[Counter::Processed])
    }
}
