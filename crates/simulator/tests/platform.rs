//! The platform keeps the laws that it states.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use model::{Counter, Counts, CustomerId, EventKind, Millis, Provider, Timestamp};
use sendgrid::webhook::WebhookEvent;
use simulator::platform::{Account, Arrival, Gate, Ledger, Platform, Scenario, Truth};

const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn everyone_sends(_: &Account) -> Gate {
    Gate::Send(Some(Arc::from("good-1")))
}

/// All that arrives, in steps of this length.
fn run(platform: &mut Platform, step: Millis, gate: &mut dyn FnMut(&Account) -> Gate) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    let mut now = START;
    while !platform.is_finished() {
        now = now + step;
        arrivals.extend(platform.advance(now, gate));
    }
    arrivals
}

fn whole(seed: u64) -> (Platform, Vec<Arrival>) {
    let mut platform = Platform::new(&Scenario::hour(seed, START));
    let arrivals = run(&mut platform, Millis::minutes(7), &mut everyone_sends);
    (platform, arrivals)
}

/// A smaller scenario, for what does not need numbers.
fn small(seed: u64) -> Platform {
    Platform::new(&Scenario { customers: 40, good_mails: 4_000, ..Scenario::hour(seed, START) })
}

fn parsed(arrival: &Arrival) -> WebhookEvent<'_> {
    WebhookEvent::parse(arrival.event.as_bytes()).unwrap()
}

