//! Time, as the events themselves tell it.

use model::{Millis, Timestamp};

/// How far an event may be ahead of all before it and be believed by itself; the fold, too, doubts what is further ahead.
const AHEAD: Millis = Millis::hours(1);
/// For how long into a silence every tick is made.
const FINE: Millis = Millis::hours(1);
/// For how long into a silence a tick an hour is made: behind it every window is empty.
const COARSE: Millis = Millis::days(45);

/// The greatest time of an event so far, and the ticks that it brings about.
///
/// A tick is due at each full interval that the clock passes, before the event that makes it pass. In a silence of more than an
/// hour, which only a gap in the recording brings about, ticks are hourly until shortly before the next event: customers come
/// down up to an hour later than they would have, and a year's gap costs nothing.
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
    /// are a gap in the recording.
    pub(crate) fn advance(&mut self, at: Timestamp, next: Option<Timestamp>) -> Vec<Timestamp> {
        let believed = match self.now {
            None => Some(next.map_or(at, |next| at.min(next))),
            Some(now) if at <= now + AHEAD => Some(at),
            Some(now) => next.filter(|next| *next > now + AHEAD).map(|next| at.min(next)),
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
        let latest = Timestamp::from_millis(now.millis().div_euclid(every).saturating_mul(every));
        let Some(ticked) = self.ticked else { return vec![latest] };
        let (mut due, mut tick) = (Vec::new(), ticked + self.every);
        while tick <= latest {
            let (silent, left) = (tick.since(ticked), latest.since(tick));
            let is_hourly = tick.millis().rem_euclid(Millis::hours(1).get()) < every && silent <= COARSE;
            if silent <= FINE || left <= self.every || is_hourly {
                due.push(tick);
            }
            tick = tick + self.every;
        }
        due
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
    fn a_first_event_from_far_ahead_is_not_believed() {
        let mut clock = clock();
        let _first = clock.advance(at(9_000_000, 0), Some(at(0, 1)));
        assert_eq!(clock.now(), at(0, 1));
    }

    #[test]
    fn a_long_silence_is_told_in_hours() {
        let mut clock = clock();
        let _first = clock.advance(at(0, 0), Some(at(0, 0)));
        let day = 24 * 60;
        let ticks = clock.advance(at(day, 0), Some(at(day, 0)));
        assert!((60 + 22..=60 + 25 + 2).contains(&ticks.len()), "{}", ticks.len());
        assert!(ticks.ends_with(&[at(day - 1, 0), at(day, 0)]));
        assert!(ticks.is_sorted() && ticks.windows(2).all(|pair| pair[1].since(pair[0]) <= Millis::hours(1)));
    }
}
