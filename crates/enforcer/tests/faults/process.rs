//! The enforcer as a process of its own, which is this test's program started again: told by lines what to do, and killed.

use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use enforcer::{Clock, Config, Enforcer, Limits};
use log::embedded::EmbeddedLog;
use log::{Append, Log, PartitionCount, Record, RecordKind, Route, Topic};
use model::{EnforcerMode, EnforcerModes, Millis, PoolName, Standing, Timestamp};
use sendgrid::api::{ApiKey, Client, Config as ApiConfig};
use serde::{Deserialize, Serialize};
use simulator::sendgrid::{HOME, QUARANTINE};
use telemetry::Registry;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fleet;

/// Tells a child how to be.
const SETTINGS: &str = "WEIR_FAULTS_CHILD";
/// One order is given at a time, and answered.
const WAITING: usize = 4;
/// Before what a child answers; the test harness talks too.
const ANSWERS: &str = "child answers: ";

/// How a child is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    pub(crate) base_url: String,
    pub(crate) key: String,
    pub(crate) settling: Duration,
    pub(crate) sweep_interval: Duration,
    /// How far its clock is ahead.
    pub(crate) ahead: Duration,
}

/// What a child is told.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Customers stand there from now on; answered once that is durable.
    Say(Vec<Standing>),
    /// To tell its metrics.
    Metrics,
    /// To act.
    Act,
}

/// A child.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    answers: Receiver<String>,
}

impl Process {
    /// Starts one; it does not act yet.
    pub(crate) async fn start(settings: &Settings) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::process::child_that_is_killed", "--nocapture"])
            .env(SETTINGS, serde_json::to_string(settings).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, said) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (answer, answers) = channel(WAITING);
        std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                // What the harness says before it may stand on the same line.
                if let Some((_, said)) = line.split_once(ANSWERS) {
                    drop(answer.blocking_send(said.to_owned()));
                }
            }
        });
        let mut process = Self { child, orders, answers };
        assert_eq!(process.answers.recv().await.as_deref(), Some("open"), "the child did not start");
        process
    }

    /// It begins to act.
    pub(crate) async fn act(&mut self) {
        assert!(self.ask(&Order::Act).await.is_some(), "the child ended");
    }

    /// Says where customers stand; whether that is durable for sure.
    pub(crate) async fn say(&mut self, standings: &[Standing]) -> bool {
        self.ask(&Order::Say(standings.to_vec())).await.is_some()
    }

    /// A metric, by its whole name with labels.
    pub(crate) async fn metric(&mut self, name: &str) -> Option<f64> {
        let all: String = serde_json::from_str(&self.ask(&Order::Metrics).await?).unwrap();
        all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// The answer; `None` where there is none any more.
    async fn ask(&mut self, order: &Order) -> Option<String> {
        let line = serde_json::to_string(order).unwrap();
        writeln!(self.orders, "{line}").ok()?;
        self.answers.recv().await
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "the child ended by itself");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The test may have failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The log in a folder; one process at a time can have it open.
pub(crate) fn open(folder: &Path) -> EmbeddedLog {
    let count = PartitionCount::new(NonZeroU32::new(2).unwrap());
    EmbeddedLog::open(log::embedded::Config::new(folder.join("log"), count)).unwrap()
}

/// A client that does not wait long between two tries.
pub(crate) fn client(base_url: &str, key: &str) -> Client {
    let mut api = ApiConfig::new(base_url.to_owned(), ApiKey::new(key));
    api.backoff = Duration::from_millis(5);
    api.calls_per_second = NonZeroU32::new(1_000).unwrap();
    Client::new(api).unwrap()
}

/// The record of a standing.
pub(crate) fn record(standing: &Standing, at: Timestamp) -> Append {
    let record = Record {
        kind: RecordKind::Output,
        at,
        key: Bytes::copy_from_slice(standing.customer.as_str().as_bytes()),
        headers: Arc::new([]),
        value: serde_json::to_vec(standing).unwrap().into(),
    };
    Append { topic: Topic::Standings, route: Route::ByKey, record }
}

/// An enforcer's settings: nothing is held back.
pub(crate) fn config(mode: EnforcerMode, settings: &Settings) -> Config {
    let [home, poor] = [HOME, QUARANTINE].map(PoolName::new);
    let placements = fleet::placements(&fleet::customers());
    let mut config = Config::new(EnforcerModes::all(mode), placements, home, poor);
    config.sweep_interval = settings.sweep_interval;
    config.settling = settings.settling;
    config.breaker_wait = Duration::from_millis(100);
    config.limits = Limits { customers_per_hour: u32::MAX, volume_per_hour: 1.0 };
    config
}

#[test]
fn child_that_is_killed() {
    let Ok(settings) = std::env::var(SETTINGS) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(obey(&serde_json::from_str(&settings).unwrap()));
    // The parent is gone.
    runtime.shutdown_background();
}

async fn obey(settings: &Settings) {
    let log: Arc<dyn Log> = Arc::new(open(&settings.folder));
    let ahead = Millis::new(settings.ahead.as_millis().try_into().unwrap());
    let clock: Clock = Arc::new(move || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(since.as_millis().try_into().unwrap()) + ahead
    });
    let (registry, client) = (Registry::new(), client(&settings.base_url, &settings.key));
    let config = config(EnforcerMode::Enforce, settings);
    let mut enforcer =
        Some(Enforcer::new(config, Some(client), Arc::clone(&log), Arc::clone(&clock), &registry).unwrap());
    let (tell, mut orders) = channel(WAITING);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            drop(tell.blocking_send(serde_json::from_str::<Order>(&line).unwrap()));
        }
    });
    answer("open");
    let mut acting: Option<JoinHandle<_>> = None;
    loop {
        let order = tokio::select! {
            ended = async { acting.as_mut().unwrap().await }, if acting.is_some() => {
                eprintln!("the enforcer ended: {ended:?}");
                return;
            }
            order = orders.recv() => order,
        };
        let Some(order) = order else { return };
        match order {
            Order::Act => {
                acting = Some(tokio::spawn(enforcer.take().unwrap().run(CancellationToken::new())));
                answer("acting");
            }
            Order::Say(standings) => {
                let records = standings.iter().map(|standing| record(standing, clock())).collect();
                log.producer().append(records).await.unwrap();
                answer("said");
            }
            Order::Metrics => {
                let text = registry.text().unwrap();
                answer(&serde_json::to_string(&text).unwrap());
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "a child talks to its parent")]
fn answer(words: &str) {
    println!("{ANSWERS}{words}");
}
