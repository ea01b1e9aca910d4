//! What mailers are told, over a real log and a real listener.

mod process;
mod unknown;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use log::Log;
use model::{EnforcerMode, Phase, Stage};
use serde_json::json;

use self::process::{DAY, NOW, Process, in_phase, let_through, open, say, say_only, standing, with_cap};
use crate::broken::Broken;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cap_everything_is_granted_and_to_the_suspended_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let here = Process::start(&log, "here").await;
    let free = |stage: &str, pool: &str| {
        json!({ "granted": 7, "ip_pool_name": pool, "stage": stage, "sending": "free", "daily_cap": null,
                "remaining_today": null, "resets_at": null })
    };
    assert_eq!(here.admit("watch", 7).await, free("watch", "good-1"));
    assert_eq!(here.admit("quarantined", 7).await, free("quarantined", "quarantine"));
    for stage in ["suspended", "banned"] {
        let stopped = json!({ "granted": 0, "ip_pool_name": "quarantine", "stage": stage, "sending": "none", "daily_cap": null,
                              "remaining_today": 0, "resets_at": null });
        assert_eq!(here.admit(stage, 7).await, stopped);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_send_yet_or_no_longer_is_granted_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for (name, phase, cap) in [
        ("applied", Phase::Applied, None),
        ("vetting", Phase::Vetting, None),
        ("pilot", Phase::Pilot, Some(5)),
        ("offboarded", Phase::Offboarded, None),
    ] {
        say(&log, in_phase(phase, standing(name, Stage::Healthy, cap))).await;
    }
    let here = Process::start(&log, "here").await;
    for name in ["applied", "vetting", "offboarded"] {
        assert_eq!((here.granted(name, 7).await, here.route(name).await["remaining_today"].clone()), (0, json!(0)));
    }
    assert_eq!(here.granted("pilot", 7).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_and_a_new_pilots_cap_await_no_approval_and_are_only_said_in_shadow() {
    let pilot = |stage, cap| in_phase(Phase::Pilot, standing("pilot", stage, Some(cap)));
    for (mode, granted) in [(EnforcerMode::Enforce, 5), (EnforcerMode::Approve, 5), (EnforcerMode::Shadow, 7)] {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        say_only(&log, &in_phase(Phase::Vetting, standing("vetting", Stage::Healthy, None))).await;
        say_only(&log, &pilot(Stage::Watch, 5)).await;
        let here = Process::start_in(mode, &log, "here").await;
        here.until("pilot", |answer| answer["stage"] == "watch").await;
        let sent = if mode == EnforcerMode::Shadow { 7 } else { 0 };
        assert_eq!((here.granted("vetting", 7).await, here.granted("pilot", 7).await), (sent, granted), "{mode}");
        say_only(&log, &pilot(Stage::Throttled, 1)).await;
        here.until("pilot", |answer| answer["stage"] == "throttled").await;
        assert_eq!(here.granted("pilot", 7).await, 7, "what a rule decided waits for the enforcer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_is_granted_to_its_end_and_anew_the_next_day() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let here = Process::start(&log, "here").await;
    let expected = json!({ "granted": 30, "ip_pool_name": "good-1", "stage": "throttled", "sending": { "capped": 100 }, "daily_cap": 100,
                           "remaining_today": 70, "resets_at": "2026-09-22T00:00:00Z" });
    assert_eq!(here.admit("throttled", 30).await, expected);
    for (granted, remaining) in [(30, 40), (30, 10), (10, 0), (0, 0)] {
        let answer = here.admit("throttled", 30).await;
        assert_eq!((&answer["granted"], &answer["remaining_today"]), (&json!(granted), &json!(remaining)));
        assert_eq!(here.route("throttled").await["remaining_today"], json!(remaining));
    }
    here.clock.store(NOW + DAY, Ordering::Relaxed);
    assert_eq!(here.route("throttled").await["remaining_today"], json!(100));
    assert_eq!(here.admit("throttled", 200).await["resets_at"], "2026-09-23T00:00:00Z");
    assert_eq!(here.granted("throttled", 1).await, 0);
    here.clock.store(NOW, Ordering::Relaxed);
    assert_eq!(here.granted("throttled", 1).await, 0, "a clock that goes back over midnight gives nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_the_less_of_what_was_not_granted_and_what_was_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let here = Process::start(&log, "here").await;
    assert_eq!(here.route("busy").await["remaining_today"], json!(70), "30 were sent");
    assert_eq!(here.granted("busy", 20).await, 20);
    assert_eq!(here.route("busy").await["remaining_today"], json!(70), "they may be among those 30");
    assert_eq!(here.granted("busy", 20).await, 20);
    assert_eq!(here.route("busy").await["remaining_today"], json!(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_that_is_lowered_takes_nothing_back_and_one_that_is_raised_grants_more() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let here = Process::start(&log, "here").await;
    assert_eq!(here.granted("throttled", 30).await, 30);
    for (cap, remaining, granted) in [(20, 0, 0), (31, 1, 1), (100, 69, 40)] {
        say(&log, standing("throttled", Stage::Throttled, Some(cap))).await;
        let route = here.until("throttled", |answer| answer["daily_cap"] == json!(cap)).await;
        assert_eq!(route["remaining_today"], json!(remaining));
        assert_eq!(here.granted("throttled", 40).await, granted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_everybody_sends_as_before_and_the_stage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 5).await;
    let here = Process::start_in(EnforcerMode::Shadow, &log, "here").await;
    here.until("suspended", |answer| answer["stage"] == "suspended").await;
    for name in ["throttled", "quarantined", "suspended"] {
        let free = json!({ "granted": 7, "ip_pool_name": "good-1", "stage": name, "sending": "free", "daily_cap": null,
                           "remaining_today": null, "resets_at": null });
        assert_eq!(here.admit(name, 7).await, free);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_enforcer_holds_back_binds_nobody_until_it_lets_it_through() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    say_only(&log, &standing("acme", Stage::Throttled, Some(10))).await;
    let here = Process::start(&log, "here").await;
    let held = here.until("acme", |answer| answer["stage"] == "throttled").await;
    assert_eq!((&held["daily_cap"], &held["ip_pool_name"]), (&json!(null), &json!("good-1")));
    assert_eq!(here.granted("acme", 50).await, 50);
    let_through(&log, &standing("acme", Stage::Throttled, Some(10))).await;
    here.until("acme", |answer| answer["daily_cap"] == json!(10)).await;
    assert_eq!(here.granted("acme", 50).await, 10);
    say_only(&log, &standing("acme", Stage::Suspended, None)).await;
    let route = here.until("acme", |answer| answer["stage"] == "suspended").await;
    assert_eq!(route["daily_cap"], json!(10), "a suspension that is held back leaves what was let through before");
    let_through(&log, &standing("acme", Stage::Suspended, None)).await;
    here.until("acme", |answer| answer["remaining_today"] == json!(0) && answer["daily_cap"].is_null()).await;
    say(&log, standing("acme", Stage::Healthy, None)).await;
    here.until("acme", |answer| answer["stage"] == "healthy" && answer["remaining_today"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_loses_a_chunk_at_most_and_grants_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 320).await;
    let here = Process::start(&log, "here").await;
    assert_eq!(here.granted("throttled", 50).await + here.granted("throttled", 1).await, 51);
    here.dies().await;
    drop(log);
    let log = open(folder.path());
    let again = Process::start(&log, "here").await;
    // The second claim was for 20, a sixteenth; one of them was granted.
    assert_eq!(again.route("throttled").await["remaining_today"], json!(320 - 70));
    assert_eq!(again.drained("throttled").await, 320 - 70);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_gives_back_what_it_did_not_grant() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 320).await;
    let here = Process::start(&log, "here").await;
    assert_eq!(here.granted("throttled", 1).await, 1);
    let there = Process::start(&log, "there").await;
    assert_eq!(there.route("throttled").await["remaining_today"], json!(300), "the other one holds a chunk");
    here.ends().await;
    there.until("throttled", |answer| answer["remaining_today"] == json!(319)).await;
    let again = Process::start(&log, "here").await;
    assert_eq!(again.granted("throttled", 319).await, 319);
    there.until("throttled", |answer| answer["remaining_today"] == json!(0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_at_once_grant_the_cap_together_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let cap = 640;
    let log = with_cap(folder.path(), cap).await;
    let (here, there) = (Process::start(&log, "here").await, Process::start(&log, "there").await);
    let mut mailers = tokio::task::JoinSet::new();
    let processes = Arc::new([here, there]);
    for mailer in 0..8_u32 {
        let processes = Arc::clone(&processes);
        mailers.spawn(async move {
            let process = &processes[mailer as usize % 2];
            let mut sum = 0;
            for round in 0..40 {
                sum += process.granted("throttled", 1 + (mailer + round) % 9).await;
            }
            sum
        });
    }
    let granted: u64 = mailers.join_all().await.into_iter().sum();
    let cap = u64::from(cap);
    let rest = processes[0].drained("throttled").await + processes[1].drained("throttled").await;
    assert!(granted + rest <= cap, "{granted} and {rest} of {cap}");
    assert!(granted + rest >= cap - 2 * cap / 16, "{granted} and {rest} of {cap}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_bodies_are_answered_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let here = Process::start(&log, "here").await;
    let long = "x".repeat(201);
    for name in ["", "a%00b", "%ff%fe", "a%0ab", long.as_str()] {
        let (status, problem) = here.get(&format!("/v1/customers/{name}/route")).await;
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{name}");
        let (status, problem) = here.post(&format!("/v1/customers/{name}/admit"), r#"{"messages":1}"#).await;
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{name}");
    }
    for name in ["a/b", "../../etc", "%2f", "grant:here:throttled", "s\u{f6}hne & co"] {
        say(&log, standing(name, Stage::Healthy, None)).await;
    }
    for name in ["a%2Fb", "..%2f..%2fetc", "%25%32%66", "grant:here:throttled", "s%C3%B6hne%20%26%20co"] {
        here.until(name, |answer| answer["stage"] == "healthy").await;
        assert_eq!(here.granted(name, 1).await, 1, "{name}");
    }
    let huge = format!("{{\"messages\":1{}}}", " ".repeat(5_000));
    for (body, expected) in [
        ("", 400),
        ("{", 400),
        ("{}", 400),
        ("[1]", 400),
        (r#"{"messages":0}"#, 400),
        (r#"{"messages":-1}"#, 400),
        (r#"{"messages":1.5}"#, 400),
        (r#"{"messages":"1"}"#, 400),
        (r#"{"messages":1000001}"#, 400),
        (r#"{"messages":99999999999999999999}"#, 400),
        (r#"{"messages":1,"message":2}"#, 400),
        (r#"{"messages":1,"messages":2}"#, 400),
        (r#"{"messages":1}{"messages":1}"#, 400),
        (huge.as_str(), 413),
    ] {
        let (status, problem) = here.post("/v1/customers/throttled/admit", body).await;
        assert_eq!((status, &problem["status"]), (expected, &json!(expected)), "{body}: {problem}");
    }
    assert_eq!(here.route("throttled").await["remaining_today"], json!(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mailers_listener_serves_mailers_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let here = Process::start(&open(folder.path()), "here").await;
    assert_eq!(here.get("/healthz").await.0, 200);
    for path in ["/v1/customers", "/v1/customers/a", "/v1/policy", "/metrics", "/readyz"] {
        assert_eq!(here.get(path).await.0, 404, "{path}");
    }
    assert_eq!(here.post("/v1/customers/a/commands", "{}").await.0, 404);
    assert_eq!(here.get("/v1/customers/a/admit").await.0, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_log_takes_no_reservation_nothing_is_granted_of_a_cap_and_the_others_send() {
    let folder = tempfile::tempdir().unwrap();
    let log = with_cap(folder.path(), 100).await;
    let broken: Arc<dyn Log> = Arc::new(Broken { log: Arc::clone(&log), is_read: true.into(), is_written: false });
    let here = Process::start(&broken, "here").await;
    for _ in 0..2 {
        let (status, problem) = here.post("/v1/customers/throttled/admit", r#"{"messages":1}"#).await;
        assert_eq!(status, 503, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("a test"), "{problem}");
    }
    assert_eq!(here.route("throttled").await["remaining_today"], json!(100));
    assert_eq!(here.granted("healthy", 5).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_the_log_is_read_is_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Broken { log: open(folder.path()), is_read: false.into(), is_written: false };
    let log: Arc<dyn Log> = Arc::new(broken);
    let here = Process::start_in(EnforcerMode::Enforce, &log, "here").await;
    assert_eq!(here.get("/v1/customers/a/route").await.0, 503);
    assert_eq!(here.post("/v1/customers/a/admit", r#"{"messages":1}"#).await.0, 503);
}