fn text<'a>(field: &'a Option<std::borrow::Cow<'_, str>>) -> &'a str {
    field.as_deref().unwrap_or_default()
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_the_run_is_cut_into_steps() {
    let at_once = run(&mut small(7), Millis::hours(5), &mut everyone_sends);
    let step_by_step = run(&mut small(7), Millis::new(12_345), &mut everyone_sends);
    assert!(at_once.len() > 10_000);
    assert_eq!(at_once, step_by_step);
    assert_ne!(at_once, run(&mut small(8), Millis::hours(5), &mut everyone_sends));
}

#[test]
fn what_arrives_is_in_order_and_never_before_it_happened() {
    let arrivals = run(&mut small(3), Millis::minutes(1), &mut everyone_sends);
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
    assert!(arrivals.iter().all(|arrival| parsed(arrival).timestamp <= arrival.at));
}

#[test]
fn stopping_or_moving_one_customer_changes_no_byte_of_the_others() {
    let untouched = run(&mut small(5), Millis::minutes(1), &mut everyone_sends);
    let (stopped, moved) = (CustomerId::new("customer-000").unwrap(), CustomerId::new("customer-035").unwrap());
    let mut gate = |account: &Account| match account {
        account if account.id == stopped => Gate::Stop,
        account if account.id == moved => Gate::Send(Some(Arc::from("quarantine"))),
        account => everyone_sends(account),
    };
    let mut platform = small(5);
    let touched = run(&mut platform, Millis::minutes(1), &mut gate);
    let others = |arrivals: &[Arrival]| -> Vec<Arrival> {
        arrivals.iter().filter(|arrival| arrival.customer != stopped && arrival.customer != moved).cloned().collect()
    };
    assert_eq!(others(&untouched), others(&touched));
    assert_eq!((platform.sent(&stopped), touched.iter().any(|arrival| arrival.customer == stopped)), (0, false));
    let of_moved = |arrivals: &[Arrival]| arrivals.iter().filter(|arrival| arrival.customer == moved).count();
    assert_eq!(of_moved(&untouched), of_moved(&touched));
}

#[test]
fn a_customer_that_was_stopped_for_a_while_sends_its_later_mail_as_if_nothing_had_been() {
    let half = START + Millis::minutes(30);
    let id = CustomerId::new("customer-000").unwrap();
    let mut platform = small(5);
    let mut arrivals = platform.advance(half, &mut |_| Gate::Stop);
    assert!(arrivals.is_empty());
    arrivals.extend(run(&mut platform, Millis::hours(5), &mut everyone_sends));
    let all: HashSet<_> =
        run(&mut small(5), Millis::hours(5), &mut everyone_sends).into_iter().map(|a| a.event).collect();
    assert!(platform.sent(&id) > 100);
    assert!(arrivals.iter().all(|arrival| all.contains(&arrival.event)));
}

fn counter_of(event: &WebhookEvent<'_>) -> Counter {
    let counted = |kind| if let EventKind::Counted(counter) = kind { Some(counter) } else { None };
    counted(event.kind()).unwrap()
}

/// Counts by customer, as a reader makes them that takes out copies by what the events tell.
fn recount(arrivals: &[Arrival]) -> (BTreeMap<CustomerId, Counts>, Counts, u64) {
    let (mut customers, mut nobodys, mut copies) = (BTreeMap::<CustomerId, Counts>::new(), Counts::ZERO, 0);
    let (mut ids, mut contents) = (HashSet::new(), HashSet::new());
    for arrival in arrivals {
        let event = parsed(arrival);
        let told = event.to_event();
        // Both are noted, whatever the other says.
        let (new_id, new_content) = (ids.insert(told.id_digest), contents.insert(told.content_digest));
        if !(new_id && new_content) {
            copies += 1;
            continue;
        }
        let counts = match event.arg("customer_id") {
            None => &mut nobodys,
            Some(name) => {
                assert_eq!(name, arrival.customer.as_str());
                customers.entry(arrival.customer.clone()).or_default()
            }
        };
        for counter in [Some(counter_of(&event)), told.facet].into_iter().flatten() {
            counts.count(counter);
        }
    }
    (customers, nobodys, copies)
}

fn assert_same(ledger: &Ledger, arrivals: &[Arrival]) {
    let (customers, nobodys, copies) = recount(arrivals);
    let told: BTreeMap<_, _> = ledger.customers().map(|(id, counts)| (id.clone(), *counts)).collect();
    assert_eq!(told, customers);
    assert_eq!((ledger.nobodys(), ledger.copies()), (&nobodys, copies));
}

#[test]
fn the_ledger_is_what_a_reader_counts_that_takes_out_the_copies() {
    let (platform, arrivals) = whole(1);
    assert_same(platform.ledger(), &arrivals);
    assert!(!platform.ledger().nobodys().is_zero(), "some events name no customer");
}

#[test]
fn the_ledger_is_right_at_every_moment() {
    let mut platform = small(9);
    let mut arrivals = Vec::new();
    for minute in 1..=40 {
        arrivals.extend(platform.advance(START + Millis::minutes(minute), &mut everyone_sends));
        if minute % 8 == 0 {
            assert_same(platform.ledger(), &arrivals);
        }
    }
}

/// What is counted of all customers of a kind, and of their mail at providers that report complaints.
fn by_truth(platform: &Platform, arrivals: &[Arrival]) -> BTreeMap<Truth, (Counts, Counts)> {
    let truths: BTreeMap<_, _> = platform.accounts().iter().map(|a| (a.id.clone(), (a.truth, a.bad_from))).collect();
    let mut seen = HashSet::new();
    let mut sums = BTreeMap::<Truth, (Counts, Counts)>::new();
    for arrival in arrivals {
        let event = parsed(arrival);
        let EventKind::Counted(counter) = event.kind() else { continue };
        let told = event.to_event();
        let (truth, bad_from) = truths[&arrival.customer];
        let early = truth == Truth::Hijacked && told.sent_at.is_some_and(|sent| sent < bad_from);
        if early || !seen.insert(told.content_digest) {
            continue;
        }
        let (all, reporting) = sums.entry(truth).or_default();
        all.count(counter);
        if told.provider.reports_complaints() {
            reporting.count(counter);
        }
    }
    sums
}

#[test]
fn each_kind_is_as_good_or_bad_as_it_says() {
    let (platform, arrivals) = whole(2);
    let sums = by_truth(&platform, &arrivals);
    let of = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
    let bounces = |truth| of(sums[&truth].0[Counter::HardBounce], sums[&truth].0.attempted());
    let complaints = |truth| of(sums[&truth].1[Counter::SpamReport], sums[&truth].1[Counter::Delivered]);
    let expected = [
        (Truth::Good, 0.002..0.015, 0.0..0.0006),
        (Truth::SmallGood, 0.005..0.05, 0.0..0.003),
        (Truth::BoughtList, 0.20..0.30, 0.004..0.018),
        (Truth::ComplaintMagnet, 0.002..0.016, 0.075..0.115),
        (Truth::RottingList, 0.12..0.19, 0.0..0.002),
        (Truth::Hijacked, 0.24..0.31, 0.004..0.018),
    ];
    for (truth, bounce, complaint) in expected {
        let (found, reported) = (bounces(truth), complaints(truth));
        assert!(bounce.contains(&found), "{}: {found} hard bounces", truth.name());
        assert!(complaint.contains(&reported), "{}: {reported} complaints", truth.name());
    }
    let gmails = arrivals.iter().filter(|a| parsed(a).kind() == EventKind::Counted(Counter::SpamReport));
    assert!(gmails.into_iter().all(|a| parsed(a).to_event().provider.reports_complaints()));
}

#[test]
fn every_kind_is_there_in_its_size() {
    for seed in 1..=20 {
        let platform = Platform::new(&Scenario::hour(seed, START));
        let mut mails = BTreeMap::<Truth, Vec<usize>>::new();
        for account in platform.accounts() {
            mails.entry(account.truth).or_default().push(account.planned_mails);
        }
        let least = |truth: Truth| mails[&truth].iter().min().copied().unwrap();
        assert!(Truth::ALL.iter().all(|truth| mails[truth].len() >= 3), "seed {seed}");
        assert!(least(Truth::BoughtList) >= 1_000 && least(Truth::Hijacked) >= 1_500, "seed {seed}");
        assert!(least(Truth::ComplaintMagnet) >= 4_000, "seed {seed}");
        assert!(mails[&Truth::SmallGood].iter().all(|mails| (4..60).contains(mails)), "seed {seed}");
        let all: usize = mails.values().flatten().sum();
        assert!((100_000..170_000).contains(&all), "seed {seed}: {all} mails");
    }
}

#[test]
fn small_good_customers_trip_a_naive_rate_and_have_three_bounces_at_most() {
    let (platform, _) = whole(4);
    let small: Vec<_> = platform.accounts().iter().filter(|account| account.truth == Truth::SmallGood).collect();
    let counts: Vec<_> = small.iter().map(|account| platform.ledger().customer(&account.id)).collect();
    assert!(counts.iter().all(|counts| counts[Counter::HardBounce] <= 3));
    let looks_bad = |counts: &&Counts| counts[Counter::HardBounce] * 20 > counts.attempted();
    assert!(counts.iter().filter(looks_bad).count() >= 5, "a bound of 5 % would convict some");
}

#[test]
fn the_outage_blocks_and_defers_half_of_one_providers_mail_for_everybody() {
    let (platform, arrivals) = whole(6);
    let (from, to) = platform.outage();
    assert_eq!(to.since(from), Millis::minutes(15));
    let mut counts = BTreeMap::<(bool, bool), Counts>::new();
    let mut hit = BTreeSet::new();
    for arrival in &arrivals {
        let event = parsed(arrival);
        let told = event.to_event();
        let EventKind::Counted(counter) = told.kind else { continue };
        let microsoft = told.provider == Provider::Microsoft;
        let during = told.sent_at.is_some_and(|sent| (from..to).contains(&sent));
        counts.entry((microsoft, during)).or_default().count(counter);
        if microsoft && during && counter == Counter::Block {
            let reason = text(&event.reason);
            hit.insert(arrival.customer.clone());
            assert!(reason.is_ascii() && !reason.is_empty());
        }
    }
    let blocked = |key| f64::from(counts[&key][Counter::Block]) / f64::from(counts[&key].attempted());
    assert!(blocked((true, true)) > 0.35, "{}", blocked((true, true)));
    assert!(blocked((true, false)) < 0.03 && blocked((false, true)) < 0.03);
    let deferred = counts[&(true, true)];
    assert!(deferred[Counter::Deferred] > deferred[Counter::Processed] / 4);
    assert!(hit.len() > 80, "{} customers were hit", hit.len());
}

#[test]
fn an_outage_that_is_moved_blocks_mail_then_and_no_more_when_it_was_planned() {
    let mut platform = small(6);
    let (planned_from, planned_to) = platform.outage();
    let moved = (planned_to, planned_to + Millis::minutes(10));
    platform.set_outage(moved);
    let arrivals = run(&mut platform, Millis::minutes(1), &mut everyone_sends);
    let blocked = |from, to| {
        let mut counts = Counts::default();
        for arrival in &arrivals {
            let event = parsed(arrival);
            let told = event.to_event();
            let is_then = told.sent_at.is_some_and(|sent| (from..to).contains(&sent));
            if let EventKind::Counted(counter) = told.kind
                && told.provider == Provider::Microsoft
                && is_then
            {
                counts.count(counter);
            }
        }
        f64::from(counts[Counter::Block]) / f64::from(counts.attempted())
    };
    assert!(blocked(planned_from, planned_to) < 0.05, "{}", blocked(planned_from, planned_to));
    assert!(blocked(moved.0, moved.1) > 0.35, "{}", blocked(moved.0, moved.1));
}

#[test]
fn the_mess_is_as_large_as_it_says() {
    let (platform, arrivals) = whole(1);
    let all = arrivals.len();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    let share = |part: usize| number(part) / number(all);
    let mut ids = HashSet::new();
    let (mut same_id, mut late, mut without_message, mut arrays) = (0, 0, 0, 0);
    let (mut taken, mut processed_later) = (HashSet::new(), 0);
    for arrival in &arrivals {
        let event = parsed(arrival);
        same_id += usize::from(!ids.insert(text(&event.sg_event_id).to_owned()));
        late += usize::from(arrival.at.since(event.timestamp) > Millis::minutes(1));
        arrays += usize::from(arrival.event.contains("\"category\":["));
        without_message += usize::from(event.sg_message_id.is_none());
        match event.event.as_ref() {
            "delivered" => {
                taken.insert(text(&event.sg_message_id).to_owned());
            }
            "processed" => processed_later += usize::from(taken.contains(text(&event.sg_message_id))),
            _ => {}
        }
    }
    let other_id = platform.ledger().copies() - same_id as u64;
    assert!((0.008..0.012).contains(&share(same_id)), "{same_id} copies under the same id");
    assert!((0.002..0.004).contains(&share(usize::try_from(other_id).unwrap())), "{other_id} under another");
    assert!((0.02..0.04).contains(&share(late)), "{late} late");
    assert!((50..2_000).contains(&without_message), "{without_message} without the mail's id");
    assert!(share(processed_later) > 0.02, "{processed_later} processed after delivered");
    assert!((0.2..0.8).contains(&share(arrays)), "{arrays} categories in arrays");
    let nobodys: u32 = Counter::ALL.iter().map(|counter| platform.ledger().nobodys()[*counter]).sum();
    assert!((20..1_000).contains(&nobodys), "{nobodys} name no customer");
}

#[test]
fn events_have_sendgrids_fields() {
    let (_, arrivals) = whole(1);
    let mut seen = BTreeMap::<String, usize>::new();
    for arrival in &arrivals {
        let json: serde_json::Value = serde_json::from_str(&arrival.event).unwrap();
        let event = json["event"].as_str().unwrap();
        *seen.entry(event.to_owned()).or_default() += 1;
        for field in ["email", "smtp-id", "sg_event_id"] {
            assert!(json[field].is_string(), "{field} in {json}");
        }
        assert!(json["timestamp"].is_i64());
        assert_eq!(json.get("pool").is_some(), event == "processed", "the pool is told by processed events only");
        let needed: &[&str] = match event {
            "deferred" => &["response", "attempt"],
            "delivered" => &["response", "ip", "tls"],
            "bounce" => &["reason", "bounce_classification"],
            "dropped" => &["reason"],
            "open" => &["useragent", "ip", "sg_machine_open"],
            "click" => &["useragent", "ip", "url", "url_offset"],
            _ => &[],
        };
        assert!(needed.iter().all(|field| json.get(field).is_some()), "{json}");
        assert!(event != "deferred" || json["attempt"].is_string());
        assert!(json.get("sg_message_id").is_none() || parsed(arrival).to_event().sent_at.is_some(), "{json}");
    }
    let kinds: Vec<_> = seen.keys().map(String::as_str).collect();
    let all = [
        "bounce",
        "click",
        "deferred",
        "delivered",
        "dropped",
        "group_unsubscribe",
        "open",
        "processed",
        "spamreport",
        "unsubscribe",
    ];
    assert_eq!(kinds, all);
}

#[test]
fn mail_through_another_pool_says_so_and_leaves_from_its_ips() {
    let mut platform = small(2);
    let arrivals = run(&mut platform, Millis::hours(5), &mut |_| Gate::Send(Some(Arc::from("quarantine"))));
    let shared = arrivals.iter().map(parsed).filter(|event| event.event == "delivered");
    let ips: BTreeSet<_> =
        shared.map(|event| text(&event.ip).to_owned()).filter(|ip| ip.starts_with("192.0.2.")).collect();
    assert_eq!(ips, BTreeSet::from(["192.0.2.201".to_owned(), "192.0.2.202".to_owned()]));
    let mut pools = arrivals.iter().map(parsed).filter_map(|event| event.pool.map(|pool| pool.name.into_owned()));
    assert!(pools.all(|pool| pool == "quarantine"));
    let none = run(&mut small(2), Millis::hours(5), &mut |_| Gate::Send(None));
    assert!(none.iter().all(|arrival| parsed(arrival).pool.is_none()));
}

#[test]
fn bad_customers_begin_when_they_say() {
    let scenario = Scenario::hour(11, START);
    let mut platform = Platform::new(&scenario);
    let mut first = BTreeMap::<CustomerId, Timestamp>::new();
    let mut before = BTreeMap::<CustomerId, usize>::new();
    for second in 1..=3_600 {
        let now = START + Millis::seconds(second);
        platform.advance(now, &mut |account| {
            first.entry(account.id.clone()).or_insert(now);
            *before.entry(account.id.clone()).or_default() += usize::from(now < account.bad_from);
            everyone_sends(account)
        });
    }
    for account in platform.accounts() {
        match account.truth {
            Truth::Good | Truth::SmallGood => assert_eq!(account.bad_from, scenario.end()),
            Truth::BoughtList | Truth::ComplaintMagnet => {
                assert_eq!(before[&account.id], 0);
                assert!(first[&account.id].since(account.bad_from) < Millis::minutes(1));
            }
            Truth::Hijacked => assert!(before[&account.id] * 5 < account.planned_mails && before[&account.id] > 0),
            Truth::RottingList => assert!(account.bad_from > START && account.bad_from < scenario.end()),
        }
    }
}
