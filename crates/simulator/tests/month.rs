//! The month keeps the laws that it states.

use std::collections::{BTreeMap, BTreeSet};

use model::{Counter, Counts, CustomerId, Millis, Provider};
use simulator::month::{Arrival, Gate, Kind, Month, Place, Scenario};

const FREE: Gate<'_> = Gate::Send { pool: None, daily_cap: None };

const SMALL: Scenario = Scenario { seed: 7, customers: 120, days: 4 };

/// All that arrives until the end, in steps of this length.
fn run(month: &mut Month, scenario: &Scenario, step: Millis, gate: &dyn Fn(usize) -> Gate<'static>) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    let mut now = Scenario::START;
    while now < scenario.end() {
        now = (now + step).min(scenario.end());
        arrivals.extend(month.advance(now, gate));
    }
    arrivals
}

fn whole(scenario: &Scenario) -> (Month, Vec<Arrival>) {
    let mut month = Month::new(scenario, 0, 1);
    let arrivals = run(&mut month, scenario, Millis::hours(1), &|_| FREE);
    (month, arrivals)
}

/// What of an arrival does not depend on the part that it comes from.
fn told(month: &Month, arrivals: &[Arrival]) -> BTreeSet<String> {
    let line =
        |arrival: &Arrival| format!("{} {:?} {:?}", month.customers()[arrival.place].id, arrival.at, arrival.event());
    arrivals.iter().map(line).collect()
}

fn counts(arrivals: &[Arrival]) -> BTreeMap<usize, Counts> {
    let mut counts = BTreeMap::<usize, Counts>::new();
    for arrival in arrivals {
        counts.entry(arrival.place).or_default().count(arrival.counter());
    }
    counts
}

#[test]
fn the_same_seed_gives_the_same_events_however_the_run_is_cut() {
    let (month, at_once) = whole(&SMALL);
    let stepwise = run(&mut Month::new(&SMALL, 0, 1), &SMALL, Millis::seconds(77), &|_| FREE);
    assert!(at_once == stepwise, "{} and {} events", at_once.len(), stepwise.len());
    assert!(at_once.is_sorted_by_key(|arrival| arrival.at));
    let mut of_parts = BTreeSet::new();
    for part in 0..3 {
        let mut month = Month::new(&SMALL, part, 3);
        let arrivals = run(&mut month, &SMALL, Millis::hours(1), &|_| FREE);
        of_parts.extend(told(&month, &arrivals));
    }
    assert!(told(&month, &at_once) == of_parts);
    let other = whole(&Scenario { seed: 8, ..SMALL }).1;
    assert!(at_once != other);
}

#[test]
fn every_event_has_an_id_and_digests_of_its_own() {
    let (_, arrivals) = whole(&SMALL);
    let ids: BTreeSet<_> = arrivals.iter().map(|arrival| arrival.event().id.to_owned()).collect();
    let digests = arrivals.iter().flat_map(|arrival| [arrival.event().id_digest, arrival.event().content_digest]);
    assert_eq!(ids.len(), arrivals.len());
    assert_eq!(digests.collect::<BTreeSet<_>>().len(), arrivals.len() * 2);
}

#[test]
fn stopping_one_customer_changes_no_event_of_the_others() {
    let (month, free) = whole(&SMALL);
    let largest = counts(&free).into_iter().max_by_key(|(_, counts)| counts[Counter::Processed]).unwrap().0;
    let mut again = Month::new(&SMALL, 0, 1);
    let gated = run(&mut again, &SMALL, Millis::hours(1), &|place| if place == largest { Gate::Stop } else { FREE });
    assert!(gated.iter().all(|arrival| arrival.place != largest));
    let others: Vec<_> = free.into_iter().filter(|arrival| arrival.place != largest).collect();
    assert!(told(&month, &others) == told(&again, &gated));
}

