//! What is kept of a customer: whom of which decision was told, and what waits. A record on the topic `enforcement`.

use std::collections::BTreeMap;

use model::{Decision, DecisionId, Millis, Mode, Offset, Stage, Timestamp};
use serde::{Deserialize, Serialize};

use crate::channel::Line;
use crate::harm::Ledger;

/// What was told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) decision: DecisionId,
    pub(crate) stage: Stage,
    pub(crate) at: Timestamp,
    /// Whether it is known to have arrived.
    #[serde(default)]
    pub(crate) how: How,
}

/// What is known of its arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// The other side took it.
    #[default]
    Delivered,
    /// It may have; it is not repeated.
    Unknown,
    /// It has not, and is not tried again.
    GivenUp,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) decision: Decision,
    /// Decisions before it that were folded into it.
    pub(crate) earlier: u32,
    pub(crate) tries: u32,
    pub(crate) due: Timestamp,
    /// Whether this is the second message about the decision: the first said that it is not in force, and now it is.
    #[serde(default)]
    pub(crate) comes_into_force: bool,
    /// Whether the message that is being sent says that the decision is not in force.
    #[serde(default)]
    is_pending: bool,
}

/// One line of telling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(default)]
    pub(crate) told: Option<Told>,
    /// The stage of the last message that was not given up; none in what was kept before that was asked for.
    #[serde(default)]
    believed: Option<Stage>,
    /// On its way: kept before it goes. Found at a start, it is not known whether it arrived.
    #[serde(default)]
    pub(crate) sending: Option<Waiting>,
    #[serde(default)]
    pub(crate) waiting: Option<Waiting>,
    /// The decision of the last message, if that said that it is not in force: a second message follows when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Decision>,
}

/// All of a customer's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// The last of its decisions that was taken in.
    pub(crate) seen: Option<Offset>,
    pub(crate) lines: BTreeMap<Line, State>,
    /// What the digest says of it.
    #[serde(default)]
    pub(crate) ledger: Ledger,
}

impl Waiting {
    /// How many decisions stay untold if this message is never sent.
    const fn moves(&self) -> u32 {
        if self.comes_into_force { 0 } else { self.earlier + 1 }
    }
}

impl State {
    /// The stage at which the other side believes the customer to be.
    fn known(&self) -> Stage {
        // What was given up leaves the other side with what it heard before.
        let told = self.told.as_ref().filter(|told| told.how != How::GivenUp).map(|told| told.stage);
        told.or(self.believed).unwrap_or(Stage::Healthy)
    }

    /// When what waits may be told: what is not stricter than what was told last waits out the quiet time.
    pub(crate) fn ready_at(&self, quiet: Millis) -> Option<Timestamp> {
        let waiting = self.waiting.as_ref().filter(|_| self.sending.is_none())?;
        if waiting.comes_into_force {
            return Some(waiting.due);
        }
        let last = self.told.as_ref().filter(|_| waiting.decision.to <= self.known());
        Some(last.map_or(waiting.due, |told| waiting.due.max(told.at + quiet)))
    }

    /// Takes in a decision: only the latest is told.
    fn take(&mut self, line: Line, decision: &Decision, due: Timestamp) {
        let earlier = self.waiting.as_ref().map_or(0, Waiting::moves);
        let (tries, comes_into_force, is_pending) = (0, false, false);
        self.waiting = Some(Waiting { decision: decision.clone(), earlier, tries, due, comes_into_force, is_pending });
        self.pending = None;
        // To a customer that was told nothing of it, a way up and down again is none.
        if line.is_for_the_customer() && self.sending.is_none() && self.known() == decision.to {
            self.waiting = None;
        }
    }

    /// Moves the waiting message to sending. `is_pending` says whether it tells that the decision is not in force.
    pub(crate) fn start(&mut self, is_pending: bool) {
        self.sending = self.waiting.take().map(|waiting| Waiting { is_pending, ..waiting });
    }

