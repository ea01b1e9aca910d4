//! In mode shadow nothing is ever changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer::{Action, Enforcer, Outcome};
use log::Log;
use model::{EnforcerMode, Stage, Timestamp};
use rand::RngExt;
use simulator::sendgrid::{Budget, Call, Options, SendGrid, World};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use super::fleet::{self, Before};
use super::history;
use super::process::{self, Settings};
use super::run::faults;
use super::standings::Standings;
use super::wanted::wrong;

const PATIENCE: Duration = Duration::from_secs(120);
const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

#[tokio::test(flavor = "multi_thread")]
async fn in_shadow_no_call_is_made_that_changes_anything() {
    let seed = rand::rng().random();
    println!("seed {seed}");
    let (folder, customers) = (tempfile::tempdir().unwrap(), fleet::customers());
    let budget = Budget { calls: 600, per: Duration::from_secs(1) };
    let world = World::of(&fleet::accounts(&customers));
    let sendgrid = SendGrid::start_with(world, Options { budget, seed }).await.unwrap();
    let client = process::client(&sendgrid.base_url(), sendgrid.api_key());
    fleet::set_up(&client, &customers).await;
    sendgrid.world().faults = faults();
    let begins = Instant::now();

    let settings = Settings {
        folder: folder.path().to_owned(),
        base_url: sendgrid.base_url(),
        key: sendgrid.api_key().to_owned(),
        settling: Duration::from_millis(600),
        sweep_interval: Duration::from_millis(500),
        ahead: Duration::ZERO,
    };
    let log: Arc<dyn Log> = Arc::new(process::open(folder.path()));
    let config = process::config(EnforcerMode::Shadow, &settings);
    let registry = Registry::new();
    let enforcer = Enforcer::new(config, Some(client), Arc::clone(&log), Arc::new(|| NOW), &registry).unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(enforcer.run(shutdown.clone()));

    let mut standings = Standings::new(seed);
    for _ in 0..3 {
        let sequences = standings.sequences(&customers);
        let records = sequences.iter().map(|standing| process::record(standing, NOW)).collect();
        log.producer().append(records).await.unwrap();
    }
    // Whatever is done about these needs a call.
    let is_moved = |customer: &&fleet::Customer| {
        let is_stopped = matches!(customer.before, Before::Subuser { is_disabled: true, .. });
        standings.last[&customer.id].stage >= Stage::Quarantined && !is_stopped
    };
    let awaited = customers.iter().filter(is_moved).map(|customer| (&customer.id, standings.last[&customer.id].stage));
    let awaited: BTreeSet<_> = awaited.collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let actions = history::actions(log.as_ref());
        let is_said =
            |action: &&Action| matches!(action.outcome, Outcome::Shadowed | Outcome::Route | Outcome::HeldBack);
        let said: BTreeSet<_> = actions.iter().filter(is_said).map(|action| (&action.customer, action.stage)).collect();
        if awaited.is_subset(&said) {
            assert!(actions.iter().all(|action| action.outcome != Outcome::Done));
            break;
        }
        assert!(Instant::now() < deadline, "{:?} of {} were never said", awaited.difference(&said), awaited.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
    let world = sendgrid.world();
    let changing: Vec<_> = world.calls().iter().filter(|call| call.at > begins && call.changes()).collect();
    assert!(changing.is_empty(), "{changing:?}");
    let looked = world.calls().iter().filter(|call: &&Call| call.at > begins).count();
    assert!(looked > awaited.len(), "it looked at nobody");
    assert_eq!(customers.iter().find_map(|customer| wrong(&world, customer, None)), None);
    assert_eq!(world.overruns(), 0);
}
