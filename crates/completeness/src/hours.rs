//! The hours of a day of which events are missing.
//!
//! SendGrid counts by day. What tells an hour is, first, its lists of suppressions: of each address that came onto one within
//! an hour there was an event. A list holds an address once, with its latest time, so it tells of no more events than there
//! were, and an hour is named only where Weir has fewer. Second, silence: on a day that lacks events, an hour of which Weir has
//! none at all, though the hours around it, or the same hour of another day, had some.

use std::collections::BTreeMap;

use model::{Counter, Counts, Day, Fewer, Millis, MissingHour, Timestamp};

use crate::Hour;

/// When addresses came onto the list of this kind.
pub type Listed = BTreeMap<Counter, Vec<Timestamp>>;

/// How far the time on a list may lie from the event's: nobody says that they are the same. Within it, an hour's neighbour
/// may have the event.
const EDGE: Millis = Millis::minutes(1);
/// How far around an hour others are looked at, in hours: longer silences may be nights. Where no other day is known, everything
/// between two hours with events counts.
const AROUND: i64 = 3;
/// How many days back and on the same hour is looked at.
const DAYS: i64 = 3;

/// The hours of `day` of which events are missing; `is_short` says whether the day's numbers lack any.
pub fn missing(day: Day, weir: &BTreeMap<Hour, Counts>, listed: &Listed, is_short: bool) -> Vec<MissingHour> {
    let mut hours = BTreeMap::<Hour, MissingHour>::new();
    let new = |hour: Hour| MissingHour { hour: hour.start(), silent: false, fewer: Vec::new() };
    if is_short {
        for hour in silent(day, weir) {
            hours.entry(hour).or_insert_with(|| new(hour)).silent = true;
        }
    }
    for (kind, created) in listed {
        for (hour, fewer) in fewer(day, *kind, weir, created) {
            hours.entry(hour).or_insert_with(|| new(hour)).fewer.push(fewer);
        }
    }
    hours.into_values().collect()
}

/// Hours without any event that should have had some. On a day without any at all, each of them.
fn silent(day: Day, weir: &BTreeMap<Hour, Counts>) -> Vec<Hour> {
    let is_heard = |hour: Hour| weir.get(&hour).is_some_and(|counts| !counts.is_zero());
    let other_days = || (-DAYS..=DAYS).filter(|days| *days != 0).map(|days| days * 24);
    let is_usual = |hour: Hour| other_days().any(|by| is_heard(hour.plus(by)));
    let is_deaf = Hour::of_day(day).all(|hour| !is_heard(hour));
    let around = if Hour::of_day(day).any(is_usual) { AROUND } else { 24 };
    let is_between = |hour: Hour| {
        let any = |sign: i64| (1..=around).any(|by| is_heard(hour.plus(sign * by)));
        any(-1) && any(1)
    };
    let should_speak = |hour: &Hour| is_deaf || is_usual(*hour) || is_between(*hour);
    Hour::of_day(day).filter(|hour| !is_heard(*hour)).filter(should_speak).collect()
}

/// Where the addresses of a list fit: in the hour that they are listed in, or, at its edge, in that or its neighbour.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// Weir's events.
    weir: u64,
    /// Listed in this hour.
    listed: u64,
    /// Of these, those that are near neither edge.
    inner: u64,
    /// Those near the boundary to the hour before, of either hour.
    boundary: u64,
    /// Those that found no event of Weir's.
    lacking: u64,
}

impl Slot {
    /// Takes as many of `wanted` as there is room for; how many are left.
    fn take(&mut self, wanted: u64) -> u64 {
        let taken = wanted.min(self.weir - self.inner.min(self.weir));
        self.inner += taken;
        wanted - taken
    }
}

/// The hours of `day` in which more addresses came onto the list than Weir has events of its kind.
fn fewer(day: Day, kind: Counter, weir: &BTreeMap<Hour, Counts>, created: &[Timestamp]) -> Vec<(Hour, Fewer)> {
    // The hour before and the hour after may have what is listed at the day's own edges.
    let first = Hour::of(day.start()).plus(-1);
    let mut slots = [Slot::default(); 26];
    for (slot, hour) in slots.iter_mut().zip(0..) {
        slot.weir = weir.get(&first.plus(hour)).map_or(0, |counts| counts[kind].into());
    }
    for created in created.iter().filter(|created| Day::of(**created) == day) {
        list(&mut slots, *created, first);
    }
    slots.iter_mut().for_each(|slot| slot.lacking = slot.inner.saturating_sub(slot.weir));
    // From left to right: what the hour before a boundary has left is of use to no later boundary.
    for at in 1..slots.len() {
        let left = slots[at - 1].take(slots[at].boundary);
        let left = slots[at].take(left);
        let before = &mut slots[at - 1];
        let theirs = left.min(before.listed.saturating_sub(before.weir + before.lacking));
        before.lacking += theirs;
        slots[at].lacking += left - theirs;
    }
    let named = |(slot, hour): (&Slot, i64)| {
        let is_named = slot.lacking > 0 && slot.listed > slot.weir;
        is_named.then(|| (first.plus(hour), Fewer { kind, sendgrid: slot.listed, weir: slot.weir }))
    };
    slots.iter().zip(0..).filter_map(named).collect()
}

