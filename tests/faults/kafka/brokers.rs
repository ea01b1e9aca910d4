//! Brokers that go away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Cluster;
use simulator::sendgrid::Signer;

use super::load::Load;
use super::process::{Fleet, PATIENCE, Process};
use super::reference;

/// Megabytes that a process may take: a receiver for bodies (128), what waits for Kafka (64), and itself; a scorer for its
/// four partitions and what was fetched.
const MEMORY: u64 = 500;
/// As large as SendGrid's largest: what a receiver that kept them would be filled with soon.
const LARGE: usize = 1_500;
/// Kafka gives a broker up that was silent for 9 seconds; then leaders are elected, and clients hear of it.
const FAILING_OVER: Duration = Duration::from_secs(15);

fn fleet(cluster: &Cluster, replication: u16, signer: &Signer) -> Fleet {
    Fleet::new(cluster.addresses(), signer, (4, replication), "2s")
}

/// A receiver and a scorer that are ready.
async fn two(fleet: &Fleet) -> (Process, Process) {
    let mut receiver = fleet.process("receiver", "receiver");
    let mut scorer = fleet.process("scorer", "scorer,console");
    fleet.create_topics(&receiver);
    receiver.start();
    scorer.start();
    receiver.wait_until_ready().await;
    scorer.wait_until_ready().await;
    (receiver, scorer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_nothing_is_taken_and_afterwards_nothing_is_missing() {
    let _turn = crate::turn().await;
    let mut cluster = Cluster::start(1);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = fleet(&cluster, 1, &signer);
    let (receiver, scorer) = two(&fleet).await;

    let mut load = Load::new(60, 120_000, LARGE);
    load.begin(&[receiver.url()], &signer, 64, Duration::from_millis(20));
    wait_for_more(&load, 30).await;
    cluster.kill(0);
    // What was acknowledged before may still be on its way to those who wait for it, for no longer than a POST may take.
    let mut taken = load.taken();
    while moved_on(&load, &mut taken).await {}
    let (began, mut largest) = (Instant::now(), 0);
    let refused = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = Vec::new();
    while began.elapsed() < Duration::from_secs(60) {
        let timestamp = site::now().seconds().to_string();
        let event = r#"[{"email":"a@b.example","event":"open","timestamp":1,"sg_event_id":"x"}]"#;
        let answer = refused
            .post(receiver.url())
            .header("x-twilio-email-event-webhook-signature", signer.sign(&timestamp, event.as_bytes()).unwrap())
            .header("x-twilio-email-event-webhook-timestamp", timestamp)
            .body(event)
            .send()
            .await
            .unwrap();
        answers.push(answer.status().as_u16());
        largest = largest.max(receiver.resident()).max(scorer.resident());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(load.taken(), taken, "a batch was taken without a broker");
    assert!(!answers.is_empty() && answers.iter().all(|status| *status == 503), "{answers:?}");
    let mut late = fleet.process("late", "receiver");
    late.start();
    cluster.restart(0);
    wait_for_more(&load, 30).await;
    assert!(load.has_more(), "nothing new came after the outage");
    // One that was started while there was no broker has waited for it.
    late.wait_until_ready().await;
    load.finish().await;
    let scorers = [scorer];
    load.check(&fleet, &scorers).await;
    let [mut scorer] = scorers;
    largest = largest.max(receiver.resident()).max(scorer.resident());
    println!("{} batches taken; {} answers of 503; the largest process took {largest} MB", load.taken(), answers.len());
    assert!(largest < MEMORY, "{largest} MB");
    scorer.stop();
    reference::check_decisions(&fleet);
}

/// Whether a batch was taken within a second.
async fn moved_on(load: &Load, taken: &mut usize) -> bool {
    tokio::time::sleep(Duration::from_secs(1)).await;
    std::mem::replace(taken, load.taken()) < *taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_of_three_may_die() {
    let _turn = crate::turn().await;
    let mut cluster = Cluster::start(3);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = fleet(&cluster, 3, &signer);
    let (receiver, scorer) = two(&fleet).await;

    let mut load = Load::new(60, 120_000, 100);
    load.begin(&[receiver.url()], &signer, 4, Duration::from_millis(20));
    // One of them coordinates the scorers' group, one leads the controllers, and each leads partitions.
    for broker in 0..3 {
        wait_for_more(&load, 50).await;
        cluster.kill(broker);
        wait_for_more(&load, 200).await;
        cluster.restart(broker);
    }
    assert!(load.has_more(), "the last broker's end met nothing new");
    load.finish().await;
    let pause = load.longest_pause();
    println!("{} batches taken; the longest pause was {pause:?}", load.taken());
    assert!(pause < FAILING_OVER, "{pause:?}");
    let scorers = [scorer];
    load.check(&fleet, &scorers).await;
    let [mut scorer] = scorers;
    scorer.stop();
    reference::check_decisions(&fleet);
}

async fn wait_for_more(load: &Load, batches: usize) {
    let (from, deadline) = (load.taken(), Instant::now() + PATIENCE);
    while load.taken() < from + batches {
        assert!(Instant::now() < deadline, "only {} of {batches} batches were taken", load.taken() - from);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
