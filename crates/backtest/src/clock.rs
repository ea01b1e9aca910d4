//! Time, as the events themselves tell it.

use model::{Millis, Timestamp};

/// How far an event may be ahead of all before it and be believed by itself; the fold, too, doubts what is further ahead.
const AHEAD: Millis = Millis::hours(1);
/// For how long into a silence ticks are made: behind it every window is empty.
const SILENCE: Millis = Millis::days(45);

/// The greatest time of an event so far, and the ticks that it brings about.
///
/// A tick is due at each full interval that the clock passes, before the event that makes it pass. A silence longer than
/// [`SILENCE`], a year's gap between two files, say, ticks no further until just before it ends.
#[derive(Debug)]
pub(crate) struct Clock {
    every: Millis,
    now: Option<Timestamp>,
    ticked: Option<Timestamp>,
}

impl Clock {
    /// A clock that ticks every `every`.
    pub(crate) const fn new(every: Millis) -> Self {
        Self { every, now: None, ticked: None }
    }

    /// The time, as far as it is known.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.unwrap_or_default()
    }

    /// Takes in that an event of `at` arrived, and one of `next` behind it. The ticks due before it, in their order.
    ///
    /// One event far ahead of all others is a mistake of somebody's clock, and no reason to let time jump for all; two in a row
    /// are a gap in the recording. The last event of all, without a `next`, has no other to bear it out: it is believed as long
    /// as it lies within the silence that ticks.
    pub(crate) fn advance(&mut self, at: Timestamp, next: Option<Timestamp>) -> Vec<Timestamp> {
        let believed = match self.now {
            None => Some(next.map_or(at, |next| at.min(next))),
            Some(now) if at <= now + AHEAD => Some(at),
            Some(now) => match next {
                Some(next) => Some(at.min(next)).filter(|_| next > now + AHEAD),
                None => Some(at).filter(|at| *at <= now + SILENCE),
            },
        };
        let Some(now) = believed.filter(|believed| self.now.is_none_or(|now| *believed > now)) else {
            return Vec::new();
        };
        self.now = Some(now);
        let due = self.due(now);
        self.ticked = due.last().copied().or(self.ticked);
        due
    }

    /// The last two ticks, behind all events: what waits for the fleet's counts of one tick is judged at the other.
    pub(crate) fn finish(&self) -> Vec<Timestamp> {
        let Some(last) = self.ticked else { return Vec::new() };
        [last + self.every, last + self.every + self.every].into()
    }

    fn due(&self, now: Timestamp) -> Vec<Timestamp> {
        let every = self.every.get().max(1);
        let number = |moment: Timestamp| moment.millis().div_euclid(every);
        let latest = number(now);
        let ticked = self.ticked.map_or(latest - 1, number);
        let silence = ticked.saturating_add(SILENCE.get() / every).min(latest);
        let ending = (silence + 1).max(latest - 1)..=latest;
        (ticked + 1..=silence).chain(ending).map(|number| Timestamp::from_millis(number * every)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64, seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_040 + minutes * 60 + seconds)
    }

    fn clock() -> Clock {
        Clock::new(Millis::minutes(1))
    }

    #[test]
    fn a_tick_is_due_at_each_full_minute_that_is_passed() {
        let mut clock = clock();
        assert_eq!(clock.advance(at(0, 20), Some(at(0, 21))), [at(0, 0)], "time is known before the first event");
        assert_eq!(clock.advance(at(0, 59), None), []);
        assert_eq!(clock.advance(at(2, 0), None), [at(1, 0), at(2, 0)]);
        assert_eq!(clock.advance(at(1, 30), None), [], "time never goes back");
        assert_eq!((clock.now(), clock.finish()), (at(2, 0), vec![at(3, 0), at(4, 0)]));
    }

    #[test]
    fn one_event_far_ahead_is_not_believed_and_two_are() {
        let mut clock = clock();
        let _first = clock.advance(at(0, 0), Some(at(0, 1)));
        assert_eq!(clock.advance(at(9_000, 0), Some(at(0, 2))), []);
        assert_eq!(clock.now(), at(0, 0));
        assert_eq!(clock.advance(at(9_000, 0), Some(at(200, 30))).last(), Some(&at(200, 0)));
        assert_eq!(clock.now(), at(200, 30), "the nearer of the two");
    }

    #[test]
    fn the_last_event_is_believed_behind_a_quiet_hour_but_not_from_another_age() {
        let mut clock = clock();
        let _first = clock.advance(at(0, 0), Some(at(0, 1)));
        assert_eq!(clock.advance(at(300, 5), None).last(), Some(&at(300, 0)));
        assert_eq!(clock.now(), at(300, 5));
        assert_eq!(clock.advance(at(300 + 46 * 24 * 60, 0), None), []);
        assert_eq!(clock.now(), at(300, 5));
    }

    #[test]
    fn an_event_behind_a_quiet_hour_is_believed_where_one_of_the_same_moment_follows() {
        let mut clock = clock();
        let _first = clock.advance(at(0, 0), Some(at(0, 1)));
        assert_eq!(clock.advance(at(90, 0), Some(at(90, 0))).last(), Some(&at(90, 0)));
    }

    #[test]
    fn a_first_event_from_far_ahead_is_not_believed() {
        let mut clock = clock();
        let _first = clock.advance(at(9_000_000, 0), Some(at(0, 1)));
        assert_eq!(clock.now(), at(0, 1));
    }

    #[test]
    fn a_silence_ticks_until_all_windows_are_empty_and_just_before_it_ends() {
        let mut clock = clock();
        let _first = clock.advance(at(0, 0), Some(at(0, 0)));
        let year = 365 * 24 * 60;
        let ticks = clock.advance(at(year, 0), Some(at(year, 0)));
        assert_eq!(ticks.len(), 45 * 24 * 60 + 2);
        assert!(ticks.is_sorted() && ticks.ends_with(&[at(year - 1, 0), at(year, 0)]));
    }
}
