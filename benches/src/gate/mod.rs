//! The gate for mailers on one core, a million customers in memory, against a bare server that answers the same bytes.

mod load;
pub(crate) mod servers;

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use console::{Gate, GateConfig, Unavailable, Viewed};
use log::{Append, Log, Topic};
use model::{CaseView, CustomerId, EnforcementKey, EnforcerMode, EnforcerModes, InForce, PoolName, Stage, Standing};
use rand::RngExt;
use tokio_util::sync::CancellationToken;

use self::load::{Ask, Asked, ask_all, ask_once};
use self::servers::{Answering, Answers, Serving};
use crate::customers::resident;
use crate::events::START;
use crate::records;
use crate::timing::{count, median, rate, ratio, timed};

const CUSTOMERS: usize = 1_000_000;
/// One customer of so many has a cap.
const CAPPED: usize = 100;
/// Large enough for all rounds; a claim of a sixteenth is good for a hundred requests.
const CAP: u32 = 16_000;
/// Mails asked for at once.
const MAILS: u32 = 10;
/// The capped customers that send.
const SENDING: usize = 1_000;
const REQUESTS: usize = 100_000;
const ROUNDS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    let folder = tempfile::tempdir()?;
    let log = records::open(folder.path())?;
    tokio::runtime::Runtime::new()?.block_on(fill(&log))?;
    let shutdown = CancellationToken::new();
    let before = resident();
    let (started, read) = timed(|| start(&log, &shutdown));
    let (gate, readers) = started?;
    let memory = (resident() - before) / count(CUSTOMERS);
    let answers = answers(&gate)?;
    let head = ["one core, 32 connections", "requests/s", "p50", "p99", "its work/request", "of the floor"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (name, ask) in [("route, 1 % capped", route()), ("admit, capped", admit())] {
        rows.extend(compare(name, &gate, &answers, &ask)?);
    }
    let filled = format!("{CUSTOMERS} standings read in {:.1} s, {memory:.0} B each", read.as_secs_f64());
    rows.push(vec![filled, String::new(), String::new(), String::new(), String::new(), String::new()]);
    shutdown.cancel();
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?;
    }
    Ok(rows)
}

fn name(number: usize) -> String {
    format!("customer-{number}")
}

/// Any of all customers.
fn route() -> Ask {
    Arc::new(|rng, request| {
        let number = rng.random_range(0..CUSTOMERS);
        // A vector takes whatever is written.
        drop(write!(request, "GET /v1/customers/{}/route HTTP/1.1\r\nhost: weir\r\n\r\n", name(number)));
    })
}

/// Any of those capped customers that send.
fn admit() -> Ask {
    Arc::new(|rng, request| {
        let (number, body) = (rng.random_range(0..SENDING) * CAPPED, format!("{{\"messages\":{MAILS}}}"));
        drop(write!(
            request,
            "POST /v1/customers/{}/admit HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            name(number),
            body.len()
        ));
    })
}

/// The rows of the floor and of the gate.
fn compare(name: &str, gate: &Gate, answers: &Answers, ask: &Ask) -> anyhow::Result<[Vec<String>; 2]> {
    let (mut floors, mut gates) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        floors.add(Answering::Floor(Arc::clone(answers)), ask)?;
        gates.add(Answering::Gate(gate.clone()), ask)?;
    }
    let compared = ratio(&floors.took, &gates.took, 0.5);
    Ok([floors.row(format!("floor: {name}"), String::new()), gates.row(format!("gate: {name}"), compared)])
}

/// What the rounds of one side took.
#[derive(Default)]
struct Rounds {
    took: Vec<Duration>,
    worked: Vec<Duration>,
    waits: Vec<Duration>,
}

impl Rounds {
    fn add(&mut self, answering: Answering, ask: &Ask) -> anyhow::Result<()> {
        let serving = Serving::start(answering)?;
        let Asked { took, waits } = ask_all(serving.address, REQUESTS, ask)?;
        self.worked.push(serving.stop()?);
        self.took.push(took);
        self.waits.extend(waits);
        Ok(())
    }