    /// Queues the second message about the pending decision at `due`, unless a newer message waits. Returns whether it did.
    pub(crate) fn come_into_force(&mut self, due: Timestamp) -> bool {
        if self.waiting.is_some() || self.sending.is_some() {
            return false;
        }
        let Some(decision) = self.pending.take() else { return false };
        let (earlier, tries, comes_into_force, is_pending) = (0, 0, true, false);
        self.waiting = Some(Waiting { decision, earlier, tries, due, comes_into_force, is_pending });
        true
    }

    /// Drops the second message and makes its decision pending again.
    pub(crate) fn go_out_of_force(&mut self) {
        self.pending = self.waiting.take().map(|waiting| waiting.decision);
    }

    /// It is told, or never will be.
    pub(crate) fn end(&mut self, how: How, at: Timestamp) {
        let ended = self.sending.take().or_else(|| self.waiting.take());
        if let Some(Waiting { decision, is_pending, .. }) = ended {
            // A message that was given up told nobody that the decision is not in force.
            self.pending = (is_pending && how != How::GivenUp).then(|| decision.clone());
            self.believed = Some(if how == How::GivenUp { self.known() } else { decision.to });
            self.told = Some(Told { decision: decision.id, stage: decision.to, at, how });
        }
    }

    /// It failed, and is told at `due` unless something newer waits already.
    pub(crate) fn again(&mut self, due: Timestamp) {
        let Some(failed) = self.sending.take() else { return };
        match &mut self.waiting {
            Some(newer) => newer.earlier += failed.moves(),
            None => self.waiting = Some(Waiting { tries: failed.tries + 1, due, ..failed }),
        }
    }
}

impl Book {
    /// Takes in a decision that stands at `offset` of its customer's partition; whether anything changed.
    pub(crate) fn take(&mut self, decision: &Decision, offset: Offset, (lines, due): (&[Line], Timestamp)) -> bool {
        if self.seen.is_some_and(|seen| offset <= seen) {
            return false;
        }
        self.seen = Some(offset);
        // A person's word that a customer stays where it is tells nothing new.
        if decision.from == decision.to {
            return false;
        }
        let is_shadow = decision.mode == Mode::Shadow;
        if !is_shadow {
            self.ledger.decide(decision);
        }
        for line in lines.iter().filter(|line| line.is_shadow() == is_shadow) {
            self.lines.entry(*line).or_default().take(*line, decision, due);
        }
        true
    }

