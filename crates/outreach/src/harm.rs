//! How much harm a customer's restraint keeps from the others: an estimate, of which docs/outreach.md says what it takes for granted.

use model::{Decision, DecisionId, Evidence, InForce, Millis, Rate, Stage, Timestamp, Window};
use serde::{Deserialize, Serialize};

/// Times that are over are forgotten behind this.
const KEPT: Millis = Millis::days(8);
const DAY: f64 = 86_400_000.0;

/// What a customer does where nothing restrains it, by what a rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Charge {
    decision: DecisionId,
    pub(crate) signal: String,
    /// What the customer's true rate is at least.
    pub(crate) at_least: Rate,
    pub(crate) limit: Rate,
    pub(crate) fleet_rate: Rate,
    /// Mails a day that the rate is held against.
    mails: u32,
    /// More than these it can't have been.
    most_mails: u32,
}

/// A time in which something restrained it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spell {
    pub(crate) stage: Stage,
    daily_cap: Option<u32>,
    pub(crate) from: Timestamp,
    until: Option<Timestamp>,
}

/// Where the last decision that is meant in earnest put it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) stage: Stage,
    pub(crate) at: Timestamp,
}

/// What a customer's harm is estimated from, for as long as it is restrained or is meant to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    #[serde(default)]
    pub(crate) decided: Option<Place>,
    #[serde(default)]
    pub(crate) charge: Option<Charge>,
    /// In their order; the last one may last.
    #[serde(default)]
    spells: Vec<Spell>,
}

/// Harm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Harm {
    /// Bad events.
    pub(crate) events: f64,
    /// The mails that may cause so many at the limit: what makes complaints and bounces comparable.
    pub(crate) weight: f64,
}

impl Charge {
    fn of(decision: &Decision, evidence: &Evidence) -> Self {
        let days = f64_of(evidence.until.since(evidence.from).get().max(0)) / DAY;
        // A stretch of less than a day says nothing of the rest of the day.
        let mails = whole(f64::from(evidence.denominator) / days.max(1.0));
        let most_mails = if evidence.window == Window::Hour { evidence.denominator.saturating_mul(24) } else { mails };
        Self {
            decision: decision.id.clone(),
            signal: evidence.signal.clone(),
            at_least: evidence.bound,
            limit: evidence.threshold,
            fleet_rate: evidence.fleet_rate,
            mails,
            most_mails,
        }
    }

    /// Of so many mails, above what the others' would have done.
    fn harm(&self, mails: f64) -> Harm {
        let events = mails * (self.at_least.get() - self.fleet_rate.get()).max(0.0);
        let limit = self.limit.get();
        Harm { events, weight: if limit > 0.0 { events / limit } else { events } }
    }

    fn a_day(&self) -> Harm {
        self.harm(f64::from(self.mails))
    }
}

impl Spell {
    /// Mails a day, of `mails`, that do not reach the others' pools.
    fn kept(&self, mails: u32) -> f64 {
        match self.stage {
            Stage::Healthy | Stage::Watch => 0.0,
            Stage::Throttled => self.daily_cap.map_or(0.0, |cap| f64::from(mails.saturating_sub(cap))),
            Stage::Quarantined | Stage::Suspended | Stage::Banned => f64::from(mails),
        }
    }

    /// The days of it between two moments.
    fn days(&self, since: Timestamp, until: Timestamp) -> f64 {
        let (from, until) = (self.from.max(since), self.until.map_or(until, |ended| ended.min(until)));
        f64_of(until.since(from).get().max(0)) / DAY
    }
}

impl Ledger {
    /// Takes in a decision that is meant in earnest. The heaviest charge counts until it is over.
    pub(crate) fn decide(&mut self, decision: &Decision) {
        self.decided = Some(Place { stage: decision.to, at: decision.at });
        if decision.to <= Stage::Watch {
            self.charge = None;
            return;
        }
        let Some(evidence) = decision.evidence.as_ref().filter(|_| decision.to > decision.from) else { return };
        let charge = Charge::of(decision, evidence);
        let is_heavier = |known: &Charge| charge.a_day().weight >= known.a_day().weight;
        if self.charge.as_ref().is_none_or(is_heavier) {
            self.charge = Some(charge);
        }
    }

    /// Takes in what the enforcer has let through, as said at `at`; whether that is news.
    pub(crate) fn enforce(&mut self, in_force: Option<&InForce>, at: Timestamp) -> bool {
        let restrains = in_force.filter(|passed| passed.stage > Stage::Watch);
        let is_known = match (restrains, self.lasting()) {
            (None, lasting) => lasting.is_none(),
            (Some(passed), Some(last)) => (passed.stage, passed.daily_cap) == (last.stage, last.daily_cap),
            (Some(_), None) => false,
        };
        if is_known {
            return false;
        }
        let Some(passed) = restrains else {
            // Who is free again needs no call.
            self.spells.clear();
            return true;
        };
        if let Some(last) = self.spells.last_mut() {
            last.until = last.until.or(Some(at.max(last.from)));
        }
        self.spells.retain(|spell| spell.until.is_none_or(|until| until > at - KEPT));
        self.spells.push(Spell { stage: passed.stage, daily_cap: passed.daily_cap, from: at, until: None });
        true
    }

