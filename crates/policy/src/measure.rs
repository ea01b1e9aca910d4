//! A rule held against a customer's mail.

use model::{Bucket, Evidence, Rate};

use crate::case::Case;
use crate::rule::Method;
use crate::signal::{Fraction, Trouble};
use crate::tally::Tally;
use crate::{Rule, stretch, tail};

/// What a rule found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure<'a> {
    pub(crate) rule: &'a Rule,
    tally: &'a Tally,
    /// What is charged: all of the window, or the stretch that speaks most.
    pub(crate) own: Fraction,
    /// The buckets of that, the last one with it.
    buckets: Option<(Bucket, Bucket)>,
    /// How much speaks against the customer, in nats.
    weight: f64,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(rule: &'a Rule, tally: &'a Tally) -> Self {
        match &rule.method {
            Method::Bound { .. } => Self::of_all(rule, tally),
            Method::Sequential { contrasts } => match stretch::heaviest(contrasts, &tally.buckets) {
                Some(found) => {
                    let buckets = Some((found.first, found.last));
                    Self { rule, tally, own: found.own, buckets, weight: found.weight }
                }
                None => Self { weight: 0.0, ..Self::of_all(rule, tally) },
            },
        }
    }

    fn of_all(rule: &'a Rule, tally: &'a Tally) -> Self {
        let own = tally.sum();
        let buckets = tally.buckets.first().zip(tally.buckets.last()).map(|(first, last)| (first.0, last.0));
        let worth_asking = own.hits >= rule.minimum && own.rate() > rule.enter;
        let weight = if worth_asking { -tail::ln_at_least(own.hits, own.mails, rule.enter) } else { 0.0 };
        Self { rule, tally, own, buckets, weight }
    }

    /// Whether the true rate is above `enter`, at the rule's share of the false-alarm budget.
    pub(crate) fn is_over(&self) -> bool {
        self.own.hits >= self.rule.minimum
            && self.own.rate() > self.rule.enter
            && self.is_spread()
            && self.weight >= self.rule.needed()
    }

    fn is_spread(&self) -> bool {
        match self.rule.method {
            // What comes long after its mail, without saying of which it is, is bad in a bucket that may hold no mail at all.
            Method::Bound { spread } => u32::try_from(self.tally.bad.len()).unwrap_or(u32::MAX) >= spread,
            Method::Sequential { .. } => true,
        }
    }

    /// Whether the whole window's rate is low enough to come down.
    pub(crate) fn is_calm(&self) -> bool {
        let all = self.tally.sum();
        all.hits == 0 || all.rate() < self.rule.exit
    }

    /// How near the rate is to what holds the customer; for choosing what to show.
    pub(crate) fn pressure(&self) -> f64 {
        self.tally.sum().rate() / self.rule.exit
    }

    /// Whether an incident may be at fault, so that the fleet's figures of the same minutes must be known first.
    ///
    /// Hard bounces come from the list: only where they are all of one provider, the provider may be at fault.
    pub(crate) fn may_be_an_incident(&self) -> bool {
        match self.rule.signal.trouble() {
            Some(Trouble::Block | Trouble::Deferral) => true,
            Some(Trouble::HardBounce) => self.tally.is_of_one_provider(self.rule.enter),
            None => false,
        }
    }

    /// The figures for a decision that takes the customer up.
    pub(crate) fn against(&self, case: &Case<'_>, fleet: Fraction) -> Evidence {
        Evidence { events: (case.events)(self.rule.signal), ..self.evidence(case, self.own, self.rule.enter, fleet) }
    }

    /// The figures for a decision that takes it down: those of the whole window.
    pub(crate) fn in_favour(&self, case: &Case<'_>, fleet: Fraction) -> Evidence {
        let whole = Self { weight: 0.0, ..Self::of_all(self.rule, self.tally) };
        whole.evidence(case, whole.own, self.rule.exit, fleet)
    }

    fn evidence(&self, case: &Case<'_>, own: Fraction, threshold: f64, fleet: Fraction) -> Evidence {
        let grain = self.rule.window.grain();
        let first = self.buckets.map_or_else(|| self.rule.window.first_bucket(case.now), |(first, _)| first);
        let last = self.buckets.map_or_else(|| Bucket::of(grain, case.now), |(_, last)| last);
        let bound = tail::lower_bound(own.hits, own.mails, self.rule.alpha);
        Evidence {
            signal: self.rule.signal.name().to_owned(),
            window: self.rule.window,
            test: self.rule.test(),
            from: case.released.map_or(first.start(grain), |(at, _)| at.max(first.start(grain))),
            until: last.next().start(grain),
            counted_after: case.released.map(|(_, offset)| offset),
            counted_to: case.counted_to,
            numerator: own.hits,
            denominator: own.mails,
            rate: Rate::of(own.hits, own.mails),
            bound: Rate::new(bound).unwrap_or_default(),
            threshold: Rate::new(threshold).unwrap_or_default(),
            weight: self.weight,
            needed: self.rule.needed(),
            fleet_rate: Rate::of(fleet.hits, fleet.mails),
            set_aside: self.tally.set_aside.clone(),
            events: Vec::new(),
        }
    }
}