fn list(slots: &mut [Slot; 26], created: Timestamp, first: Hour) {
    let hour = Hour::of(created);
    let since = created.since(hour.start());
    let Ok(at) = usize::try_from(hour.start().since(first.start()).get() / Hour::LENGTH.get()) else { return };
    let is_late = since.get() >= Hour::LENGTH.get() - EDGE.get();
    if let Some(slot) = slots.get_mut(at) {
        slot.listed += 1;
        slot.inner += u64::from(since >= EDGE && !is_late);
        slot.boundary += u64::from(since < EDGE);
    }
    if let Some(next) = slots.get_mut(at + 1) {
        next.boundary += u64::from(is_late);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: Counter = Counter::HardBounce;

    fn day() -> Day {
        Day::of(Timestamp::from_seconds(1_790_000_000))
    }

    fn moment(hour: i64, seconds: i64) -> Timestamp {
        day().start() + Millis::hours(hour) + Millis::seconds(seconds)
    }

    /// Events of the kind at these moments, by hour.
    fn received(moments: impl IntoIterator<Item = Timestamp>) -> BTreeMap<Hour, Counts> {
        let mut hours = BTreeMap::<Hour, Counts>::new();
        moments.into_iter().for_each(|at| hours.entry(Hour::of(at)).or_default().count(KIND));
        hours
    }

    fn names(hours: &[MissingHour]) -> Vec<i64> {
        hours.iter().map(|missing| missing.hour.since(day().start()).get() / Hour::LENGTH.get()).collect()
    }

    fn listed(moments: &[Timestamp]) -> Listed {
        [(KIND, moments.to_vec())].into()
    }

    #[test]
    fn an_hour_is_named_where_weir_has_fewer_and_nowhere_else() {
        let moments = [moment(3, 600), moment(3, 700), moment(5, 600), moment(9, 600)];
        let weir = received([moments[0], moments[3], moment(9, 900)]);
        let hours = missing(day(), &weir, &listed(&moments), false);
        let fewer = |sendgrid, weir| vec![Fewer { kind: KIND, sendgrid, weir }];
        let expected = [(moment(3, 0), fewer(2, 1)), (moment(5, 0), fewer(1, 0))];
        let expected = expected.map(|(hour, fewer)| MissingHour { hour, silent: false, fewer });
        assert_eq!(hours, expected);
    }

    #[test]
    fn an_event_on_the_other_side_of_the_full_hour_is_not_missing() {
        for (event, created) in
            [(moment(3, 3_599), moment(4, 2)), (moment(0, -1), moment(0, 30)), (moment(24, 0), moment(23, 3_590))]
        {
            assert_eq!(missing(day(), &received([event]), &listed(&[created]), false), [], "{event} {created}");
        }
        let hours = missing(day(), &received([moment(3, 3_000)]), &listed(&[moment(4, 61)]), false);
        assert_eq!(names(&hours), [4], "too far from the full hour to be the same");
        let hours = missing(day(), &received([]), &listed(&[moment(4, 2), moment(6, 3_599)]), false);
        assert_eq!(names(&hours), [4, 6], "there is none on either side");
    }

    #[test]
    fn silence_is_named_between_hours_with_events_and_where_other_days_have_some() {
        let working = |hours: std::ops::Range<i64>| hours.map(|hour| moment(hour, 60));
        let hours = |moments: Vec<Timestamp>| names(&missing(day(), &received(moments), &Listed::new(), true));
        assert_eq!(hours(working(0..24).filter(|at| ![moment(7, 60), moment(8, 60)].contains(at)).collect()), [7, 8]);
        // A webhook that went silent in the afternoon, of a platform that sends from 8 to 18.
        let before = working(-16..-6);
        assert_eq!(hours(before.chain(working(8..14)).collect()), [14, 15, 16, 17]);
        assert!(hours(working(8..14).collect()).is_empty(), "nobody knows whether there should be more");
        assert_eq!(hours(Vec::new()), (0..24).collect::<Vec<_>>(), "whatever there was is missing");
    }

    #[test]
    fn silence_is_nothing_on_a_day_that_lacks_nothing() {
        let weir = received((0..24).filter(|hour| *hour != 7).map(|hour| moment(hour, 60)));
        assert_eq!(missing(day(), &weir, &Listed::new(), false), []);
    }

    proptest! {
        #[test]
        fn who_has_every_event_is_told_of_none(
            events in prop::collection::vec((0..86_400_i64, -59_i64..=59, any::<bool>()), 0..300),
        ) {
            let events: Vec<_> = events.into_iter().map(|(at, off, again)| (moment(0, at), off, again)).collect();
            // An address that was listed before is listed again with its latest time only.
            let created: Vec<_> = events.iter().filter(|(_, _, again)| !again)
                .map(|(at, off, _)| *at + Millis::seconds(*off)).collect();
            let weir = received(events.iter().map(|(at, ..)| *at));
            prop_assert_eq!(missing(day(), &weir, &listed(&created), false), []);
        }

        #[test]
        fn an_hour_that_is_named_has_fewer_and_one_without_its_inner_events_is_named(
            events in prop::collection::vec(0..86_400_i64, 1..300), lost in 0..24_i64,
        ) {
            let events: Vec<_> = events.into_iter().map(|at| moment(0, at)).collect();
            let is_lost = |at: &&Timestamp| Hour::of(**at) == Hour::of(moment(lost, 0));
            let weir = received(events.iter().filter(|at| !is_lost(at)).copied());
            let hours = missing(day(), &weir, &listed(&events), false);
            for hour in &hours {
                prop_assert!(hour.fewer.iter().all(|fewer| fewer.sendgrid > fewer.weir));
            }
            let is_inner = |at: &Timestamp| (60..3_540).contains(&at.since(moment(lost, 0)).get().div_euclid(1_000));
            let is_told = events.iter().any(is_inner);
            prop_assert_eq!(names(&hours).contains(&lost) || !is_told, true);
            prop_assert!(names(&hours).iter().all(|hour| *hour == lost), "{:?}", names(&hours));
        }
    }
}
