//! Customers that Weir has never heard of: nothing is granted before they are on the log.

use std::sync::Arc;
use std::time::Duration;

use console::Unknown;
use decode::{Decoded, decode};
use log::{Log, Start, Topic};
use model::{EnforcerMode, Offset, PartitionId};
use policy::Policy;
use scoring::{Fold, Input, MemoryStore, Partition, Said};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::process::{Process, open, say_only};

/// Folds what comes under a policy, and tells the standings, until the guard is dropped.
fn score(log: &Arc<dyn Log>, newcomers: bool) -> DropGuard {
    let shutdown = CancellationToken::new();
    let edit = if newcomers { "newcomers = true" } else { "newcomers = false" };
    let policy = Arc::new(Policy::parse(&policy::DEFAULT.replace("newcomers = false", edit)).unwrap());
    let (log, until) = (Arc::clone(log), shutdown.clone());
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
        let mut fold = Fold::new(policy, PartitionId::new(0), Partition::default());
        let mut store = MemoryStore::default();
        let mut offset = 0;
        while !until.is_cancelled() {
            for stored in tail.next(Duration::from_millis(10)).unwrap() {
                let Decoded::Command(id, command) = decode(&stored) else { panic!("{stored:?}") };
                offset += 1;
                let Ok(applied) = fold.apply(&mut store, Offset::new(offset), Input::Command(&id, command));
                let standings = applied.said.iter().filter_map(|said| match said {
                    Said::Standing(standing) => Some(standing),
                    _ => None,
                });
                standings.for_each(|standing| runtime.block_on(say_only(&log, standing)));
            }
        }
    });
    shutdown.drop_guard()
}

/// How many records there are of what was asked.
fn registered(log: &Arc<dyn Log>) -> usize {
    let mut tail = log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut count = 0;
    while !tail.caught_up() {
        count += tail.next(Duration::ZERO).unwrap().len();
    }
    count
}

async fn first_answer(unknown: Unknown, newcomers: bool) -> (Value, usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let _scorer = score(&log, newcomers);
    let here = Process::start_with(EnforcerMode::Enforce, &log, ("here", unknown)).await.caught_up().await;
    let answer = here.admit("never-seen", 50_000).await;
    assert_eq!(here.route("never-seen").await["sending"], answer["sending"]);
    (answer, registered(&log))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_question_about_a_customer_registers_it_and_grants_what_such_a_one_may_send() {
    for (unknown, newcomers, granted, sending) in [
        (Unknown::AsNewcomer, true, 200, json!({ "capped": 200 })),
        (Unknown::AsNewcomer, false, 50_000, json!("free")),
        (Unknown::Pilot, false, 200, json!({ "capped": 200 })),
        (Unknown::Free, true, 50_000, json!("free")),
    ] {
        let (answer, records) = first_answer(unknown, newcomers).await;
        assert_eq!((&answer["granted"], &answer["sending"]), (&json!(granted), &sending), "{unknown:?} {newcomers}");
        assert_eq!(records, 1, "it is registered once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_unknown_customers_are_refused_nothing_is_granted_and_nobody_is_registered() {
    let (answer, records) = first_answer(Unknown::Refuse, true).await;
    assert_eq!((&answer["granted"], &answer["sending"], records), (&json!(0), &json!("none"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scorer_a_mailer_is_told_to_come_again_and_whoever_asks_at_once_registers_the_customer_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let here = Process::start_with(EnforcerMode::Enforce, &log, ("here", Unknown::Pilot)).await.caught_up().await;
    let body = json!({ "messages": 10 }).to_string();
    let ask = || here.post("/v1/customers/never-seen/admit", &body);
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    for (status, answer) in [answers.0, answers.1, answers.2, answers.3] {
        assert_eq!(status, 503, "{answer}");
        assert!(answer.to_string().contains("being registered"), "{answer}");
    }
    assert_eq!(registered(&log), 1);
}