    fn row(&mut self, name: String, compared: String) -> Vec<String> {
        self.waits.sort_unstable();
        let wait = |percent: usize| {
            let wait = self.waits.get(self.waits.len() * percent / 100).copied().unwrap_or_default();
            format!("{:.2} ms", wait.as_secs_f64() * 1e3)
        };
        let work = median(self.worked.clone()).as_secs_f64() * 1e6 / count(REQUESTS);
        let rate = rate(REQUESTS, median(self.took.clone()));
        vec![name, format!("{rate:.0}"), wait(50), wait(99), format!("{work:.1} µs"), compared]
    }
}

/// What the floor answers: what the gate does, to everyone.
fn answers(gate: &Gate) -> anyhow::Result<Answers> {
    let serving = Serving::start(Answering::Gate(gate.clone()))?;
    let route = |number| format!("/v1/customers/{}/route", name(number));
    let told =
        |number| ask_once(serving.address, format!("GET {} HTTP/1.1\r\nhost: weir\r\n\r\n", route(number)).into());
    let (capped, healthy): (Bytes, Bytes) = (told(0)?, told(1)?);
    let mut request = Vec::new();
    admit()(&mut rand::SeedableRng::seed_from_u64(1), &mut request);
    let admitted = ask_once(serving.address, request)?;
    serving.stop()?;
    let of = |number: usize| if number.is_multiple_of(CAPPED) { capped.clone() } else { healthy.clone() };
    let routes = (0..CUSTOMERS).map(|number| (route(number), of(number)));
    let admits =
        (0..SENDING).map(|number| (format!("/v1/customers/{}/admit", name(number * CAPPED)), admitted.clone()));
    Ok(Arc::new(routes.chain(admits).collect::<HashMap<_, _>>()))
}

/// Everybody's standing.
async fn fill(log: &Arc<dyn Log>) -> anyhow::Result<()> {
    const AT_ONCE: usize = 10_000;
    for first in (0..CUSTOMERS).step_by(AT_ONCE) {
        let appends = (first..first + AT_ONCE).map(records_of).collect::<anyhow::Result<Vec<_>>>()?.concat();
        log.producer().append(appends).await?;
    }
    Ok(())
}

/// A customer's standing, and what the enforcer has let through of it.
fn records_of(number: usize) -> anyhow::Result<Vec<Append>> {
    let is_capped = number.is_multiple_of(CAPPED);
    let customer = CustomerId::new(&name(number))?;
    let standing = Standing {
        pool: Some(PoolName::new(&format!("good-{}", number % 8))),
        ..Standing::at(
            customer.clone(),
            if is_capped { Stage::Throttled } else { Stage::Healthy },
            is_capped.then_some(CAP),
            START,
        )
    };
    let in_force = Some(InForce::of(&standing));
    let case = CaseView { customer: customer.clone(), stage: standing.stage, held: None, in_force };
    let said = records::output(Topic::Standings, name(number), serde_json::to_vec(&standing)?);
    let let_through = || {
        let key = EnforcementKey::Case(customer).to_string();
        Ok(records::output(Topic::Enforcement, key, serde_json::to_vec(&case)?))
    };
    std::iter::once(Ok(said)).chain(is_capped.then(let_through)).collect()
}

type Started = (Gate, Vec<std::thread::JoinHandle<()>>);

/// A gate that has read everything.
fn start(log: &Arc<dyn Log>, shutdown: &CancellationToken) -> anyhow::Result<Started> {
    let config = GateConfig {
        instance: "bench".to_owned(),
        modes: EnforcerModes::all(EnforcerMode::Enforce),
        home_pool: Some(PoolName::new("good-1")),
        unknown: console::Unknown::default(),
        views: Arc::new(|_| Box::pin(std::future::ready(Err(Unavailable::NoScorer))) as Viewed),
        clock: Arc::new(|| START),
    };
    let started = Gate::start(config, log, shutdown)?;
    let deadline = Instant::now() + PATIENCE;
    while !started.0.is_caught_up() {
        anyhow::ensure!(Instant::now() < deadline, "the standings are not read");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(started)
}
