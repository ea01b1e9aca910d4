//! What the fold remembers of a customer.

use model::{CustomerId, Phase, PoolName, Reason, Stage, Standing, Timestamp};
use policy::{Policy, Signal};
use serde::{Deserialize, Serialize};

use crate::mail::{Mail, Release};

/// A customer's state: its place on the ladder and its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub(crate) phase: Phase,
    pub(crate) stage: Stage,
    /// Since when it is at that stage; `None` before its first event.
    pub(crate) since: Option<Timestamp>,
    /// Whether a person holds it there.
    pub(crate) held: bool,
    /// Until when a person has exempted it from going up.
    pub(crate) exempt_until: Option<Timestamp>,
    /// Since when every rate has been below its exit.
    pub(crate) calm_since: Option<Timestamp>,
    /// Where its windows begin anew.
    pub(crate) release: Option<Release>,
    /// The pool that its latest `processed` event named.
    pub(crate) pool: Option<PoolName>,
    /// Why it is where it is.
    pub(crate) reasons: Vec<Reason>,
    pub(crate) mail: Mail,
    pub(crate) latest_bad: LatestBad,
    /// Whether a rule is over its limit but waits for the fleet's counts.
    pub(crate) suspect: bool,
    /// Its mail at a tick, kept while a rule waits for the fleet's counts of that tick.
    pub(crate) snapshot: Option<Box<Snapshot>>,
}

/// A customer's mail as it was at a tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) at: Timestamp,
    pub(crate) mail: Mail,
}

impl Customer {
    /// Whether no event of it was ever counted.
    pub const fn is_new(&self) -> bool {
        self.since.is_none()
    }

    /// Whether it must be looked at when time passes.
    pub(crate) fn needs_attention(&self) -> bool {
        self.stage != Stage::Healthy || self.suspect
    }

    /// Where it stands under `policy`.
    pub fn standing(&self, id: &CustomerId, policy: &Policy) -> Standing {
        let own = (self.stage < Stage::Quarantined).then(|| self.pool.clone()).flatten();
        Standing {
            customer: id.clone(),
            phase: self.phase,
            stage: self.stage,
            since: self.since.unwrap_or_default(),
            pool: policy.pool(self.stage).or(own),
            daily_cap: policy.daily_cap(self.stage),
            held: self.held,
            exempt_until: self.exempt_until,
            reasons: self.reasons.clone(),
        }
    }

    /// The customer's counts.
    pub const fn mail(&self) -> &Mail {
        &self.mail
    }
}

/// The ids of the latest bad events of each signal: a sample for the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LatestBad([Vec<String>; Signal::ALL.len()]);

impl LatestBad {
    /// How many are kept of each signal.
    const KEPT: usize = 5;
    /// Longer ids are cut: SendGrid promises at most 100 characters.
    const ID_CHARACTERS: usize = 100;

    pub(crate) fn remember(&mut self, signal: Signal, id: &str) {
        let latest = &mut self.0[signal as usize];
        if latest.len() == Self::KEPT {
            latest.remove(0);
        }
        latest.push(id.chars().take(Self::ID_CHARACTERS).collect());
    }

    /// Newest last.
    pub(crate) fn of(&self, signal: Signal) -> &[String] {
        &self.0[signal as usize]
    }
}
