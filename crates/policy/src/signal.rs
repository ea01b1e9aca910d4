//! Signals: the rates that a rule can hold against a limit. `docs/signals.md` defines each of them.

use model::{CellCounts, Counter, Counts, Provider, Stage};
use serde::{Deserialize, Serialize};

/// A rate that a rule can hold against a limit: bad events of mails.
///
/// Drops are none: a `dropped` echoes an earlier bounce, complaint or unsubscribe, and is never charged a second time.
/// Opens and clicks are none either: nobody is moved for mail that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Hard bounces of mails attempted: a poor list.
    HardBounce,
    /// Of them those whose mailbox does not exist.
    InvalidAddress,
    /// Blocks of mails attempted, for whatever reason.
    Block,
    /// Of them those for the sender's conduct: reputation, content, frequency.
    ReputationBlock,
    /// The other blocks: full mailboxes, technical failures.
    SoftBounce,
    /// Mails deferred at least once, of mails attempted.
    Deferral,
    /// Complaints of mails delivered to providers that report complaints: unwanted mail.
    SpamReport,
    /// Unsubscribes of mails delivered.
    Unsubscribe,
}

/// What a signal's bad events are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Mails that SendGrid tried to deliver.
    Attempted,
    /// Mails that were delivered.
    Delivered,
    /// Mails delivered to providers that report complaints.
    DeliveredReporting,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 8] = [
        Self::HardBounce,
        Self::InvalidAddress,
        Self::Block,
        Self::ReputationBlock,
        Self::SoftBounce,
        Self::Deferral,
        Self::SpamReport,
        Self::Unsubscribe,
    ];

    /// The name in JSON and in the policy file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HardBounce => "hard_bounce",
            Self::InvalidAddress => "invalid_address",
            Self::Block => "block",
            Self::ReputationBlock => "reputation_block",
            Self::SoftBounce => "soft_bounce",
            Self::Deferral => "deferral",
            Self::SpamReport => "spam_report",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// The signal called `name` in JSON and in the policy file.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// What its bad events are held against.
    pub const fn base(self) -> Base {
        match self {
            Self::HardBounce
            | Self::InvalidAddress
            | Self::Block
            | Self::ReputationBlock
            | Self::SoftBounce
            | Self::Deferral => Base::Attempted,
            Self::SpamReport => Base::DeliveredReporting,
            Self::Unsubscribe => Base::Delivered,
        }
    }

    /// Whether an event of this kind may feed the signal.
    pub const fn is_fed_by(self, counter: Counter) -> bool {
        match self {
            Self::HardBounce | Self::InvalidAddress => matches!(counter, Counter::HardBounce),
            Self::Block | Self::ReputationBlock | Self::SoftBounce => matches!(counter, Counter::Block),
            Self::Deferral => matches!(counter, Counter::Deferred),
            Self::SpamReport => matches!(counter, Counter::SpamReport),
            Self::Unsubscribe => matches!(counter, Counter::Unsubscribe),
        }
    }

    /// Whether an event of this kind and facet is one of the signal's bad events.
    pub fn counts(self, counter: Counter, facet: Option<Counter>) -> bool {
        let is_right_part = match self {
            Self::InvalidAddress => facet == Some(Counter::InvalidAddress),
            Self::ReputationBlock => facet == Some(Counter::ReputationBlock),
            Self::SoftBounce => facet != Some(Counter::ReputationBlock),
            Self::Deferral => facet == Some(Counter::FirstDeferral),
            Self::HardBounce | Self::Block | Self::SpamReport | Self::Unsubscribe => true,
        };
        self.is_fed_by(counter) && is_right_part
    }

    /// Bad events and mails among counts of `provider`, as far as they can be charged: a bad event only together with the mail
    /// that it is of.
    ///
    /// Bad events can come before their mails (a POST that was sent again later), without them (a webhook that leaves
    /// `processed` and `delivered` out), or long after them without saying of which mail they are. Each would be one bad mail
    /// of one.
    pub fn fraction(self, provider: Provider, counts: &Counts) -> Fraction {
        if self.base() == Base::DeliveredReporting && !provider.reports_complaints() {
            return Fraction::default();
        }
        let all = self.hits(counts);
        let hits = all.min(self.told(counts));
        Fraction { hits, mails: self.mails(counts).saturating_sub(all - hits).max(hits) }
    }

    /// Whether there is anything of the signal in these counts, whether or not it can be charged.
    pub(crate) fn shows_in(self, provider: Provider, counts: &Counts) -> bool {
        let is_asked = self.base() != Base::DeliveredReporting || provider.reports_complaints();
        is_asked && (self.hits(counts) > 0 || self.mails(counts) > 0)
    }

    /// Whether these counts hold bad events whose mails nothing else tells of, so that they can't all be charged.
    pub fn is_unmatched(self, counts: &Counts) -> bool {
        self.hits(counts) > self.told(counts)
    }

    pub(crate) fn hits(self, counts: &Counts) -> u32 {
        match self {
            Self::HardBounce => counts[Counter::HardBounce],
            Self::InvalidAddress => counts[Counter::InvalidAddress],
            Self::Block => counts[Counter::Block],
            Self::ReputationBlock => counts[Counter::ReputationBlock],
            Self::SoftBounce => counts[Counter::Block].saturating_sub(counts[Counter::ReputationBlock]),
            Self::Deferral => counts[Counter::FirstDeferral],
            Self::SpamReport => counts[Counter::SpamReport],
            Self::Unsubscribe => counts[Counter::Unsubscribe],
        }
    }

    fn mails(self, counts: &Counts) -> u32 {
        match self.base() {
            Base::Attempted => counts.attempted(),
            Base::Delivered | Base::DeliveredReporting => counts[Counter::Delivered],
        }
    }

    /// Mails that were told of by more than their bad events.
    fn told(self, counts: &Counts) -> u32 {
        match self.base() {
            Base::Attempted => counts[Counter::Processed].max(counts[Counter::Delivered]),
            Base::Delivered | Base::DeliveredReporting => counts[Counter::Delivered],
        }
    }

    /// By what an incident of the provider or of the pool would show in this signal, if it can be one's fault.
    pub const fn trouble(self) -> Option<Trouble> {
        match self {
            Self::HardBounce | Self::InvalidAddress => Some(Trouble::HardBounce),
            Self::Block | Self::ReputationBlock | Self::SoftBounce => Some(Trouble::Block),
            Self::Deferral => Some(Trouble::Deferral),
            Self::SpamReport | Self::Unsubscribe => None,
        }
    }

    /// Whether Weir itself brings the signal's events about while a customer is at `stage`: mail beyond a daily cap waits, and
    /// what leaves through the quarantine pool is refused for the pool's sake.
    pub const fn is_caused_at(self, stage: Stage) -> bool {
        match self {
            Self::Deferral => matches!(stage, Stage::Throttled | Stage::Quarantined | Stage::Suspended | Stage::Banned),
            Self::Block | Self::ReputationBlock | Self::SoftBounce => {
                matches!(stage, Stage::Quarantined | Stage::Suspended | Stage::Banned)
            }
            Self::HardBounce | Self::InvalidAddress | Self::SpamReport | Self::Unsubscribe => false,
        }
    }
}

