//! Brokers that go away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Cluster;
use simulator::sendgrid::Signer;

use crate::load::Load;
use crate::process::{Fleet, PATIENCE, Process};
use crate::reference;

/// Megabytes that a receiver may take: the bodies (128), what waits for Kafka (64), and the process itself.
const RECEIVER: u64 = 400;

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

    let mut load = Load::new(60, 12_000);
    load.begin(&[receiver.url()], &signer, 8, Duration::from_millis(20));
    wait_for_more(&load, 50).await;
    cluster.kill(0);
    // What was acknowledged just before may still be on its way to those who wait for it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (taken, began, mut largest) = (load.taken(), Instant::now(), 0);
    let refused = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = Vec::new();
    while began.elapsed() < Duration::from_secs(60) {
        let timestamp = crate::load::now().seconds().to_string();
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
        largest = largest.max(receiver.resident());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(load.taken(), taken, "a batch was taken without a broker");
    assert!(!answers.is_empty() && answers.iter().all(|status| *status == 503), "{answers:?}");
    cluster.restart(0);
    wait_for_more(&load, 100).await;
    load.finish().await;
    println!(
        "{} batches taken; {} answers of 503; the receiver took {largest} MB at most",
        load.taken(),
        answers.len()
    );
    assert!(largest < RECEIVER, "{largest} MB");
    let mut scorers = [scorer];
    load.check(&scorers).await;
    scorers[0].stop();
    reference::check_decisions(&fleet);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_of_three_may_die() {
    let _turn = crate::turn().await;
    let mut cluster = Cluster::start(3);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = fleet(&cluster, 3, &signer);
    let (receiver, scorer) = two(&fleet).await;

    let mut load = Load::new(60, 6_000);
    load.begin(&[receiver.url()], &signer, 4, Duration::from_millis(20));
    wait_for_more(&load, 50).await;
    cluster.kill(1);
    wait_for_more(&load, 200).await;
    load.finish().await;
    let pause = load.longest_pause();
    println!("{} batches taken; the longest pause was {pause:?}", load.taken());
    // The time after which a group gives up a member that has gone silent, by default.
    assert!(pause < Duration::from_secs(45), "{pause:?}");
    let mut scorers = [scorer];
    load.check(&scorers).await;
    scorers[0].stop();
    reference::check_decisions(&fleet);
}

async fn wait_for_more(load: &Load, batches: usize) {
    let (from, deadline) = (load.taken(), Instant::now() + PATIENCE);
    while load.taken() < from + batches {
        assert!(Instant::now() < deadline, "only {} of {batches} batches were taken", load.taken() - from);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
