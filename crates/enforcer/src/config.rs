//! How the enforcer is set up.

use std::time::Duration;

use model::{EnforcerModes, Millis, PoolName};
use telemetry::Tracing;

use crate::Placements;

/// Settings of the enforcer; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether calls are made, asked about or only recorded, by stage.
    pub modes: EnforcerModes,
    /// How customers exist at SendGrid.
    pub placements: Placements,
    /// The pool of customers in good standing.
    pub home_pool: PoolName,
    /// The pool of quarantined ones.
    pub quarantine_pool: PoolName,
    /// How often everyone whom Weir has moved is looked at again, for changes made by others.
    pub sweep_interval: Duration,
    /// How much may be moved within an hour.
    pub limits: Limits,
    /// How long a person may answer what awaits approval.
    pub approval_time: Millis,
    /// What becomes of changes that others made to whom Weir has moved.
    pub on_drift: OnDrift,
    /// For how long no call is made once too many have failed; longer each time.
    pub breaker_wait: Duration,
    /// How long SendGrid may show a state from before the latest change.
    pub settling: Duration,
    /// How long a mailer may go on as it was told before, so that its customer's mail says nothing of drift.
    pub route_grace: Duration,
    /// Where traces of standings go on.
    pub tracing: Tracing,
}

impl Config {
    /// A sweep every five minutes, 50 customers and a fifth of the mail an hour, a day for answers, drift corrected, a minute
    /// of settling.
    pub fn new(modes: EnforcerModes, placements: Placements, home_pool: PoolName, poor: PoolName) -> Self {
        Self {
            modes,
            placements,
            home_pool,
            quarantine_pool: poor,
            sweep_interval: Duration::from_secs(300),
            limits: Limits { customers_per_hour: 50, volume_per_hour: 0.2 },
            approval_time: Millis::hours(24),
            on_drift: OnDrift::Correct,
            breaker_wait: Duration::from_secs(10),
            settling: Duration::from_secs(60),
            route_grace: Duration::from_secs(3_600),
            tracing: Tracing::default(),
        }
    }
}

/// How much rules may move to a stricter place within an hour. What persons order or approve counts, and is not held back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// How many customers.
    pub customers_per_hour: u32,
    /// Which share of the mail of all customers of the last 24 hours, from 0 to 1.
    pub volume_per_hour: f64,
}

/// What becomes of a change that somebody made by hand at SendGrid to a customer whom Weir has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDrift {
    /// It is put right.
    Correct,
    /// It is left, until the customer's next decision.
    Adopt,
}
