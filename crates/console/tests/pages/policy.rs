//! The policy's page: another one is checked, tried and put in force.

use std::sync::Arc;
use std::time::Duration;

use log::{Append, Record, RecordKind, Route, Start, Topic};
use model::{Fleet, Millis, Tick, Timestamp};
use policy::Policy;
use serde_json::json;

use crate::house::*;

const BEGUN: Timestamp = Timestamp::from_seconds(1_790_000_000 - 3_600);
const HOSTILE: &str = "</textarea><script>hurt()</script>";

/// The default policy without its rules and limits about bounces.
fn blind_to_bounces() -> String {
    let (head, rules) = policy::DEFAULT.split_once("[[rule]]").unwrap();
    let rules = rules.replace("[[limit]]", "[[rule]]#limit");
    let kept = rules.split("[[rule]]").filter(|block| !block.contains("\"hard_bounce\""));
    let kept = kept.map(|block| match block.strip_prefix("#limit") {
        Some(limit) => format!("[[limit]]{limit}"),
        None => format!("[[rule]]{block}"),
    });
    format!("{head}{}", kept.collect::<String>())
}

/// `lists-r-us` bounces with all its mails, `shop` with none, and then time passes.
async fn mail_goes_out(house: &House) {
    let mut appends = ticks(house, &[0]);
    for number in 0..200_i64 {
        for (customer, event) in [("lists-r-us", "bounce"), ("shop", "delivered")] {
            let at = BEGUN + Millis::seconds(number);
            let body = |event: &str| {
                let id = format!("{event}-{customer}-{number}");
                json!({"event": event, "timestamp": at.seconds(), "email": format!("{number}@example.org"), "type": "bounce",
                    "status": "5.1.1", "sg_event_id": id, "sg_message_id": format!("{customer}-{number}.x")})
            };
            for event in ["processed", event] {
                let (key, value) = (customer.into(), body(event).to_string().into());
                let record = Record { kind: RecordKind::Event, at, key, headers: Arc::new([]), value };
                appends.push(Append { topic: Topic::Events, route: Route::ByKey, record });
            }
        }
    }
    appends.extend(ticks(house, &[10, 20, 60]));
    house.log.producer().append(appends).await.unwrap();
}

/// The time is told to every partition, so many minutes after the beginning.
fn ticks(house: &House, minutes: &[i64]) -> Vec<Append> {
    let tick = |minutes: &i64| {
        let at = BEGUN + Millis::minutes(*minutes);
        let value =
            serde_json::to_vec(&Tick { at, fleet: Fleet { as_of: Some(at), ..Fleet::default() } }).unwrap().into();
        let record = Record { kind: RecordKind::Tick, at, key: "".into(), headers: Arc::new([]), value };
        house.log.partitions().to_each(Topic::Events, &record)
    };
    minutes.iter().flat_map(tick).collect()
}

