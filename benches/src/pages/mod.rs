//! The operators' pages and API over a hundred thousand customers, as one person sees them, against an empty answer of the same
//! server: while nothing changes, and while standings come in.

mod asking;
mod fleet;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use console::{
    Access, Admin, Explanations, Gate, GateConfig, Index, Policies, PolicyViewed, Probes, Readings, Ready, Viewed,
};
use log::Log;
use model::{EnforcerMode, EnforcerModes, PolicyView, Stage};
use policy::Policy;
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use self::asking::{Row, ask_rounds, deep_cursor};
use self::fleet::{CUSTOMERS, DECISIONS, fill, name, standing, view};
use crate::events::START;
use crate::gate::servers::{Answering, Serving};
use crate::records;
use crate::timing::timed;

const PATIENCE: Duration = Duration::from_secs(120);
/// Every page is there within this, at the median.
const WANTED: Duration = Duration::from_millis(200);
/// Standings that come in at once, and how often, while they do: a thousand a second.
const COMING: usize = 50;
const EVERY: Duration = Duration::from_millis(50);

pub(crate) fn run() -> anyhow::Result<Vec<Vec<String>>> {
    let folder = tempfile::tempdir()?;
    let log = records::open(folder.path())?;
    tokio::runtime::Runtime::new()?.block_on(fill(&log))?;
    let shutdown = CancellationToken::new();
    let (started, took) = timed(|| start(&log, &shutdown));
    let (admin, readers) = started?;
    let serving = Serving::start(Answering::Console(Box::new(admin)))?;
    let mut rows = rows(&deep_cursor(serving.address, CUSTOMERS / 2)?);
    ask_rounds(serving.address, &mut rows, |row| &mut row.still)?;
    let coming = CancellationToken::new();
    let writer = come_in(Arc::clone(&log), coming.clone());
    ask_rounds(serving.address, &mut rows, |row| &mut row.changing)?;
    coming.cancel();
    let came = writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    serving.stop()?;
    shutdown.cancel();
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))?;
    }
    let mut table = vec![Row::head()];
    table.extend(rows.iter().map(|row| row.cells(&rows[0], WANTED)));
    let filled = format!("{CUSTOMERS} customers read in {:.1} s; {came} standings came in", took.as_secs_f64());
    table.push([filled].into_iter().chain(vec![String::new(); Row::head().len() - 1]).collect());
    Ok(table)
}

/// What is asked, the floor first.
fn rows(deep: &str) -> Vec<Row> {
    let one = name(CUSTOMERS / 2);
    vec![
        Row::new("floor: /healthz", "/healthz"),
        Row::new("API: customers, the first 100", "/v1/customers"),
        Row::new("API: customers, 100 in the middle", &format!("/v1/customers?after={deep}")),
        Row::new("API: customers of a pool at a stage", "/v1/customers?pool=good-3&stage=watch"),
        Row::new("API: search, one found", &format!("/v1/customers?search={one}")),
        Row::new("API: search, many found", "/v1/customers?search=CUSTOMER-9"),
        Row::new("API: search, none found", "/v1/customers?search=zzz"),
        Row::new("API: a customer", &format!("/v1/customers/{one}")),
        Row::new("API: the fleet", "/v1/fleet"),
        Row::new("API: what waits", "/v1/approvals"),
        Row::new("API: enforcement", "/v1/enforcer"),
        Row::new("API: the newest decisions, 500", "/v1/decisions"),
        Row::new("page: overview", "/"),
        Row::new("page: customers", "/customers"),
        Row::new("page: customers, in the middle", &format!("/customers?after={deep}")),
        Row::new("page: customers, search", "/customers?search=customer-9"),
        Row::new("page: a customer", &format!("/customers/{one}")),
        Row::new("page: pools", "/pools"),
        Row::new("page: policy", "/policy"),
        Row::new("page: activity", "/activity"),
    ]
}

type Started = (Admin, Vec<JoinHandle<()>>);

/// A console that has read everything.
fn start(log: &Arc<dyn Log>, shutdown: &CancellationToken) -> anyhow::Result<Started> {
    let policy = Arc::new(Policy::parse(policy::DEFAULT)?);
    let (index, mut readers) = Index::start(log, shutdown)?;
    let views: console::Views = Arc::new(|customer| Box::pin(std::future::ready(Ok(view(&customer)))) as Viewed);
    let config = GateConfig {
        instance: "bench".to_owned(),
        modes: EnforcerModes::all(EnforcerMode::Approve),
        home_pool: policy.pool(Stage::Healthy),
        unknown: console::Unknown::default(),
        views: Arc::clone(&views),
        clock: Arc::new(|| START),
    };
    let (gate, gates_readers) = Gate::start(config, log, shutdown)?;
    readers.extend(gates_readers);
    let deadline = Instant::now() + PATIENCE;
    let is_read = || {
        let decisions = usize::try_from(*index.decisions_read().borrow()).unwrap_or_default();
        index.stages(None).values().sum::<usize>() == CUSTOMERS
            && decisions == DECISIONS
            && !index.ranking().is_empty()
            && gate.is_caught_up()
    };
    while !is_read() {
        anyhow::ensure!(Instant::now() < deadline, "the topics are not read");
        std::thread::sleep(Duration::from_millis(5));
    }
    let registry = Registry::new();
    let digest = policy.digest().to_owned();
    let in_force = move || {
        let view = PolicyView { digest: digest.clone(), record: None };
        Box::pin(std::future::ready(Ok(view))) as PolicyViewed
    };
    let readings = Readings::until(shutdown.clone());
    let admin = Admin {
        access: Access::new(Vec::new(), None, &registry)?,
        index,
        views,
        explanations: Explanations::new(Arc::clone(log), Arc::clone(&policy), readings.clone()),
        readings,
        policies: Policies::new(Arc::new(in_force)),
        gate,
        log: Arc::clone(log),
        reject_sources: Arc::new([]),
        policy,
        probes: Probes { registry, ready: Ready::default() },
        clock: Arc::new(|| START),
    };
    Ok((admin, readers))
}

/// Standings come in until `end`: how many did.
fn come_in(log: Arc<dyn Log>, end: CancellationToken) -> JoinHandle<anyhow::Result<usize>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut came = 0;
        while !end.is_cancelled() {
            let appends = (came..came + COMING).map(|number| standing(number * 7 % CUSTOMERS, 1 + number / CUSTOMERS));
            let appends = appends.collect::<anyhow::Result<Vec<_>>>()?;
            runtime.block_on(log.producer().append(appends)).context("standings can't be appended")?;
            came += COMING;
            std::thread::sleep(EVERY);
        }
        Ok(came)
    })
}
