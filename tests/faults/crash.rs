//! Killed at random moments under load and started again: what was answered 2xx is counted, and counted once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use model::{Counts, CustomerId, Millis, Window};
use rand::RngExt;
use serde_json::Value;
use simulator::platform::{Gate, Platform, Scenario};
use simulator::sendgrid::{Poster, Retries};
use site::{Process, Site, now};

const KILLS: usize = 50;
const POSTERS: usize = 4;
const EVENTS: usize = 100;
/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(120);

async fn get(site: &Site, path: &str) -> Option<Value> {
    serde_json::from_str(&site.get(path).await?).ok()
}

/// The customer's counts of the last 24 hours.
async fn counts(site: &Site, id: &CustomerId) -> Option<Counts> {
    let customer = get(site, &format!("/v1/customers/{id}")).await?;
    serde_json::from_value(customer["windows"][Window::Day.name()].clone()).ok()
}

/// Everything that a platform's hour brought about, in batches, and the platform with its ledger.
fn an_hour() -> (Platform, Vec<Vec<String>>) {
    let start = now() - Millis::minutes(80);
    let scenario = Scenario { customers: 60, good_mails: 12_000, ..Scenario::hour(7, start) };
    let mut platform = Platform::new(&scenario);
    let mut events = Vec::new();
    while !platform.is_finished() {
        let until = start + Millis::days(1);
        events.extend(platform.advance(until, &mut |_| Gate::Send(Some("good-1".into()))));
    }
    let events: Vec<String> = events.into_iter().map(|arrival| arrival.event).collect();
    let batches = events.chunks(EVENTS).map(<[String]>::to_vec).collect();
    (platform, batches)
}

/// Posts every batch at least once, each until it is taken; goes round again until `enough`.
async fn post_all(poster: Poster, batches: Arc<Vec<Vec<String>>>, next: Arc<AtomicUsize>, enough: Arc<AtomicBool>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= batches.len() && enough.load(Ordering::Relaxed) {
            return;
        }
        poster.post(&batches[number % batches.len()]).await.unwrap();
        // So that the load lasts as long as the killing does.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_that_was_taken_is_counted_once_whenever_the_process_is_killed() {
    let _turn = crate::turn().await;
    let site = Site::new();
    site.configure("");
    let mut weir = site.run(env!("CARGO_BIN_EXE_weir"));
    weir.env("WEIR_LOG", "warn");
    let mut weir = Process::start(weir);
    let (platform, batches) = an_hour();
    println!("{} batches of {EVENTS} events", batches.len());
    let retries = Retries { first: Duration::from_millis(20), longest: Duration::from_millis(200), most: 10_000 };
    let poster = Poster::new(&site.webhook(), Arc::clone(&site.signer), retries, Arc::new(now)).unwrap();
    let (next, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let batches = Arc::new(batches);
    let posters: Vec<_> = (0..POSTERS)
        .map(|_| tokio::spawn(post_all(poster.clone(), Arc::clone(&batches), Arc::clone(&next), Arc::clone(&enough))))
        .collect();

    for _ in 0..KILLS {
        let moment = rand::rng().random_range(50..900);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        weir.kill_and_restart();
    }
    enough.store(true, Ordering::Relaxed);
    for poster in posters {
        poster.await.unwrap();
    }
    println!("{} batches posted and taken over {KILLS} kills", next.load(Ordering::Relaxed));

    let mut expected: Vec<_> =
        platform.accounts().iter().map(|a| (a.id.clone(), platform.ledger().customer(&a.id))).collect();
    expected.push((CustomerId::unattributed("test"), *platform.ledger().nobodys()));
    let deadline = Instant::now() + PATIENCE;
    for (id, wanted) in expected.iter().filter(|(_, wanted)| !wanted.is_zero()) {
        let mut found = counts(&site, id).await;
        while found != Some(*wanted) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
            found = counts(&site, id).await;
        }
        assert_eq!(found, Some(*wanted), "{id}");
    }

    let decisions = get(&site, "/v1/decisions").await.unwrap();
    let decisions = decisions["decisions"].as_array().unwrap();
    let ids: BTreeSet<_> = decisions.iter().map(|decision| decision["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty() && ids.len() == decisions.len(), "a decision was said twice");
}