    /// Takes in how many mails it had sent in the 24 hours before `decision`; whether that is news.
    pub(crate) fn send(&mut self, decision: &DecisionId, mails: u32) -> bool {
        let Some(charge) = self.charge.as_mut().filter(|charge| charge.decision == *decision) else { return false };
        let mails = mails.min(charge.most_mails);
        let is_news = mails > charge.mails;
        charge.mails = charge.mails.max(mails);
        is_news
    }

    /// What restrains it now.
    pub(crate) fn lasting(&self) -> Option<&Spell> {
        self.spells.last().filter(|spell| spell.until.is_none())
    }

    /// What its restraint kept from the others between two moments; `None` where no rule found anything.
    pub(crate) fn avoided(&self, since: Timestamp, until: Timestamp) -> Option<Harm> {
        let charge = self.charge.as_ref()?;
        let mails: f64 = self.spells.iter().map(|spell| spell.kept(charge.mails) * spell.days(since, until)).sum();
        Some(charge.harm(mails))
    }

    /// What it does in `span` while nothing restrains it; `None` where no rule found anything.
    pub(crate) fn unrestrained(&self, span: Millis) -> Option<Harm> {
        let charge = self.charge.as_ref()?;
        Some(charge.harm(f64::from(charge.mails) * f64_of(span.get()) / DAY))
    }
}

#[expect(clippy::cast_precision_loss, reason = "spans of time in milliseconds are far below 2^52")]
const fn f64_of(number: i64) -> f64 {
    number as f64
}

/// A number that is not negative, as a whole one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the range")]
pub(crate) fn whole(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    /// 10,000 mails in 24 hours, of which at least 5 % are bad; others have 1 %, the limit is 2 %.
    fn decision(to: Stage, window: Window) -> Decision {
        let mut decision = crate::example(to, Some("hard_bounce")).unwrap();
        let evidence = decision.evidence.as_mut().unwrap();
        let rate = |rate| Rate::new(rate).unwrap();
        (evidence.denominator, evidence.window) = (10_000, window);
        (evidence.bound, evidence.fleet_rate, evidence.threshold) = (rate(0.05), rate(0.01), rate(0.02));
        (evidence.from, evidence.until) = (NOW - Millis::days(1), NOW);
        decision
    }

    fn passed(stage: Stage, daily_cap: Option<u32>) -> InForce {
        InForce { stage, since: NOW, daily_cap, pool: None, sending: None, ordered: false }
    }

    fn avoided(ledger: &Ledger, days: i64) -> (u32, u32) {
        let until = NOW + Millis::days(days);
        let harm = ledger.avoided(until - Millis::days(7), until).unwrap();
        (whole(harm.events), whole(harm.weight))
    }

    #[test]
    fn what_is_kept_from_the_others_is_mails_by_excess_while_it_is_in_force() {
        let mut ledger = Ledger::default();
        ledger.decide(&decision(Stage::Throttled, Window::Day));
        assert_eq!(avoided(&ledger, 2), (0, 0), "nothing is in force");
        assert_eq!(whole(ledger.unrestrained(Millis::days(7)).unwrap().events), 2_800);
        assert!(ledger.enforce(Some(&passed(Stage::Throttled, Some(2_000))), NOW));
        assert!(!ledger.enforce(Some(&passed(Stage::Throttled, Some(2_000))), NOW + Millis::days(1)));
        // 8,000 mails a day, 4 % of them.
        assert_eq!(avoided(&ledger, 2), (640, 32_000));
        assert!(ledger.enforce(Some(&passed(Stage::Suspended, None)), NOW + Millis::days(2)));
        assert_eq!(avoided(&ledger, 3), (640 + 400, 52_000));
        assert_eq!(avoided(&ledger, 12).0, 7 * 400, "of the last seven days only");
        assert!(ledger.enforce(Some(&passed(Stage::Healthy, None)), NOW + Millis::days(12)));
        assert!(ledger.lasting().is_none());
    }

    #[test]
    fn an_hours_mails_are_a_days_as_far_as_the_day_had_them() {
        let mut hour = decision(Stage::Suspended, Window::Hour);
        let evidence = hour.evidence.as_mut().unwrap();
        evidence.denominator = 1_000;
        evidence.from = NOW - Millis::hours(1);
        for (sent, wanted) in [(0, 1_000), (6_000, 6_000), (90_000, 24_000)] {
            let mut ledger = Ledger::default();
            ledger.decide(&hour);
            ledger.send(&hour.id, sent);
            assert_eq!(ledger.charge.unwrap().mails, wanted);
        }
        let mut ledger = Ledger::default();
        ledger.decide(&decision(Stage::Suspended, Window::Day));
        assert!(!ledger.send(&hour.id, 90_000), "what a day's figures say is known");
    }

    #[test]
    fn the_heaviest_charge_counts_until_it_is_over() {
        let mut ledger = Ledger::default();
        let mut light = decision(Stage::Quarantined, Window::Day);
        light.evidence.as_mut().unwrap().denominator = 10;
        light.evidence.as_mut().unwrap().signal = "block".to_owned();
        ledger.decide(&decision(Stage::Throttled, Window::Day));
        ledger.decide(&light);
        assert_eq!(ledger.charge.as_ref().unwrap().signal, "hard_bounce");
        let down = Decision { from: Stage::Throttled, ..decision(Stage::Watch, Window::Day) };
        ledger.decide(&down);
        assert!(ledger.charge.is_none());
        ledger.decide(&light);
        assert_eq!(ledger.charge.as_ref().unwrap().signal, "block");
    }
}