    /// What was on its way when the process ended is not known to have arrived, and is not repeated. How many those are.
    pub(crate) fn recover(&mut self, at: Timestamp) -> Vec<Line> {
        let sending = self.lines.iter_mut().filter(|(_, state)| state.sending.is_some());
        sending
            .map(|(line, state)| {
                state.end(How::Unknown, at);
                *line
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod sequences;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const QUIET: Millis = Millis::hours(6);

    fn decision(number: u128, from: Stage, to: Stage) -> Decision {
        let example = crate::example(to, Some("block")).unwrap();
        Decision { id: DecisionId::from_bits(number), from, ..example }
    }

    fn take(book: &mut Book, number: u64, from: Stage, to: Stage) {
        assert!(book.take(&decision(number.into(), from, to), Offset::new(number), (&Line::ALL, NOW)));
    }

    #[test]
    fn only_the_latest_is_told_and_says_how_many_there_were() {
        let mut book = Book::default();
        take(&mut book, 1, Stage::Healthy, Stage::Watch);
        take(&mut book, 2, Stage::Watch, Stage::Quarantined);
        let state = &book.lines[&Line::SuccessMail];
        let waiting = state.waiting.as_ref().unwrap();
        assert_eq!((waiting.decision.to, waiting.earlier), (Stage::Quarantined, 1));
        assert!(
            !book.take(&decision(1, Stage::Healthy, Stage::Watch), Offset::new(1), (&Line::ALL, NOW)),
            "read again"
        );
    }

    #[test]
    fn a_customer_who_was_told_nothing_is_not_told_that_it_is_over() {
        let mut book = Book::default();
        take(&mut book, 1, Stage::Healthy, Stage::Suspended);
        take(&mut book, 2, Stage::Suspended, Stage::Healthy);
        assert!(book.lines[&Line::CustomerMail].waiting.is_none());
        assert_eq!(book.lines[&Line::SuccessMail].waiting.as_ref().unwrap().decision.to, Stage::Healthy);
    }

    #[test]
    fn a_customer_who_was_told_is_told_that_it_is_over_also_where_a_message_in_between_was_given_up() {
        let mut book = Book::default();
        take(&mut book, 1, Stage::Healthy, Stage::Throttled);
        let end = |book: &mut Book, how| {
            let state = book.lines.get_mut(&Line::CustomerMail).unwrap();
            state.start(false);
            assert!(state.sending.is_some());
            state.end(how, NOW);
        };
        end(&mut book, How::Delivered);
        // A book of a version that did not keep what is believed.
        let mut written = serde_json::to_value(&book).unwrap();
        written["lines"]["customer_mail"].as_object_mut().unwrap().remove("believed");
        let mut book: Book = serde_json::from_value(written).unwrap();
        for (number, from, to) in [(2, Stage::Throttled, Stage::Suspended), (3, Stage::Suspended, Stage::Banned)] {
            take(&mut book, number, from, to);
            end(&mut book, How::GivenUp);
        }
        let written = serde_json::to_vec(&book).unwrap();
        let mut book: Book = serde_json::from_slice(&written).unwrap();
        take(&mut book, 4, Stage::Banned, Stage::Healthy);
        assert_eq!(book.lines[&Line::CustomerMail].waiting.as_ref().unwrap().decision.to, Stage::Healthy);
        end(&mut book, How::Delivered);
        assert_eq!(book.lines[&Line::CustomerMail].known(), Stage::Healthy);
    }

    #[test]
    fn what_gets_milder_waits_out_the_quiet_time_and_what_gets_stricter_does_not() {
        let mut book = Book::default();
        take(&mut book, 1, Stage::Healthy, Stage::Throttled);
        let tell = |book: &mut Book| {
            let state = book.lines.get_mut(&Line::CustomerMail).unwrap();
            state.start(false);
            assert!(state.sending.is_some());
            state.end(How::Delivered, NOW);
        };
        tell(&mut book);
        take(&mut book, 2, Stage::Throttled, Stage::Watch);
        assert_eq!(book.lines[&Line::CustomerMail].ready_at(QUIET), Some(NOW + QUIET));
        take(&mut book, 3, Stage::Watch, Stage::Quarantined);
        assert_eq!(book.lines[&Line::CustomerMail].ready_at(QUIET), Some(NOW));
    }

    #[test]
    fn what_was_on_its_way_at_a_crash_is_not_repeated_and_what_came_since_is_told() {
        let mut book = Book::default();
        take(&mut book, 1, Stage::Healthy, Stage::Throttled);
        book.lines.get_mut(&Line::CustomerMail).unwrap().start(false);
        take(&mut book, 2, Stage::Throttled, Stage::Suspended);
        let written = serde_json::to_vec(&book).unwrap();
        let mut book: Book = serde_json::from_slice(&written).unwrap();
        assert_eq!(book.recover(NOW), [Line::CustomerMail]);
        let state = &book.lines[&Line::CustomerMail];
        assert_eq!(state.told.as_ref().unwrap().how, How::Unknown);
        assert_eq!(state.waiting.as_ref().unwrap().decision.to, Stage::Suspended);
    }

    #[test]
    fn what_failed_comes_again_unless_something_newer_waits() {
        let mut state = State::default();
        state.take(Line::SuccessMail, &decision(1, Stage::Healthy, Stage::Watch), NOW);
        state.start(false);
        state.again(NOW + Millis::minutes(1));
        assert_eq!(state.waiting.as_ref().unwrap().tries, 1);
        state.start(false);
        state.take(Line::SuccessMail, &decision(2, Stage::Watch, Stage::Banned), NOW);
        state.again(NOW + Millis::minutes(1));
        let waiting = state.waiting.as_ref().unwrap();
        assert_eq!((waiting.decision.to, waiting.earlier, waiting.tries), (Stage::Banned, 1, 0));
    }
}
