//! A rule held against a customer's mail.

use model::{Evidence, Rate, Test, Timestamp};

use crate::rule::Fraction;
use crate::{Rule, tail};

/// What a rule found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) own: Fraction,
}

impl<'a> Measure<'a> {
    pub(crate) const fn new(rule: &'a Rule, own: Fraction) -> Self {
        Self { rule, own }
    }

    /// Whether the true rate is above `enter`, at the rule's confidence.
    pub(crate) fn is_over(&self) -> bool {
        let Fraction { hits, mails } = self.own;
        if hits < self.rule.minimum || self.rate().get() <= self.rule.enter {
            return false;
        }
        // More complaints than deliveries: the mails belong to an earlier window, and there is nothing to divide by.
        mails > 0 && tail::at_least(hits.min(mails), mails, self.rule.enter) <= self.rule.alpha
    }

    /// Whether the rate is low enough to come down.
    pub(crate) fn is_calm(&self) -> bool {
        self.own.hits == 0 || self.rate().get() < self.rule.exit
    }

    /// How near the rate is to what holds the customer; for choosing what to show.
    pub(crate) fn pressure(&self) -> f64 {
        self.rate().get() / self.rule.exit
    }

    /// The figures, for a decision. `fleet` is the same signal over everyone else.
    pub(crate) fn evidence(&self, threshold: f64, fleet: Fraction, events: Vec<String>) -> Evidence {
        let Fraction { hits, mails } = self.own;
        let bound = tail::lower_bound(hits.min(mails), mails, self.rule.alpha);
        Evidence {
            signal: self.rule.signal.name().to_owned(),
            window: self.rule.window,
            test: Test::Bound,
            from: Timestamp::default(),
            until: Timestamp::default(),
            numerator: hits,
            denominator: mails,
            rate: self.rate(),
            bound: Rate::new(bound).unwrap_or_default(),
            threshold: Rate::new(threshold).unwrap_or_default(),
            weight: -tail::at_least(hits.min(mails), mails, self.rule.enter).ln(),
            needed: -self.rule.alpha.ln(),
            fleet_rate: Rate::of(fleet.hits, fleet.mails),
            set_aside: Vec::new(),
            events,
        }
    }

    fn rate(&self) -> Rate {
        Rate::of(self.own.hits, self.own.mails)
    }
}
