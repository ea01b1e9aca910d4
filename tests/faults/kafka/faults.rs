//! Receivers and scorers killed and frozen at random under load: every event is counted once, every decision is said once.

use std::sync::Arc;
use std::time::Duration;

use broker::Cluster;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use simulator::sendgrid::Signer;

use super::load::Load;
use super::process::{Fleet, Process};
use super::reference;

const FAULTS: usize = 36;
/// The longest time before the next fault, in milliseconds.
const LULL: u64 = 2_000;
/// Past the session time-out of these processes (6 s): the group gives a frozen scorer's partitions to the others.
const FROZEN: Duration = Duration::from_secs(9);
/// Past it, too: so that not every scorer that comes back finds its partitions waiting.
const AWAY: Duration = Duration::from_secs(8);
/// Batches allowed for each second of trouble. The posters could post somewhat more.
const EACH_SECOND: f64 = 20.0;
const PAUSE: Duration = Duration::from_millis(250);
const EVENTS: usize = 100;
/// Two to three events each: more than the trouble can take.
const MAILS: u32 = 100_000;

/// What the run did.
#[derive(Debug, Default)]
struct Tally {
    receivers_killed: usize,
    scorers_killed: usize,
    scorers_long_away: usize,
    states_wiped: usize,
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

    let mut load = Load::new(200, MAILS, EVENTS);
    let urls: Vec<_> = receivers.iter().map(Process::url).collect();
    load.hold_back();
    load.begin(&urls, &signer, 3, PAUSE);
    let seed = rand::random();
    println!("faults by seed {seed}");
    let tally = trouble(&load, &mut receivers, &mut scorers, seed).await;
    assert!(load.has_more(), "the last faults met nothing new");
    println!("{tally:?}; {} of {} batches taken meanwhile, each new", load.taken(), load.batches());
    load.finish().await;
    load.check(&fleet, &scorers).await;

    scorers.iter_mut().for_each(Process::stop);
    println!("{} decisions, as a fold in one process makes them", reference::check_decisions(&fleet));
    let told: String = scorers.iter().map(Process::told).collect();
    let count = |what: &str| told.matches(what).count();
    let (lost, restored) = (count("partition lost to another"), count("restored from a checkpoint"));
    println!("{lost} times a partition was lost to another, {restored} times one was restored from a checkpoint");
    assert!(lost > 0, "no frozen scorer's partition went to another");
    assert!(restored > 0, "no partition moved by its checkpoint");
}

/// Kills and freezes processes at random, while as many new events come as the time that this takes.
async fn trouble(load: &Load, receivers: &mut [Process], scorers: &mut [Process], seed: u64) -> Tally {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    for number in 0..FAULTS {
        pass(load, Duration::from_millis(dice.random_range(200..LULL))).await;
        let all = receivers.iter_mut().chain(scorers.iter_mut());
        tally.ended_by_themselves += all.map(Process::revive).filter(|revived| *revived).count();
        let one = dice.random_range(0..scorers.len());
        match number % 6 {
            0 | 3 => {
                let receiver = &mut receivers[one % 2];
                receiver.kill();
                receiver.start();
                tally.receivers_killed += 1;
            }
            1 => {
                scorers[one].signal("STOP");
                pass(load, FROZEN).await;
                scorers[one].signal("CONT");
                tally.scorers_frozen += 1;
            }
            4 => {
                scorers[one].kill();
                if tally.scorers_long_away % 2 == 0 {
                    std::fs::remove_dir_all(scorers[one].state()).unwrap();
                    tally.states_wiped += 1;
                }
                pass(load, AWAY).await;
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

/// Lets time pass, and events come.
async fn pass(load: &Load, time: Duration) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundred batches")]
    let batches = (time.as_secs_f64() * EACH_SECOND) as usize;
    load.allow(batches);
    tokio::time::sleep(time).await;
}
