//! Receivers and scorers killed and frozen at random under load: every event is counted once, every decision is said once.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use broker::Cluster;
use rand::RngExt;
use serde_json::Value;
use simulator::sendgrid::Signer;

use crate::load::Load;
use crate::process::{Fleet, Process};
use crate::reference;

const FAULTS: usize = 36;
/// Past the session time-out of these processes (6 s): the group gives a frozen scorer's partitions to the others.
const FROZEN: Duration = Duration::from_secs(9);
/// Past it, too: so that not every scorer that comes back finds its partitions waiting.
const AWAY: Duration = Duration::from_secs(8);

/// What the run did.
#[derive(Debug, Default)]
struct Tally {
    receivers_killed: usize,
    scorers_killed: usize,
    scorers_long_away: usize,
    scorers_frozen: usize,
    ended_by_themselves: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_counted_once_and_every_decision_said_once_whoever_is_killed_or_frozen() {
    let _turn = crate::turn().await;
    let cluster = Cluster::start(1);
    let signer = Arc::new(Signer::generate().unwrap());
    let fleet = Fleet::new(cluster.addresses(), &signer, (16, 1), "2s");
    let mut receivers: Vec<_> = (1..=2).map(|n| fleet.process(&format!("receiver-{n}"), "receiver")).collect();
    let mut scorers: Vec<_> = (1..=3).map(|n| fleet.process(&format!("scorer-{n}"), "scorer,console")).collect();
    fleet.create_topics(&receivers[0]);
    receivers.iter_mut().chain(&mut scorers).for_each(Process::start);
    for process in receivers.iter().chain(&scorers) {
        process.wait_until_ready().await;
    }

    let mut load = Load::new(200, 12_000);
    let urls: Vec<_> = receivers.iter().map(Process::url).collect();
    load.begin(&urls, &signer, 3, Duration::from_millis(40));
    let tally = trouble(&mut receivers, &mut scorers).await;
    load.finish().await;
    println!("{tally:?}; {} batches taken, {} different ones", load.taken(), load.batches());
    load.check(&scorers).await;

    scorers.iter_mut().for_each(Process::stop);
    println!("{} decisions, as a fold in one process makes them", reference::check_decisions(&fleet));
    let read = read_with_another_client(&fleet);
    println!("another client reads: {read}");
    assert_eq!(read["partitions"], 16);
    assert!(read["decisions"].as_u64().unwrap() > 0 && read["customers"].as_u64().unwrap() >= 200, "{read}");
}

/// Kills and freezes processes at random.
async fn trouble(receivers: &mut [Process], scorers: &mut [Process]) -> Tally {
    let mut tally = Tally::default();
    for number in 0..FAULTS {
        let moment = rand::rng().random_range(200..2_000);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        tally.ended_by_themselves += scorers.iter_mut().map(Process::revive).filter(|revived| *revived).count();
        let one = rand::rng().random_range(0..scorers.len());
        match number % 6 {
            0 | 3 => {
                let receiver = &mut receivers[one % 2];
                receiver.kill();
                receiver.start();
                tally.receivers_killed += 1;
            }
            1 => {
                scorers[one].signal("STOP");
                tokio::time::sleep(FROZEN).await;
                scorers[one].signal("CONT");
                tally.scorers_frozen += 1;
            }
            4 => {
                scorers[one].kill();
                tokio::time::sleep(AWAY).await;
                scorers[one].start();
                tally.scorers_long_away += 1;
            }
            _ => {
                scorers[one].kill();
                scorers[one].start();
                tally.scorers_killed += 1;
            }
        }
    }
    tally
}

/// A Python client that knows nothing but the published schemas.
fn read_with_another_client(fleet: &Fleet) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let python = format!("{}/.cache/weir/clients/bin/python", std::env::var("HOME").unwrap());
    let read = Command::new(&python)
        .arg(format!("{root}/tests/clients/read_topics.py"))
        .args(["--brokers", &fleet.brokers, "--prefix", Fleet::PREFIX, "--schemas", &format!("{root}/docs/schemas")])
        .output()
        .unwrap_or_else(|error| panic!("{python}: {error}; run `make setup-kafka`"));
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}
