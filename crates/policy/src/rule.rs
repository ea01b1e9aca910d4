//! A rule: which rate, held against what, leads where.

use model::{Counter, Counts, ProviderCounts, Stage, Window};
use serde::Deserialize;

/// A rate that a rule can hold against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Hard bounces of mails attempted: a poor list.
    HardBounce,
    /// Blocks of mails attempted, mail caught in a provider-wide incident set aside: a poor reputation or content.
    Block,
    /// Complaints of mails delivered to providers that report complaints: unwanted mail.
    SpamReport,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 3] = [Self::HardBounce, Self::Block, Self::SpamReport];

    /// The signal that an event of this kind feeds, if it is a bad one.
    pub const fn of(counter: Counter) -> Option<Self> {
        match counter {
            Counter::HardBounce => Some(Self::HardBounce),
            Counter::Block => Some(Self::Block),
            Counter::SpamReport => Some(Self::SpamReport),
            Counter::Processed
            | Counter::Delivered
            | Counter::Deferred
            | Counter::Dropped
            | Counter::Unsubscribe
            | Counter::Open
            | Counter::MachineOpen
            | Counter::Click
            | Counter::InvalidAddress
            | Counter::ReputationBlock
            | Counter::FirstDeferral => None,
        }
    }

    /// The kind of event in the numerator.
    pub const fn counter(self) -> Counter {
        match self {
            Self::HardBounce => Counter::HardBounce,
            Self::Block => Counter::Block,
            Self::SpamReport => Counter::SpamReport,
        }
    }

    /// The name in JSON and in the policy file.
    pub const fn name(self) -> &'static str {
        self.counter().name()
    }

    /// Whether the fleet's counts must be known before anyone is charged.
    pub const fn needs_the_fleet(self) -> bool {
        matches!(self, Self::Block)
    }

    /// Bad events and mails among `counts`.
    pub fn fraction(self, counts: &ProviderCounts) -> Fraction {
        let mut fraction = Fraction::default();
        for (provider, counts) in counts.seen() {
            if self == Self::SpamReport && !provider.reports_complaints() {
                continue;
            }
            fraction.hits = fraction.hits.saturating_add(counts[self.counter()]);
            fraction.mails = fraction.mails.saturating_add(self.mails(counts));
        }
        fraction
    }

    fn mails(self, counts: &Counts) -> u32 {
        match self {
            Self::HardBounce | Self::Block => counts.attempted(),
            Self::SpamReport => counts[Counter::Delivered],
        }
    }
}

/// Bad events among mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fraction {
    /// Bad events.
    pub hits: u32,
    /// Mails.
    pub mails: u32,
}

/// One rule of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, in decisions and reasons.
    pub name: String,
    /// What it looks at.
    pub signal: Signal,
    /// Over which window.
    pub window: Window,
    /// A true rate above this leads to `stage`; 0 < `enter` < 1.
    pub enter: f64,
    /// A rate below this no longer holds the customer there; 0 < `exit` <= `enter`.
    pub exit: f64,
    /// The accepted error of one look, 1 - confidence.
    pub alpha: f64,
    /// Bad events needed at least.
    pub minimum: u32,
    /// Where it leads.
    pub stage: Stage,
}
