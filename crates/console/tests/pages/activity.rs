//! The activity's page: who did what, and taking back what a rule did.

use std::time::{Duration, Instant};

use log::{RecordKind, Start, Topic};
use model::{
    CaseView, CustomerId, Decision, DecisionId, EnforcementKey, Held, HeldWhy, Millis, Mode, Offset, PartitionId,
    Position, Stage, Timestamp,
};

use super::browser::Browser;
use crate::house::*;

const HOSTILE: &str = "\"><script>hurt()</script>";

/// A decision about `customer`; a person's where there is one.
fn decision(number: u64, customer: &str, rule: &str, by: Option<&str>) -> Decision {
    Decision {
        id: DecisionId::from_bits(number.into()),
        customer: CustomerId::new(customer).unwrap(),
        at: NOW - Millis::minutes(30) + Millis::seconds(number.try_into().unwrap()),
        from: Stage::Healthy,
        to: if rule == "command:note" { Stage::Healthy } else { Stage::Throttled },
        cause: None,
        phase: None,
        pilot_step: None,
        sending: None,
        mode: Mode::Enforce,
        rule: rule.to_owned(),
        blame: None,
        evidence: None,
        reason: by.map(|by| format!("as {by} wants")),
        by: by.map(str::to_owned),
        policy: String::new(),
        offset: Position { partition: PartitionId::new(0), offset: Offset::new(number) },
    }
}

async fn decided(house: &House, decision: &Decision) {
    house.put(Topic::Decisions, decision.customer.as_str(), serde_json::to_value(decision).unwrap()).await;
}

