//! A policy in force.

use model::{Counter, Millis, Mode, Phase, PoolName, Stage, Timestamp};

use crate::incident::Incident;
use crate::ladder::Ladder;
use crate::{Budget, Limit, Pilot, Rule, Signal};

/// A policy in force: rules, the ladder, limits of the account, all within their ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub(crate) rules: Vec<Rule>,
    /// The same rules with the limits of pilot customers.
    pub(crate) pilot_rules: Vec<Rule>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) incident: Incident,
    pub(crate) ladder: Ladder,
    pub(crate) pilot: Pilot,
    pub(crate) budget: Budget,
    pub(crate) pools: Pools,
    pub(crate) maturity: Maturity,
    pub(crate) mode: Mode,
    pub(crate) digest: String,
}

/// Through which pools customers send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pools {
    /// Up to throttled; `None` leaves each in its own.
    pub(crate) home: Option<PoolName>,
    /// From quarantined on.
    pub(crate) quarantine: PoolName,
}

/// How old a mail must be before its bad events can be taken to have come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Maturity {
    pub(crate) complaints: Millis,
    pub(crate) bounces: Millis,
}

impl Policy {
    /// The rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules for customers in this phase: pilots' limits are stricter.
    pub fn rules_for(&self, phase: Phase) -> &[Rule] {
        if phase == Phase::Pilot { &self.pilot_rules } else { &self.rules }
    }

    /// The limits of the account, its pools and the providers, in the order of the file.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// The signals that rules and limits look at, each once.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        let asked = |signal: &Signal| {
            let rules = self.rules.iter().map(|rule| rule.signal);
            rules.chain(self.limits.iter().map(|limit| limit.signal)).any(|asked| asked == *signal)
        };
        Signal::ALL.into_iter().filter(asked)
    }

    /// Whether any rule or limit looks at events of this kind.
    pub fn asks_about(&self, counter: Counter) -> bool {
        let rules = self.rules.iter().map(|rule| rule.signal);
        rules.chain(self.limits.iter().map(|limit| limit.signal)).any(|signal| signal.is_fed_by(counter))
    }

    /// How many false alarms it accepts.
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// How pilot customers are treated.
    pub const fn pilot(&self) -> &Pilot {
        &self.pilot
    }

    /// Whether decisions are meant to be carried out.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What stands for this file in decisions: `sha256:` and the digest of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Through which pool a customer at `stage` sends.
    pub fn pool(&self, stage: Stage) -> Option<PoolName> {
        if stage >= Stage::Quarantined { Some(self.pools.quarantine.clone()) } else { self.pools.home.clone() }
    }

    /// The quarantine pool.
    pub(crate) const fn quarantine(&self) -> &PoolName {
        &self.pools.quarantine
    }

    /// How many mails a day a customer at `stage` may send; `None` without a limit.
    pub fn daily_cap(&self, stage: Stage) -> Option<u32> {
        self.ladder.daily_cap(stage)
    }

    /// How long a customer at `stage` must have been calm before it comes down, given when rules have moved it to
    /// throttled or worse; `None` where only a person brings it down.
    pub fn dwell_of(&self, stage: Stage, offences: &[Timestamp], now: Timestamp) -> Option<Millis> {
        self.ladder.dwell(stage, offences, now)
    }

    /// How many of the offences count at `now`: older ones are forgotten.
    pub fn offences_remembered(&self, offences: &[Timestamp], now: Timestamp) -> usize {
        self.ladder.remembered(offences, now)
    }

    /// How many offences within the memory put a customer into a person's hands.
    pub const fn offences_for_a_person(&self) -> usize {
        self.ladder.person_after
    }

    /// How old a mail must be before its bad events of this signal can be taken to have come.
    pub const fn maturity(&self, signal: Signal) -> Millis {
        match signal {
            Signal::SpamReport | Signal::Unsubscribe => self.maturity.complaints,
            Signal::HardBounce
            | Signal::InvalidAddress
            | Signal::Block
            | Signal::ReputationBlock
            | Signal::SoftBounce
            | Signal::Deferral => self.maturity.bounces,
        }
    }

    /// The grains in which incidents are looked for: those of the rules' windows that incidents show in, and hours.
    pub fn incident_grains(&self) -> Vec<model::Grain> {
        let troubled = self.rules.iter().filter(|rule| rule.signal.trouble().is_some());
        let mut grains: Vec<_> = troubled.map(|rule| rule.window.grain()).collect();
        grains.retain(|grain| *grain != model::Grain::Day);
        grains.push(model::Grain::Hour);
        grains.sort();
        grains.dedup();
        grains
    }
}
