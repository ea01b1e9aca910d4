//! Decisions reach real endpoints, over a real log. The signatures are verified by the specification's own library.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod endpoint;
mod platform;

use std::time::Duration;

use hooks::{Reach, Schedule, Target};
use model::Stage;
use serde_json::json;

use endpoint::{Endpoint, Reply};
use platform::{NEW_SECRET, OLD_SECRET, Platform, hook, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_posted_signed_under_its_id_and_as_it_stands_on_the_topic() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    platform.start(vec![hook(&endpoint)]).await;
    platform.decide(7, "acme", Stage::Quarantined).await;
    let posts = endpoint.posts(1).await;
    assert_eq!(posts[0].id, format!("decision_{:032x}", 7));
    assert_eq!(posts[0].body["type"], "decision.made");
    assert_eq!(posts[0].body["timestamp"], platform::AT);
    assert_eq!(posts[0].body["data"], platform::decision(7, "acme", Stage::Quarantined));
    assert_eq!(posts[0].header("content-type"), "application/json");
    posts[0].verify(OLD_SECRET).unwrap();
    assert!(posts[0].verify(NEW_SECRET).is_err());
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_awaits_a_person_is_told_and_what_became_of_it_and_no_other_action() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.stages = Some([Stage::Quarantined].into());
    platform.start(vec![hook]).await;
    let decision = format!("{:032x}", 7);
    let action = |stage: &str, outcome: &str, why: Option<&str>| {
        serde_json::json!({ "customer": "acme", "at": platform::AT, "stage": stage, "decision": decision,
                            "request": null, "outcome": outcome, "why": why })
    };
    for (stage, outcome, why) in [
        ("throttled", "held_back", Some("approval")),
        ("quarantined", "held_back", Some("paused")),
        ("quarantined", "done", None),
        ("quarantined", "held_back", Some("approval")),
        ("quarantined", "held_back", Some("expired")),
    ] {
        platform.act(&action(stage, outcome, why)).await;
    }
    let posts = endpoint.posts(2).await;
    let told: Vec<_> = posts.iter().map(|post| (post.id.clone(), post.body["type"].clone())).collect();
    assert_eq!(told[0], (format!("approval_asked_{decision}"), "approval.asked".into()));
    assert_eq!(told[1], (format!("approval_expired_{decision}"), "approval.expired".into()));
    assert_eq!(posts[0].body["data"], action("quarantined", "held_back", Some("approval")));
    posts[0].verify(OLD_SECRET).unwrap();
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outreach_has_written_is_told_as_an_event_of_its_own() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.stages = Some([Stage::Suspended].into());
    platform.start(vec![hook]).await;
    let decision = format!("{:032x}", 9);
    let draft = |to: &str, audience: &str| {
        json!({ "customer": "acme", "at": platform::AT, "decision": decision, "from": "healthy", "to": to, "audience": audience,
                "state": "in_force", "earlier_moves": 0, "subject": "Your mail is stopped", "text": "…", "html": "<p>…</p>" })
    };
    for (to, audience) in [("watch", "success"), ("suspended", "success"), ("suspended", "customer")] {
        platform.draft(&draft(to, audience)).await;
    }
    let posts = endpoint.posts(2).await;
    let told: Vec<_> = posts.iter().map(|post| (post.id.clone(), post.body["type"].clone())).collect();
    assert_eq!(told[0], (format!("outreach_success_{decision}"), "outreach.drafted".into()));
    assert_eq!(told[1], (format!("outreach_customer_{decision}"), "outreach.drafted".into()));
    assert_eq!(posts[1].body["data"], draft("suspended", "customer"));
    posts[1].verify(OLD_SECRET).unwrap();
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_replaced_both_verify() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.secrets = hooks::Secrets::parse(&format!("{NEW_SECRET} {OLD_SECRET}")).unwrap();
    platform.start(vec![hook]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    let posts = endpoint.posts(1).await;
    posts[0].verify(NEW_SECRET).unwrap();
    posts[0].verify(OLD_SECRET).unwrap();
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_hook_is_told_nothing_of_the_past_and_a_hook_only_of_the_stages_it_wants() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    platform.decide(1, "acme", Stage::Suspended).await;
    let mut hook = hook(&endpoint);
    hook.stages = Some([Stage::Suspended, Stage::Banned].into());
    platform.start(vec![hook]).await;
    platform.decide(2, "acme", Stage::Healthy).await;
    platform.decide(3, "acme", Stage::Suspended).await;
    assert_eq!(endpoint.numbers(1).await, [3]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_under_the_same_id_and_signed_anew() {
    let replies = [Reply::status(500), Reply::status(404), Reply::status(302).header("location", "/elsewhere")];
    let (endpoint, mut platform) = (Endpoint::start(&replies).await, Platform::new());
    platform.start(vec![hook(&endpoint)]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    let posts = endpoint.posts(4).await;
    for post in &posts {
        assert_eq!((post.path.as_str(), &post.id), ("/hooks", &posts[0].id));
        post.verify(OLD_SECRET).unwrap();
    }
    until(async || platform.metric("weir_hooks_waiting") == 0).await;
    assert_eq!(platform.outcome("failed"), 3);
    assert_eq!(platform.outcome("delivered"), 1);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_decisions_come_in_order_and_another_customers_are_not_held_up() {
    let replies = [Reply::status(500), Reply::status(500)];
    let (endpoint, mut platform) = (Endpoint::start(&replies).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.schedule = Schedule::new(vec![Duration::from_millis(400); 5]);
    platform.start(vec![hook]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    endpoint.posts(1).await;
    platform.decide(2, "acme", Stage::Quarantined).await;
    platform.decide(3, "bolt", Stage::Watch).await;
    platform.decide(4, "acme", Stage::Suspended).await;
    let numbers = endpoint.numbers(6).await;
    let taken: Vec<_> = numbers.iter().enumerate().filter(|(at, _)| *at >= 2).map(|(_, number)| *number).collect();
    let of_acme: Vec<_> = taken.iter().copied().filter(|number| *number != 3).collect();
    assert_eq!(of_acme, [1, 2, 4], "{numbers:?}");
    assert!(numbers.iter().position(|n| *n == 3) < numbers.iter().position(|n| *n == 2), "{numbers:?}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_asks_to_be_left_alone_is_left_alone() {
    let replies = [Reply::status(429).header("retry-after", "2")];
    let (endpoint, mut platform) = (Endpoint::start(&replies).await, Platform::new());
    platform.start(vec![hook(&endpoint)]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    endpoint.posts(1).await;
    platform.decide(2, "bolt", Stage::Watch).await;
    let posts = endpoint.posts(3).await;
    for post in &posts[1..] {
        let apart = post.came.duration_since(posts[0].came);
        // The time asked for begins by the sender's clock a moment before the receiver's.
        assert!(apart >= Duration::from_millis(1_900), "{apart:?}");
    }
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_left_alone_until_the_next_start_and_nothing_is_lost() {
    let (endpoint, mut platform) = (Endpoint::start(&[Reply::status(410)]).await, Platform::new());
    platform.start(vec![hook(&endpoint)]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    until(async || platform.metric("weir_hooks_disabled") == 1).await;
    platform.decide(2, "bolt", Stage::Watch).await;
    assert_eq!(endpoint.numbers(1).await, [1]);
    platform.stop().await;
    assert_eq!(endpoint.numbers(1).await, [1], "another try was made");
    platform.start(vec![hook(&endpoint)]).await;
    let mut numbers = endpoint.numbers(3).await;
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 1, 2]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_the_last_time_is_a_dead_letter_and_the_next_goes_on() {
    let replies = vec![Reply::status(503).says("the\nqueue is full"); 3];
    let (endpoint, mut platform) = (Endpoint::start(&replies).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.schedule = Schedule::new(vec![Duration::from_millis(20); 2]);
    platform.start(vec![hook.clone()]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    platform.decide(2, "acme", Stage::Quarantined).await;
    assert_eq!(endpoint.numbers(4).await, [1, 1, 1, 2]);
    let letters = platform.dead_letters();
    assert_eq!(letters.len(), 1);
    let (key, letter) = letters.first().unwrap();
    assert_eq!(key, &format!("dead:platform:decision_{:032x}", 1));
    assert_eq!((&letter["tries"], &letter["hook"]), (&3.into(), &"platform".into()));
    assert_eq!(letter["last_answer"], "503 Service Unavailable the queue is full");
    assert_eq!(letter["body"]["data"], platform::decision(1, "acme", Stage::Watch));
    platform.stop().await;
    platform.start(vec![hook]).await;
    until(async || platform.metric("weir_hooks_dead_letters") == 1).await;
    platform.stop().await;
    assert_eq!(endpoint.numbers(4).await.len(), 4, "what was given up was tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_nothing_is_lost_and_what_is_told_again_has_the_same_id() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.schedule = Schedule::new(vec![Duration::from_millis(20); 500]);
    let mut decided = 0;
    for round in 0..4 {
        endpoint.refuses(round % 2 == 1);
        platform.start(vec![hook.clone()]).await;
        for customer in ["acme", "bolt", "crib", "dune", "echo"] {
            decided += 1;
            platform.decide(decided, customer, Stage::Watch).await;
        }
        if round == 1 {
            // Some of what waits is then known to the log as waiting, with its tries.
            until(async || platform.progress().contains("\"tries\":1")).await;
        } else {
            endpoint.taken(usize::try_from(decided).unwrap() / 2).await;
        }
        platform.crash().await;
    }
    // What comes while nobody delivers waits in the log.
    platform.decide(decided + 1, "acme", Stage::Healthy).await;
    endpoint.refuses(false);
    platform.start(vec![hook]).await;
    endpoint.taken(usize::try_from(decided + 1).unwrap()).await;
    for post in endpoint.all() {
        post.verify(OLD_SECRET).unwrap();
    }
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_office_delivers_nothing_and_who_gets_it_goes_on() {
    let (endpoint, other, mut platform) = (Endpoint::start(&[]).await, Endpoint::start(&[]).await, Platform::new());
    platform.start(vec![hook(&endpoint)]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    endpoint.posts(1).await;
    platform.office.turn(false);
    // Its tries are over once it no longer tells how many wait.
    until(async || !platform.tells("weir_hooks_waiting")).await;
    platform.decide(2, "acme", Stage::Quarantined).await;
    let successor = platform.successor(vec![hook(&other)]);
    until(async || other.all().iter().any(|post| post.number() == 2)).await;
    assert_eq!(endpoint.numbers(1).await, [1]);
    successor.abort();
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_orderly_end_nothing_is_told_again() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    for number in 1..4 {
        platform.start(vec![hook(&endpoint)]).await;
        platform.decide(number, "acme", Stage::Watch).await;
        endpoint.posts(usize::try_from(number).unwrap()).await;
        platform.stop().await;
    }
    assert_eq!(endpoint.numbers(3).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_fills_a_bounded_queue_and_holds_up_no_other_and_loses_nothing() {
    let (dead, well) = (Endpoint::start(&[]).await, Endpoint::start(&[]).await);
    dead.refuses(true);
    let mut platform = Platform::new();
    let (mut slow, mut other) = (hook(&dead), hook(&well));
    slow.most_waiting = 20;
    slow.schedule = Schedule::new([vec![Duration::from_millis(100); 20], vec![Duration::from_secs(600); 2]].concat());
    other.name = hooks::HookName::new("other").unwrap();
    platform.start(vec![slow, other]).await;
    for number in 1..=200 {
        platform.decide(number, &format!("customer-{number}"), Stage::Watch).await;
    }
    well.taken(200).await;
    until(async || platform.metric_of("weir_hooks_waiting", "platform") == 20).await;
    assert_eq!(dead.distinct(), 20, "more was read than may wait");
    dead.refuses(false);
    dead.taken(200).await;
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_comes_back_is_told_at_once_what_waits() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    endpoint.refuses(true);
    let mut hook = hook(&endpoint);
    hook.schedule = Schedule::new(vec![Duration::from_secs(3_600); 2]);
    platform.start(vec![hook]).await;
    for number in 1..=10 {
        platform.decide(number, &format!("customer-{number}"), Stage::Watch).await;
    }
    until(async || platform.outcome("failed") == 10).await;
    endpoint.refuses(false);
    platform.decide(11, "acme", Stage::Watch).await;
    endpoint.taken(11).await;
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_this_machine_is_never_connected_to() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.target = Target::parse(&format!("https://localhost:{}/hooks", endpoint.port()), Reach::Public).unwrap();
    hook.schedule = Schedule::new(vec![]);
    platform.start(vec![hook]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    until(async || !platform.dead_letters().is_empty()).await;
    let said = platform.dead_letters()[0].1["last_answer"].to_string();
    assert!(said.contains("localhost leads to no address that a hook may reach"), "{said}");
    assert_eq!(endpoint.connections(), 0);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_an_endpoint_in_the_own_network_is_reached_where_that_is_allowed() {
    let (endpoint, mut platform) = (Endpoint::start(&[]).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.target = Target::parse(&format!("http://localhost:{}/hooks", endpoint.port()), Reach::Private).unwrap();
    platform.start(vec![hook]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    assert_eq!(endpoint.numbers(1).await, [1]);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_and_one_that_never_comes_are_tried_again() {
    let replies = [Reply::long(500), Reply::silent()];
    let (endpoint, mut platform) = (Endpoint::start(&replies).await, Platform::new());
    let mut hook = hook(&endpoint);
    hook.timeout = Duration::from_millis(300);
    platform.start(vec![hook]).await;
    platform.decide(1, "acme", Stage::Watch).await;
    assert_eq!(endpoint.numbers(3).await, [1, 1, 1]);
    platform.stop().await;
}