/// A decision about a customer waits for a person.
pub(crate) async fn waits(house: &House, customer: &str, decision: &DecisionId) {
    let held = Held {
        why: HeldWhy::Approval,
        reason: "a person has to approve it".to_owned(),
        decision: Some(decision.clone()),
        since: NOW,
        expires: None,
    };
    let customer = CustomerId::new(customer).unwrap();
    let case = CaseView { customer: customer.clone(), stage: Stage::Throttled, held: Some(held), in_force: None };
    let key = EnforcementKey::Case(customer).to_string();
    house.put(Topic::Enforcement, &key, serde_json::to_value(&case).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_people_do_is_told_the_newest_first_and_by_person() {
    let house = House::told_by_its_log().await;
    for (number, rule) in [(1, "command:hold"), (2, "command:note"), (4, "command:undo")] {
        decided(&house, &decision(number, "acme", rule, Some("ana"))).await;
    }
    decided(&house, &decision(3, HOSTILE, "command:set_stage", Some(HOSTILE))).await;
    decided(&house, &decision(5, "acme", "a-rule", None)).await;
    let waiting = DecisionId::from_bits(9);
    waits(&house, "acme", &waiting).await;
    let csrf = house.look("/").await.field("csrf");
    house.look_until("/", |page| page.has(waiting.as_str())).await;
    let form = [("csrf", csrf.as_str()), ("by", "eve"), ("reason", "it is <bad>")];
    assert_eq!(house.send("/enforcement/pause", &form).await.status, 303);
    let answer = [&form[..], &[("answer", "reject"), ("decision", waiting.as_str())]].concat();
    assert_eq!(house.send("/customers/acme/answer", &answer).await.status, 303);
    assert_eq!(house.send("/enforcement/resume", &form).await.status, 303);

    let page = house.look_until("/activity", |page| page.has("resumed enforcement") && page.has("ana")).await;
    let words = page.words();
    for expected in [
        "eve paused all enforcement it is <bad>",
        "eve resumed enforcement it is <bad>",
        "eve rejected : acme to throttled it is <bad>",
        "ana held acme : healthy to throttled as ana wants",
        "ana wrote a note on acme as ana wants",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert_eq!(page.text.matches("as ana wants").count(), 2, "what was taken back is told as one: {words}");
    assert!(words.find("eve paused").unwrap() < words.find("ana wrote").unwrap(), "{words}");
    assert!(!page.has("<script>hurt") && page.has("/activity?by=%22%3E%3Cscript%3E"), "{}", page.text);

    let hers = house.look("/activity?by=ana").await;
    assert!(hers.words().contains("ana held acme") && !hers.words().contains("paused all"), "{}", hers.words());
    let (status, acts) = house.get("/v1/activity?by=ana").await;
    assert_eq!((status, acts["acts"].as_array().unwrap().len()), (200, 2), "{acts}");
    assert_eq!((&acts["acts"][0]["type"], &acts["acts"][0]["order"]), (&"command".into(), &"note".into()), "{acts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_the_one_before_ends() {
    let house = House::told_by_its_log().await;
    for number in 0..120 {
        decided(&house, &decision(number, &format!("c-{number:03}"), "command:note", Some("ana & co"))).await;
    }
    house.look_until("/activity", |page| page.has("c-119")).await;
    let (mut path, mut seen) = ("/activity?by=ana%20%26%20co".to_owned(), Vec::new());
    for _ in 0..3 {
        let page = house.look_until(&path, |page| page.has("wrote a note on")).await;
        let names = page.text.split("class=\"customer\" href=\"/customers/").skip(1);
        seen.extend(names.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let next = page.text.split("rel=\"next\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        path = next.unwrap_or_default().replace("&amp;", "&");
    }
    assert_eq!(path, "", "there is no more");
    assert_eq!(seen, (0..120).rev().map(|number| format!("c-{number:03}")).collect::<Vec<_>>());
    assert_eq!(house.look("/activity?after=nonsense").await.status, 400);
}

/// Follows the commands on the log, as a scorer does: everybody told to go back is healthy.
async fn follow_commands(house: &House, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut followed = 0;
    while followed < count {
        assert!(Instant::now() < deadline, "{followed} of {count} commands");
        tokio::task::yield_now().await;
        for stored in tail.next(Duration::from_millis(10)).unwrap() {
            if stored.record.kind == RecordKind::Command {
                house.stands(std::str::from_utf8(&stored.record.key).unwrap(), Stage::Healthy, None).await;
                followed += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_did_is_taken_back_after_it_was_shown_whom_that_moves() {
    let house = House::told_by_its_log().await;
    for (number, customer) in [(1, "a-shop"), (2, "b-shop"), (3, HOSTILE)] {
        house.stands(customer, Stage::Throttled, Some(100)).await;
        decided(&house, &decision(number, customer, "too-strict", None)).await;
    }
    house.stands("other", Stage::Throttled, Some(100)).await;
    decided(&house, &decision(4, "other", "fair", None)).await;
    let page = house.look_until("/activity", |page| page.has("too-strict") && page.has("fair")).await;
    assert!(page.words().contains("too-strict 3 decisions"), "{}", page.words());

    let path = "/activity/undo?rule=too-strict&since=2026-09-21T13:00";
    let asked = house.look_until(path, |page| page.words().contains("It would move 3 customers")).await;
    let words = asked.words();
    assert!(words.contains("a-shop throttled healthy") && !words.contains("other "), "{words}");
    assert!(!asked.has("<script>hurt"), "{}", asked.text);
    let commands = || {
        let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
        tail.next(Duration::ZERO).unwrap().len()
    };
    let (csrf, since) = (asked.field("csrf"), asked.field("since"));
    assert_eq!(since.parse::<Timestamp>().unwrap().to_string(), "2026-09-21T13:00:00Z");
    let form = [("rule", "too-strict"), ("since", since.as_str()), ("by", "eve"), ("reason", "a false alarm")];
    assert_eq!(house.send("/activity/undo", &form).await.status, 403, "a form of nobody");
    assert_eq!(commands(), 0, "it was only shown");
    let form = [&form[..], &[("csrf", csrf.as_str())]].concat();
    let (done, ()) = tokio::join!(house.send("/activity/undo", &form), follow_commands(&house, 3));
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/activity?done=undone")), "{}", done.words());
    let page = house.look_until("/activity?done=undone", |page| page.has("took back what")).await;
    let words = page.words();
    assert!(
        words.contains("eve took back what too-strict did since 2026-09-21 13:00:00 UTC: 3 customers a false alarm"),
        "{words}"
    );
    let page = house.look(path).await;
    assert!(page.words().contains("It would move nobody"), "{}", page.words());

    let page = house.look("/activity/undo?rule=nothing&since=2026-09-21T13:00").await;
    assert_eq!(page.status, 404);
    assert!(page.words().contains("these did: fair, too-strict"), "{}", page.words());
    assert_eq!(house.look("/activity/undo?rule=x&since=yesterday").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_is_counted_and_nobody_is_said_to_be_back_who_is_not() {
    let house = House::told_by_its_log().await;
    for (number, customer, is_held) in [(1, "kept", true), (2, "free", false)] {
        let stands = model::Standing { held: is_held, ..standing(customer, Stage::Throttled, Some(100)) };
        house.put(Topic::Standings, customer, serde_json::to_value(&stands).unwrap()).await;
        decided(&house, &decision(number, customer, "too-strict", None)).await;
    }
    let path = "/activity/undo?rule=too-strict&since=2026-09-21T13:00";
    let page = house.look_until(path, |page| page.has("It would move 1 customer") && page.has("kept")).await;
    let (csrf, since) = (page.field("csrf"), page.field("since"));
    let form = [
        ("csrf", csrf.as_str()),
        ("rule", "too-strict"),
        ("since", &since),
        ("by", "eve"),
        ("reason", "a false alarm"),
    ];
    let (done, ()) = tokio::join!(house.send("/activity/undo", &form), follow_commands(&house, 1));
    assert_eq!(done.status, 200, "{}", done.words());
    for expected in ["Taken back in part", "1 customer is back", "1 customer stays: a person holds kept"] {
        assert!(done.words().contains(expected), "{expected}: {}", done.words());
    }
    assert!(!done.has(">Go on<"), "nobody is left: {}", done.text);
    let again = house.send("/activity/undo", &form).await;
    assert_eq!(again.status, 200, "{}", again.words());
    assert!(again.words().contains("Nobody was moved 0 customers are back"), "{}", again.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_take_back_is_led_nowhere() {
    let house = House::guarded().await;
    decided(&house, &decision(1, "a-shop", "too-strict", None)).await;
    let operator = Browser::signed_in(&house, "operator").await;
    let page = operator.until("/activity", "too-strict").await;
    assert_eq!(page.links("/activity/undo").len(), 2);
    let page = Browser::signed_in(&house, "viewer").await.until("/activity", "too-strict").await;
    assert_eq!(page.links("/activity/undo"), Vec::<String>::new());
    page.holds(&["<td class=\"number\">1</td>"]);
}