/// The policies on the log: where, by whom and why.
fn policies(house: &House) -> Vec<(u32, String, String)> {
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut found = Vec::new();
    while !tail.caught_up() {
        for stored in tail.next(Duration::ZERO).unwrap() {
            if let decode::Decoded::Policy(_, in_force) = decode::decode(&stored) {
                found.push((stored.position.partition.get(), in_force.change.by, in_force.change.reason));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_in_force_is_shown_in_words_with_its_author_and_its_text() {
    let house = House::new().await;
    let page = house.look("/policy").await;
    assert_eq!(page.status, 200);
    let words = page.words();
    for expected in ["Put there by weir from its file", "Because another file", "Rules 10"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    for paragraph in Policy::parse(&policy_text(1)).unwrap().in_words() {
        assert!(words.contains(&paragraph.about), "{}: {words}", paragraph.about);
        for sentence in paragraph.sentences {
            assert!(words.contains(&sentence), "{sentence}: {words}");
        }
    }
    assert!(words.contains("# Weir's policy: who is watched"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_shown_at_its_place_and_the_text_is_kept() {
    let house = House::told_by_its_log().await;
    let csrf = house.look("/policy").await.field("csrf");
    let text = format!("{}\n# {HOSTILE}\n", policy_text(1).replacen("version = 2", "version = \"<b>two\"", 1));
    let line = text.lines().position(|line| line.starts_with("version = ")).unwrap() + 1;
    for path in ["/policy/check", "/policy/try", "/policy/activate"] {
        let form = [("text", text.replace('\n', "\r\n")), ("csrf", csrf.clone()), ("reason", "why".to_owned())];
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = house.send(path, &form).await;
        assert_eq!(page.status, 422, "{path}");
        let words = page.words();
        assert!(
            words.contains(&format!("Line {line} , column 11")) || words.contains(&format!("Line {line}, column 11")),
            "{words}"
        );
        assert!(page.has("version = <mark>&quot;&lt;b&gt;two&quot;</mark>"), "{}", page.text);
        assert!(page.has("&lt;/textarea&gt;&lt;script&gt;hurt()") && !page.has("<script>hurt"), "{}", page.text);
    }
    assert_eq!(policies(&house), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_is_checked_tried_and_put_in_force() {
    let house = House::told_by_its_log().await;
    mail_goes_out(&house).await;
    let page = house.look("/policy").await;
    let (csrf, tag, text) = (page.field("csrf"), page.field("instead_of"), blind_to_bounces());
    let form = [("csrf", csrf.as_str()), ("instead_of", &tag), ("text", &text)];

    let checked = house.send("/policy/check", &form).await;
    assert_eq!(checked.status, 200, "{}", checked.words());
    let words = checked.words();
    assert!(words.contains("It is sound.") && words.contains("account-bounces removed"), "{words}");

    let tried = house.send("/policy/try", &form).await;
    assert_eq!(tried.status, 200, "{}", tried.words());
    let words = tried.words();
    for expected in [
        "1 customer differs: 1 held back by the one in force only",
        "808 records, of them 800 events of 2 customers",
        "2026-09-21 13:13:20 UTC to 2026-09-21 14:13:20 UTC",
        "lists-r-us",
        "never healthy",
        "Held back In the end",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(!words.contains("shop "), "{words}");
    assert_eq!(policies(&house), [], "it was only tried");

    let seen = tried.field("seen");
    let signed =
        [&form[..], &[("seen", seen.as_str()), ("by", "eve"), ("reason", "bounces <are> fine & well")]].concat();
    let done = house.send("/policy/activate", &signed).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/policy?done=policy")), "{}", done.words());
    let why = "bounces <are> fine & well".to_owned();
    assert_eq!(policies(&house), [0, 1].map(|partition| (partition, "eve".to_owned(), why.clone())));
    let page = house.look("/policy?done=policy").await;
    let words = page.words();
    assert!(
        words.contains("The policy is in force from here on.") && words.contains("Because bounces <are> fine & well"),
        "{words}"
    );
    assert!(page.has("bounces &lt;are&gt; fine"), "{}", page.text);
    let activity = house.look_until("/activity", |page| page.has("put a policy in force")).await;
    assert!(activity.words().contains("eve put a policy in force"), "{}", activity.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_another_one_overtook_is_not_put_in_force_before_that_was_looked_at() {
    let house = House::told_by_its_log().await;
    let page = house.look("/policy").await;
    let (csrf, tag) = (page.field("csrf"), page.field("instead_of"));
    let (status, _) = house.post("/v1/policy?by=ana&reason=first", &policy_text(7)).await;
    assert_eq!(status, 200);
    let text = policy_text(8);
    let seen = house.send("/policy/check", &[("csrf", csrf.as_str()), ("text", &text)]).await.field("seen");
    let form = [("csrf", csrf.as_str()), ("text", &text), ("seen", &seen), ("by", "eve"), ("reason", "mine")];
    let page = house.send("/policy/activate", &[&form[..], &[("instead_of", &tag)]].concat()).await;
    assert_eq!(page.status, 412);
    let words = page.words();
    assert!(words.contains("Another policy came in force since you began. ana put"), "{words}");
    assert!(words.contains("# 8"), "the text is kept: {words}");
    assert!(words.contains("What it changes"), "{words}");
    assert_eq!(policies(&house).len(), 2);
    let told = page.field("instead_of");
    assert_ne!(told, tag);
    let page = house.send("/policy/activate", &[&form[..], &[("instead_of", &told)]].concat()).await;
    assert_eq!(page.status, 303, "{}", page.words());
    assert_eq!(policies(&house).last().unwrap().2, "mine");
    // A form that names none at all replaces none.
    assert_eq!(house.send("/policy/activate", &form).await.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_changed_after_it_was_checked_is_looked_at_before_it_is_put_in_force() {
    let house = House::told_by_its_log().await;
    let page = house.look("/policy").await;
    let (csrf, tag, text) = (page.field("csrf"), page.field("instead_of"), blind_to_bounces());
    let form = [("csrf", csrf.as_str()), ("instead_of", &tag), ("by", "eve"), ("reason", "mine")];
    let checked = house.send("/policy/check", &[&form[..], &[("text", &policy_text(2))]].concat()).await;
    let seen = checked.field("seen");
    let page = house.send("/policy/activate", &[&form[..], &[("text", &text), ("seen", &seen)]].concat()).await;
    assert_eq!((page.status, policies(&house).len()), (409, 0), "{}", page.words());
    let words = page.words();
    for expected in ["The text has changed since it was checked", "account-bounces removed", "Put it in force"] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(page.has("value=\"mine\"") && page.has("value=\"eve\""), "the reason is kept: {}", page.text);
    let seen = page.field("seen");
    let page = house.send("/policy/activate", &[&form[..], &[("text", &text), ("seen", &seen)]].concat()).await;
    assert_eq!((page.status, policies(&house).len()), (303, 2), "{}", page.words());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_before_is_put_back_after_it_was_looked_at() {
    let house = House::told_by_its_log().await;
    let [bad, good] = [blind_to_bounces(), policy_text(7)];
    assert_eq!(house.post("/v1/policy?by=ana&reason=good", &good).await.0, 200);
    assert!(!house.look("/policy").await.has("Put the one before back"), "no record of the log has its text");
    assert_eq!(house.post("/v1/policy?by=bob&reason=bad", &bad).await.0, 200);
    let page = house.look_until("/policy", |page| page.has("Put the one before back")).await;
    let digest = Policy::parse(&good).unwrap().digest().to_owned();
    let path = format!("/policy?back={}", digest.replace(':', "%3A"));
    assert!(page.has(&format!("href=\"{path}\"")), "{}", page.text);
    assert!(house.look("/activity").await.has(&format!("href=\"{path}\"")), "the activity leads there, too");
    let page = house.look(&path).await;
    let words = page.words();
    assert!(page.status == 200 && words.contains("account-bounces new") && words.contains("# 7"), "{words}");
    assert_eq!(policies(&house).len(), 4, "it is only shown");
    let (csrf, tag, seen) = (page.field("csrf"), page.field("instead_of"), page.field("seen"));
    let form = [
        ("csrf", csrf.as_str()),
        ("instead_of", &tag),
        ("seen", &seen),
        ("text", &good),
        ("by", "eve"),
        ("reason", "back"),
    ];
    let done = house.send("/policy/activate", &form).await;
    assert_eq!((done.status, policies(&house).len()), (303, 6), "{}", done.words());
    assert_eq!(house.look("/policy?back=sha256:0").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_nobody_and_policies_that_can_not_be_tried_or_put_in_force_change_nothing() {
    let house = House::told_by_its_log().await;
    let page = house.look("/policy").await;
    let (csrf, tag) = (page.field("csrf"), page.field("instead_of"));
    let (text, shadow) = (policy_text(2), policy_text(2).replacen("mode = \"enforce\"", "mode = \"shadow\"", 1));
    for path in ["/policy/check", "/policy/try", "/policy/activate"] {
        let page =
            house.send(path, &[("text", &text), ("instead_of", &tag), ("reason", "why"), ("csrf", "guessed")]).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.words().contains("The form is not of this session"), "{}", page.words());
    }
    let send = async |path: &str, text: &str, reason: &str| {
        let form = [("csrf", csrf.as_str()), ("instead_of", &tag), ("text", text), ("by", "eve")];
        let seen = Policy::parse(text).map_or_else(|_| String::new(), |policy| policy.digest().to_owned());
        house.send(path, &[&form[..], &[("seen", &seen), ("reason", reason)]].concat()).await
    };
    for (path, text, reason, status, expected) in [
        ("/policy/check", &shadow, "", 200, "can't be put in force as Weir runs"),
        ("/policy/activate", &shadow, "why", 422, "restart"),
        ("/policy/activate", &text, " ", 400, "`reason` is empty"),
        ("/policy/try", &text, "", 404, "It was not tried"),
    ] {
        let page = send(path, text, reason).await;
        assert_eq!(page.status, status, "{path}: {}", page.words());
        assert!(page.words().contains(expected), "{path}: {}", page.words());
    }
    let long = format!("{text}#{}", "x".repeat(300_000));
    for path in ["/policy/check", "/policy/activate"] {
        assert_eq!(send(path, &long, "why").await.status, 413, "{path}");
    }
    assert_eq!(policies(&house), []);
}