#[test]
fn who_is_held_back_sends_as_many_as_it_may_and_through_the_pool_that_it_was_given() {
    let mut month = Month::new(&SMALL, 0, 1);
    let held = Gate::Send { pool: Some("quarantine"), daily_cap: Some(5) };
    let arrivals = run(&mut month, &SMALL, Millis::hours(1), &|_| held);
    let most = 5 * SMALL.days;
    let mut sent = BTreeMap::<_, u32>::new();
    for arrival in &arrivals {
        let event = arrival.event();
        match arrival.counter() {
            Counter::Processed => assert_eq!(event.pool, Some("quarantine")),
            _ => assert_eq!(event.pool, None),
        }
        let handed_over = matches!(arrival.counter(), Counter::Processed | Counter::Dropped);
        *sent.entry(arrival.place).or_default() += u32::from(handed_over);
    }
    assert!(sent.values().all(|mails| *mails <= most));
    assert!(sent.values().filter(|mails| **mails == most).count() > 40, "{sent:?}");
}

#[test]
fn mail_is_dropped_only_where_its_recipient_bounced_complained_or_left_before() {
    let (_, arrivals) = whole(&SMALL);
    let mut gone = BTreeSet::new();
    let mut drops = 0;
    for arrival in &arrivals {
        let recipient = (arrival.place, arrival.address());
        match arrival.counter() {
            Counter::HardBounce | Counter::SpamReport | Counter::Unsubscribe => {
                gone.insert(recipient);
            }
            Counter::Dropped => {
                drops += 1;
                assert!(gone.contains(&recipient), "{arrival:?}");
            }
            _ => {}
        }
    }
    assert!(drops > 100, "{drops}");
}

#[test]
fn complaints_come_from_where_they_are_reported_and_some_only_after_days() {
    let scenario = Scenario { days: 10, ..SMALL };
    let (month, arrivals) = whole(&scenario);
    let mut late = 0;
    for arrival in arrivals.iter().filter(|arrival| arrival.counter() == Counter::SpamReport) {
        let event = arrival.event();
        assert!(event.provider.reports_complaints());
        if month.customers()[arrival.place].kind == Kind::LateComplaints {
            let after = event.at.since(event.sent_at.unwrap());
            assert!((Millis::days(2)..Millis::days(5)).contains(&after), "{after:?}");
            late += 1;
        }
    }
    assert!(late > 100, "{late}");
}

/// Where the truth says that a kind's hard bounces are: of mails attempted, over a month in which nobody is stopped.
const fn hard_bounces(kind: Kind) -> (f64, f64) {
    match kind {
        Kind::Good | Kind::WeeklyGood | Kind::SoftBounces | Kind::ListedPool => (0.002, 0.015),
        // Mostly by its owner while it is good, mostly by the thief after.
        Kind::Hijacked => (0.05, 0.30),
        Kind::SmallGood => (0.0, 0.07),
        Kind::SeasonalPeak => (0.005, 0.03),
        Kind::Transactional => (0.001, 0.004),
        // A third of them has an hour in which Gmail bounces two thirds of its mail.
        Kind::OutageHit => (0.002, 0.03),
        Kind::ComplaintMagnet | Kind::LateComplaints => (0.002, 0.015),
        Kind::BoughtList | Kind::FirstBlast => (0.12, 0.30),
        Kind::SharedList | Kind::StopAndGo | Kind::WeeklyBad => (0.12, 0.25),
        Kind::SlowRot => (0.045, 0.055),
        Kind::SlowDrip => (0.12, 0.20),
        Kind::Mixture => (0.07, 0.09),
    }
}

#[test]
fn each_kinds_hard_bounces_are_what_the_truth_says() {
    let scenario = Scenario { seed: 3, customers: 400, days: 20 };
    let (month, arrivals) = whole(&scenario);
    let mut kinds = BTreeMap::<Kind, Counts>::new();
    for (place, counts) in counts(&arrivals) {
        *kinds.entry(month.customers()[place].kind).or_default() += &counts;
    }
    for kind in Kind::ALL {
        let (least, most) = hard_bounces(kind);
        let (hits, mails) = (kinds[&kind][Counter::HardBounce], kinds[&kind][Counter::Processed]);
        // One such count in a billion is beyond one of the ends by chance alone.
        let too_many = policy::tail::at_least(hits, mails, most) < 1e-9;
        let too_few = 1.0 - policy::tail::at_least(hits + 1, mails, least) < 1e-9;
        assert!(!too_many && !too_few, "{}: {hits} of {mails}, {least} to {most}", kind.name());
    }
}