/// A kind of event in which an incident shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Trouble {
    /// Mails refused for good.
    HardBounce,
    /// Mails blocked.
    Block,
    /// Mails deferred.
    Deferral,
}

impl Trouble {
    /// Every kind.
    pub(crate) const ALL: [Self; 3] = [Self::HardBounce, Self::Block, Self::Deferral];

    /// Whether any of a customer's own mail had it: who was not hit is not caught.
    pub(crate) fn befell(self, own: &Counts) -> bool {
        let counter = match self {
            Self::HardBounce => Counter::HardBounce,
            Self::Block => Counter::Block,
            Self::Deferral => Counter::FirstDeferral,
        };
        own[counter] > 0
    }

    /// Mails with it.
    pub(crate) const fn mails(self, cell: &CellCounts) -> u32 {
        match self {
            Self::HardBounce => cell.hard_bounce,
            Self::Block => cell.block,
            Self::Deferral => cell.first_deferral,
        }
    }

    /// Customers with at least one such mail.
    pub(crate) const fn customers(self, cell: &CellCounts) -> u32 {
        match self {
            Self::HardBounce => cell.customers.hard_bounce,
            Self::Block => cell.customers.block,
            Self::Deferral => cell.customers.first_deferral,
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

impl Fraction {
    /// Both sums; each stops at `u32::MAX`.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { hits: self.hits.saturating_add(other.hits), mails: self.mails.saturating_add(other.mails) }
    }

    /// The share, a number from 0 to 1.
    pub fn rate(self) -> f64 {
        model::Rate::of(self.hits, self.mails).get()
    }

    /// The share with the fleet's added as if it were 200 of the customer's own mails: for ranking customers, where a
    /// bounce among three mails must not stand above a hundred among a thousand. Never for a verdict.
    pub fn shrunk(self, fleet_rate: f64) -> f64 {
        const WEIGHT: f64 = 200.0;
        WEIGHT.mul_add(fleet_rate, f64::from(self.hits)) / (WEIGHT + f64::from(self.mails))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_that_leads_back_to_it() {
        for signal in Signal::ALL {
            assert_eq!(Signal::named(signal.name()), Some(signal));
        }
        assert_eq!(Signal::named("dropped"), None);
    }

    #[test]
    fn complaints_are_held_against_mail_to_those_who_report_them() {
        let mut counts = Counts::ZERO;
        counts[Counter::Delivered] = 100;
        counts[Counter::SpamReport] = 1;
        assert_eq!(Signal::SpamReport.fraction(Provider::Gmail, &counts), Fraction::default());
        assert_eq!(Signal::SpamReport.fraction(Provider::Yahoo, &counts), Fraction { hits: 1, mails: 100 });
    }

    #[test]
    fn a_small_sample_ranks_near_the_fleet() {
        let (few, many) = (Fraction { hits: 1, mails: 13 }, Fraction { hits: 80, mails: 1_000 });
        assert!(few.shrunk(0.02) < 0.025 && many.shrunk(0.02) > 0.065);
    }
}
