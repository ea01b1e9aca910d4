//! What a watcher made of a customer.

use model::{Millis, Stage, Timestamp};
use simulator::month::{Customer, Scenario, Tally};

/// One change of a customer's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// The stage after it.
    pub to: Stage,
    /// What the customer had sent by then; a bad one, since it was bad.
    pub sent: Tally,
}

/// What a watcher made of a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How it was found, if it was throttled or worse while it was bad.
    pub found: Option<Found>,
    /// Whether it was throttled or worse while it was good.
    pub touched: bool,
    /// How often it was moved up to watch.
    pub watched: u32,
}

/// How a bad customer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was throttled or worse before it turned bad, and still when it did: that says nothing of how soon bad mail is found.
    Beforehand,
    /// Since it was bad.
    After {
        /// The mails sent since then.
        mails: u32,
        /// The time since the first of them.
        time: Millis,
    },
}

impl Outcome {
    /// The outcome of these moves, in their order.
    pub fn of(customer: &Customer, moves: &[Move]) -> Self {
        let mut outcome = Self::default();
        let mut stage = Stage::Healthy;
        for step in moves {
            outcome.watched += u32::from(stage == Stage::Healthy && step.to == Stage::Watch);
            stage = step.to;
            if !is_caught(stage) {
                continue;
            }
            outcome.touched |= customer.is_good(step.at);
            if customer.is_bad(step.at) {
                let time = step.at.since(step.sent.first.unwrap_or(step.at));
                outcome.found.get_or_insert(Found::After { mails: step.sent.sent, time });
            }
        }
        let before = customer.badness.and_then(|badness| moves.iter().rfind(|step| step.at < badness.since));
        if before.is_some_and(|step| is_caught(step.to)) {
            outcome.found = Some(Found::Beforehand);
        }
        outcome
    }
}

pub(crate) fn is_caught(stage: Stage) -> bool {
    stage >= Stage::Throttled
}

/// How many months of 30 days the customer is good for.
pub(crate) fn good_months(customer: &Customer, scenario: &Scenario) -> f64 {
    if !customer.is_good(Scenario::START) {
        return 0.0;
    }
    let until = customer.badness.map_or(scenario.end(), |badness| badness.since);
    #[expect(clippy::cast_precision_loss, reason = "a scenario has far fewer than 2^53 milliseconds")]
    let months = until.since(Scenario::START).get() as f64 / Millis::days(30).get() as f64;
    months
}

#[cfg(test)]
mod tests {
    use model::{Counter, CustomerId};
    use simulator::month::{Badness, Kind};

    use super::*;

    fn hours(hours: i64) -> Timestamp {
        Scenario::START + Millis::hours(hours)
    }

    fn customer(bad_since: Option<i64>) -> Customer {
        let badness = |since| Badness { since: hours(since), signal: Counter::HardBounce, rate: 0.2, rise: 0.0 };
        let id = CustomerId::new("c").unwrap();
        Customer { id, kind: Kind::Hijacked, home: "good-1", reporting: 0.6, badness: bad_since.map(badness) }
    }

    /// A move `at` hours after the start, when so many mails had left, the first of them an hour after the tenth.
    fn step(at: i64, to: Stage, sent: u32) -> Move {
        Move { at: hours(at), to, sent: Tally { sent, first: (sent > 0).then(|| hours(11)) } }
    }

    fn after(mails: u32, hours: i64) -> Found {
        Found::After { mails, time: Millis::hours(hours) }
    }

    #[test]
    fn a_good_customer_is_touched_when_it_is_throttled_and_watched_as_often_as_it_goes_up() {
        let moves = [step(1, Stage::Watch, 5), step(9, Stage::Healthy, 6), step(10, Stage::Watch, 7)];
        assert_eq!(Outcome::of(&customer(None), &moves), Outcome { watched: 2, ..Outcome::default() });
        let throttled = Outcome::of(&customer(None), &[step(1, Stage::Throttled, 5), step(30, Stage::Watch, 9)]);
        assert_eq!(throttled, Outcome { touched: true, ..Outcome::default() });
    }

    #[test]
    fn a_bad_customer_is_found_by_its_first_move_since_it_is_bad() {
        let moves = [step(12, Stage::Watch, 40), step(13, Stage::Quarantined, 90), step(20, Stage::Suspended, 95)];
        let outcome = Outcome::of(&customer(Some(10)), &moves);
        assert_eq!(outcome, Outcome { found: Some(after(90, 2)), touched: false, watched: 1 });
    }

    #[test]
    fn who_was_touched_while_good_is_found_only_if_it_is_still_caught() {
        let caught = Outcome::of(&customer(Some(10)), &[step(5, Stage::Throttled, 0), step(30, Stage::Quarantined, 9)]);
        assert_eq!(caught, Outcome { found: Some(Found::Beforehand), touched: true, watched: 0 });
        let free = Outcome::of(&customer(Some(10)), &[step(5, Stage::Throttled, 0), step(9, Stage::Watch, 0)]);
        assert_eq!(free, Outcome { found: None, touched: true, watched: 0 });
    }

    #[test]
    fn who_gets_worse_little_by_little_is_neither_good_nor_bad_before_it_is_bad() {
        let rotting = customer(Some(240)).badness.map(|badness| Badness { rise: 1e-6, ..badness });
        let rotting = Customer { kind: Kind::SlowRot, badness: rotting, ..customer(None) };
        let early = [step(100, Stage::Throttled, 0), step(200, Stage::Healthy, 0), step(300, Stage::Throttled, 70)];
        let outcome = Outcome::of(&rotting, &early);
        assert_eq!(outcome, Outcome { found: Some(after(70, 289)), touched: false, watched: 0 });
        let still = Outcome::of(&rotting, &early[..1]);
        assert_eq!(still, Outcome { found: Some(Found::Beforehand), touched: false, watched: 0 });
        let scenario = Scenario { seed: 1, customers: 1, days: 30 };
        let months = [rotting, customer(Some(360))].map(|customer| good_months(&customer, &scenario));
        assert_eq!(Vec::from(months), [0.0, 0.5]);
    }
}