#[test]
fn what_a_bad_customer_is_said_to_be_is_what_its_mail_shows() {
    let scenario = Scenario { seed: 5, customers: 100, days: 20 };
    let (month, arrivals) = whole(&scenario);
    let mut counts = BTreeMap::<usize, Counts>::new();
    for arrival in &arrivals {
        let badness = month.customers()[arrival.place].badness;
        // Gmail's bounces in its bad hour are nobody's fault.
        if badness.is_some_and(|badness| arrival.event().sent_at >= Some(badness.since))
            && arrival.event().provider != Provider::Gmail
        {
            counts.entry(arrival.place).or_default().count(arrival.counter());
        }
    }
    for (place, counts) in counts {
        let customer = &month.customers()[place];
        let badness = customer.badness.unwrap();
        // A campaign of thousands has a rate of its own, and one that rots has many.
        if badness.signal == Counter::SpamReport || badness.rise > 0.0 || counts[Counter::Processed] > 40_000 {
            continue;
        }
        let campaigns = matches!(customer.kind, Kind::WeeklyBad | Kind::FirstBlast);
        let (hits, mails) = (counts[Counter::HardBounce], counts[Counter::Processed]);
        let slack = if campaigns { 0.6 } else { 0.1 };
        let too_many = policy::tail::at_least(hits, mails, badness.rate * (1.0 + slack)) < 1e-9;
        let too_few = 1.0 - policy::tail::at_least(hits + 1, mails, badness.rate * (1.0 - slack)) < 1e-9;
        assert!(!too_many && !too_few, "{customer:?}: {hits} of {mails}");
    }
}

#[test]
fn incidents_strike_where_and_when_they_are_said_to() {
    let scenario = Scenario { seed: 3, customers: 400, days: 10 };
    let (month, arrivals) = whole(&scenario);
    for incident in scenario.incidents() {
        let during = arrivals.iter().filter(|arrival| {
            let sent = arrival.event().sent_at.unwrap();
            month.customers()[arrival.place].kind.is_good()
                && sent >= incident.from + Millis::seconds(1)
                && sent < incident.until
        });
        let there = |arrival: &&Arrival| match incident.place {
            Place::Provider(provider) => arrival.event().provider == provider,
            Place::Pool(pool) => month.customers()[arrival.place].home == pool,
        };
        let (there, elsewhere): (Vec<_>, Vec<_>) = during.partition(there);
        let (there, elsewhere) = (undelivered(&there), undelivered(&elsewhere));
        assert!((there - incident.share).abs() < 0.1, "{incident:?}: {there}");
        // The pool's day and the second outage may be the same day.
        assert!(elsewhere < 0.15, "{incident:?}: {elsewhere} elsewhere");
    }
}

/// The share of mail that bounced, was blocked or deferred.
fn undelivered(arrivals: &[&Arrival]) -> f64 {
    let mut counts = Counts::ZERO;
    for arrival in arrivals {
        counts.count(arrival.counter());
        arrival.event().facet.into_iter().for_each(|facet| counts.count(facet));
    }
    let wrong = [Counter::HardBounce, Counter::Block, Counter::FirstDeferral].map(|counter| counts[counter]);
    f64::from(wrong.iter().sum::<u32>()) / f64::from(counts[Counter::Processed])
}

#[test]
fn there_are_enough_of_each_kind_and_the_parts_hold_as_many() {
    let scenario = Scenario { seed: 1, customers: 10_000, days: 30 };
    let parts = [0, 1].map(|part| Month::new(&scenario, part, 2));
    let mut kinds = BTreeMap::<Kind, [usize; 2]>::new();
    let mut names = BTreeSet::<CustomerId>::new();
    for (part, month) in parts.iter().enumerate() {
        for customer in month.customers() {
            kinds.entry(customer.kind).or_default()[part] += 1;
            assert!(names.insert(customer.id.clone()));
            assert_eq!(customer.badness.is_none(), customer.kind.is_good());
        }
    }
    assert_eq!(names.len(), scenario.customers);
    assert!(Kind::ALL.iter().all(|kind| kinds[kind].iter().sum::<usize>() >= 20), "{kinds:?}");
    assert!(kinds.values().all(|[one, other]| one.abs_diff(*other) <= 1), "{kinds:?}");
}
