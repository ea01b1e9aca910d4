//! Killed at random moments under load and started again: what was answered 2xx is counted, and counted once.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use model::{Counts, CustomerId, Millis, Timestamp, Window};
use rand::RngExt;
use serde_json::Value;
use simulator::platform::{Gate, Platform, Scenario};
use simulator::sendgrid::{Poster, Retries, Signer};

const KILLS: usize = 50;
const POSTERS: usize = 4;
const EVENTS: usize = 100;
/// How long anything may take that must come about.
const PATIENCE: Duration = Duration::from_secs(120);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

/// A Weir that can be killed and started again on the same folder and ports.
struct Weir {
    config: PathBuf,
    receiver: u16,
    admin: u16,
    child: Child,
}

impl Weir {
    fn start(folder: &Path, key: &str) -> Self {
        let (receiver, admin) = (free_port(), free_port());
        let config = folder.join("weir.toml");
        let text = format!(
            r#"
            [receiver]
            listen = "127.0.0.1:{receiver}"
            [admin]
            listen = "127.0.0.1:{admin}"
            [log]
            path = "{log}"
            [state]
            path = "{state}"
            [scorer]
            tick_interval = "200ms"
            [[source]]
            name = "test"
            verification_keys = ["{key}"]
            customer = {{ custom_arg = "customer_id" }}
            "#,
            log = folder.join("log").display(),
            state = folder.join("state").display(),
        );
        std::fs::write(&config, text).unwrap();
        let child = spawn(&config);
        Self { config, receiver, admin, child }
    }

    /// SIGKILL, and a new process.
    fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.config);
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/sendgrid/test", self.receiver)
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("http://127.0.0.1:{}{path}", self.admin)).send().await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    /// The customer's counts of the last 24 hours.
    async fn counts(&self, id: &CustomerId) -> Option<Counts> {
        let customer = self.get(&format!("/v1/customers/{id}")).await?;
        serde_json::from_value(customer["windows"][Window::Day.name()].clone()).ok()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        // The test may have failed between a kill and a start.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn spawn(config: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["run", "--config"])
        .arg(config)
        .env("WEIR_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
    let folder = tempfile::tempdir().unwrap();
    let signer = Arc::new(Signer::generate().unwrap());
    let mut weir = Weir::start(folder.path(), &signer.public_key());
    let (platform, batches) = an_hour();
    println!("{} batches of {EVENTS} events", batches.len());
    let retries = Retries { first: Duration::from_millis(20), longest: Duration::from_millis(200), most: 10_000 };
    let poster = Poster::new(&weir.url(), signer, retries, Arc::new(now)).unwrap();
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
        let mut found = weir.counts(id).await;
        while found != Some(*wanted) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
            found = weir.counts(id).await;
        }
        assert_eq!(found, Some(*wanted), "{id}");
    }

    let decisions = weir.get("/v1/decisions").await.unwrap();
    let decisions = decisions["decisions"].as_array().unwrap();
    let ids: BTreeSet<_> = decisions.iter().map(|decision| decision["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty() && ids.len() == decisions.len(), "a decision was said twice");
}
