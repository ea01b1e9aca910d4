//! Which days are to be compared.

use model::{Day, Millis, Timestamp};

/// How a day was compared the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) at: Timestamp,
    pub(crate) is_complete: bool,
}

/// The longest time back at which a day may still be had.
const DAYS: u32 = 5;

/// The days that are to be compared at `now`, the oldest first: those that ended at least `after` ago and were not compared
/// since. One that lacked something is compared again with each next day, since events may come for a day and more.
pub(crate) fn due(now: Timestamp, after: Millis, compared: impl Fn(Day) -> Option<Compared>) -> Vec<Day> {
    let last = Day::of(now - after).before(1);
    let round = last.end() + after;
    let is_due = |day: &Day| {
        let done =
            |compared: Compared| compared.at >= day.end() + after && (compared.is_complete || compared.at >= round);
        !compared(*day).is_some_and(done)
    };
    last.before(DAYS).to(last).filter(is_due).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const AFTER: Millis = Millis::hours(6);

    fn today() -> Day {
        Day::of(Timestamp::from_seconds(1_790_000_000))
    }

    fn days(now: Timestamp, compared: &BTreeMap<Day, Compared>) -> Vec<Day> {
        due(now, AFTER, |day| compared.get(&day).copied())
    }

    #[test]
    fn a_day_is_compared_once_some_hours_after_its_end() {
        let (today, yesterday) = (today(), today().before(1));
        let round = today.start() + AFTER;
        let done = |at, is_complete| Compared { at, is_complete };
        let mut compared: BTreeMap<_, _> =
            today.before(9).to(yesterday.before(1)).map(|day| (day, done(day.end() + AFTER, true))).collect();
        assert_eq!(days(round - Millis::new(1), &compared), []);
        assert_eq!(days(round, &compared), [yesterday]);
        compared.insert(yesterday, done(round, true));
        assert_eq!(days(round + Millis::hours(23), &compared), []);
        assert_eq!(days(round + Millis::hours(24), &compared), [today]);
    }

    #[test]
    fn what_was_missing_is_looked_for_again_with_each_next_day() {
        let day = today().before(2);
        let first = day.end() + AFTER;
        let found = Compared { at: first + Millis::minutes(1), is_complete: false };
        let mut compared: BTreeMap<_, _> =
            day.before(9).to(today()).map(|day| (day, Compared { at: day.end() + AFTER, is_complete: true })).collect();
        compared.insert(day, found);
        assert_eq!(days(first + Millis::hours(23), &compared), []);
        assert_eq!(days(first + Millis::hours(24), &compared), [day]);
        compared.insert(day, Compared { at: first + Millis::hours(24), is_complete: false });
        assert_eq!(days(first + Millis::hours(47), &compared), []);
        assert_eq!(days(first + Millis::hours(48), &compared), [day]);
    }
}
