//! One ticker at a time.

use std::time::{Duration, Instant};

use broker::Cluster;
use log::{RecordKind, Start, Tail, Topic};
use model::{PartitionId, Tick, Timestamp};
use simulator::sendgrid::Signer;

use super::process::{Fleet, PATIENCE};
use super::reference;

const INTERVAL: Duration = Duration::from_secs(6);

/// The times of the ticks that come to the first partition until there are `wanted` of them.
fn ticks(tail: &mut dyn Tail, wanted: usize) -> Vec<Timestamp> {
    let (mut ticks, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while ticks.len() < wanted {
        assert!(Instant::now() < deadline, "only {} ticks came", ticks.len());
        for stored in tail.next(Duration::from_secs(1)).unwrap() {
            if stored.record.kind == RecordKind::Tick && stored.position.partition == PartitionId::new(0) {
                let tick: Tick = serde_json::from_slice(&stored.record.value).unwrap();
                ticks.push(tick.at);
            }
        }
    }
    ticks
}

fn longest(ticks: &[Timestamp]) -> Duration {
    let gaps = ticks.windows(2).map(|pair| pair[1].since(pair[0]).get());
    Duration::from_millis(gaps.max().unwrap().try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_ticks_and_another_takes_over_within_two_intervals() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = Signer::generate().unwrap();
    let fleet = Fleet::new(cluster.addresses(), &signer, (4, 1), "6s");
    let mut scorers: Vec<_> = (1..=2).map(|n| fleet.process(&format!("scorer-{n}"), "scorer")).collect();
    fleet.create_topics(&scorers[0]);
    scorers[0].start();
    scorers[0].wait_until_ready().await;
    let log = reference::log(&fleet);
    let mut tail = log.tail(Topic::Events, Start::Latest).unwrap();
    let alone = ticks(tail.as_mut(), 3);
    assert!(longest(&alone) < INTERVAL * 3 / 2, "{alone:?}");

    scorers[1].start();
    scorers[1].wait_until_ready().await;
    let mut both = ticks(tail.as_mut(), 4);
    // Two tickers would bring four ticks in half the time.
    assert!(both[3].since(both[0]).get() > i64::try_from(INTERVAL.as_millis()).unwrap() * 5 / 2, "{both:?}");

    // Whichever of the two it is: one of these is the ticker's end.
    for dies in [0, 1] {
        scorers[dies].kill();
        let mut over = vec![*both.last().unwrap()];
        over.extend(ticks(tail.as_mut(), 2));
        println!("the longest time between two ticks: {:?}", longest(&over));
        assert!(longest(&over) <= INTERVAL * 2, "{over:?}");
        both = over;
        scorers[dies].start();
        scorers[dies].wait_until_ready().await;
        // Ready, and a candidate by the time of the next tick.
        both.extend(ticks(tail.as_mut(), 1));
    }
}
