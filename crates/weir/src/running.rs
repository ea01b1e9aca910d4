//! The parts, wired together and started; and ended in the order in which nothing is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::completeness::Completeness;
use anyhow::Context;
use console::{
    Access, Admin, ConnectionLimits, Explanations, Gate, GateConfig, Index, Policies, Probes, Readings, Ready, Server,
    Troubles, Unavailable, Views,
};
use enforcer::Enforcer;
use hooks::Hooks;
use log::embedded::EmbeddedLog;
use log::{BoxFuture, Log};
use model::{PolicyView, Stage};
use outreach::Outreach;
use receiver::Receiver;
use scorer::store::Budget;
use scorer::{Handle, Scorer, Ticker};
use sendgrid::api::{self, Client};
use telemetry::{Registry, Tracing};
use tokio_util::sync::CancellationToken;

use crate::cli::{Role, Roles};
use crate::clock::{self, Clock};
use crate::config::Settings;
use crate::limits;
use crate::opening::{self, Opened};
use crate::parts::Parts;
use crate::sendgrid_calls::SendGridCalls;
use crate::shutdown::Signals;
use crate::traces::Traces;

/// How often old records are looked for.
const MAINTENANCE: Duration = Duration::from_secs(600);
/// How long a shutdown waits for the last readers of the log.
const CLOSING: Duration = Duration::from_secs(5);

/// Runs until a signal ends it, or until a part fails.
pub(crate) async fn run(settings: Settings, roles: Vec<Role>) -> anyhow::Result<()> {
    if settings.sources.is_empty() {
        tracing::warn!("no source is configured: every POST is answered 404");
    }
    limits::set();
    limits::make_private(&settings);
    let mut signals = Signals::listen().context("signals can't be listened for")?;
    let roles = roles.into_iter().collect();
    let mut running = tokio::select! {
        started = Running::start(settings, &roles, clock::system()) => started?,
        // What it has begun ends with the process; all of it is in the log.
        () = signals.next() => return Ok(()),
    };
    tokio::select! {
        () = signals.next() => tracing::info!("ending on a signal"),
        failed = running.failed() => {
            if let Err(error) = running.stop().await {
                let error = format!("{error:#}");
                tracing::warn!(error, "not all parts ended in order");
            }
            return Err(failed);
        }
    }
    running.stop().await
}

/// A running Weir.
pub(crate) struct Running {
    /// Where the receiver listens, if it runs.
    pub(crate) receiver: Option<SocketAddr>,
    /// Where the operators' API listens, if it runs.
    pub(crate) admin: Option<SocketAddr>,
    /// What mailers may send, where that is told.
    gate: Option<Gate>,
    ready: Ready,
    /// What takes things in; ended first.
    intake: Parts,
    /// What works them off.
    work: Parts,
    /// Resolves when the embedded log is closed.
    log_closed: BoxFuture<'static, ()>,
    /// Limits of the operators' and the mailers' listeners.
    connections: ConnectionLimits,
    traces: Traces,
}

impl Running {
    /// Starts the parts that `roles` names.
    pub(crate) async fn start(mut settings: Settings, roles: &Roles, clock: Clock) -> anyhow::Result<Self> {
        let registry = Registry::new();
        crate::metrics::of_every_process(&registry)?;
        let (traces, tracing) = Traces::begin(settings.traces.as_ref()).await?;
        settings.receiver.tracing = tracing.clone();
        settings.enforcer.tracing = tracing.clone();
        let Opened { log, embedded } = opening::open(&settings.log).await?;
        let log = log::measured(log, &registry)?;
        let connections = limits::Connections::of_process();
        connections.limit_receiver(&mut settings.receiver);
        let mut running = Self {
            receiver: None,
            admin: None,
            gate: None,
            ready: Ready::default(),
            intake: Parts::default(),
            work: Parts::default(),
            log_closed: Box::pin(std::future::ready(())),
            connections: ConnectionLimits::register(&registry, connections.operators, connections.mailers)?,
            traces,
        };
        if let Some(embedded) = embedded {
            running.supervise_log(embedded, &clock);
        }
        let scorer = if roles.contains(&Role::Scorer) {
            Some(running.start_scorer(&settings, &log, &clock, (&registry, tracing)).await?)
        } else {
            None
        };
        if roles.contains(&Role::Enforcer) {
            let calls = SendGridCalls::register(&registry)?;
            if let Some(api) = &mut settings.sendgrid {
                api.watcher = Some(Arc::new(calls));
            }
            running.start_enforcer(&settings, &log, &clock, &registry)?;
            running.start_hooks(&settings, &log, &clock, &registry)?;
            running.start_outreach(&settings, scorer.clone(), (&log, &clock), &registry)?;
            running.start_completeness(&settings, &log, &clock, &registry)?;
        }
        let probes = Probes { registry: registry.clone(), ready: running.ready.clone() };
        if roles.contains(&Role::Console) {
            let troubles = running.start_console(&settings, scorer, (&log, &clock), probes).await?;
            // Events are taken in all the same while the console still reads.
            if !roles.contains(&Role::Receiver) {
                running.ready.ask(troubles);
            }
        } else {
            running.serve_admin(
                "health and metrics",
                Server::bind_probes(settings.admin, probes).await?.within(&running.connections),
            );
        }
        if roles.contains(&Role::Receiver) {
            running.start_receiver(settings, &log, clock, &registry).await?;
        }
        running.ready.set(true);
        Ok(running)
    }

    /// Starts the maintenance of the embedded log, and ends the process if the log can no longer be written.
    fn supervise_log(&mut self, log: Arc<EmbeddedLog>, clock: &Clock) {
        self.log_closed = Box::pin(log.closed());
        let (broken, ending) = (log.broken(), self.work.shutdown.clone());
        self.work.spawn("log", async move {
            tokio::select! {
                error = broken => Err(error),
                () = ending.cancelled() => Ok(()),
            }
        });
        let maintenance = maintain(log, Arc::clone(clock), self.work.shutdown.clone());
        self.work.spawn("maintenance of the log", maintenance);
    }

    /// The scorer, and the first tick: no event may be folded before time is known.
    async fn start_scorer(
        &mut self,
        settings: &Settings,
        log: &Arc<dyn Log>,
        clock: &Clock,
        (registry, tracing): (&Registry, Tracing),
    ) -> anyhow::Result<Handle> {
        let (opened, file, told) = (Arc::clone(log), settings.policy_file.clone(), registry.clone());
        let mut ticker = tokio::task::spawn_blocking(move || Ticker::new(opened, file, &told)).await??;
        if ticker.holds_office() {
            ticker.tick(clock).await?;
        }
        let state = settings.state.clone();
        let config = scorer::Config {
            state: state.path,
            budget: Budget::of_each(log.partitions()),
            checkpoints: state.checkpoints,
            checkpoint_interval: state.checkpoint_interval,
            grace: state.grace,
            tracing,
        };
        let shutdown = self.work.shutdown.clone();
        let scorer = Scorer::start(config, log, Arc::clone(&settings.policy), (registry, clock), shutdown.clone())?;
        let handle = scorer.handle();
        let troubles = scorer.troubles();
        self.ready.ask(Arc::new(move || troubles.current()));
        self.work.spawn("scorer", scorer.ended());
        let ticking = ticker.run(settings.tick_interval, Arc::clone(clock), handle.clone(), shutdown);
        self.work.spawn::<scorer::Error>("ticker", async move {
            ticking.await;
            Ok(())
        });
        Ok(handle)
    }

    fn start_enforcer(
        &mut self,
        settings: &Settings,
        log: &Arc<dyn Log>,
        clock: &Clock,
        registry: &Registry,
    ) -> anyhow::Result<()> {
        let client = settings.sendgrid.clone().map(Client::new).transpose()?;
        let enforcer = Enforcer::new(settings.enforcer.clone(), client, Arc::clone(log), Arc::clone(clock), registry)?;
        self.work.spawn("enforcer", enforcer.run(self.work.shutdown.clone()));
        Ok(())
    }

    fn start_hooks(
        &mut self,
        settings: &Settings,
        log: &Arc<dyn Log>,
        clock: &Clock,
        registry: &Registry,
    ) -> anyhow::Result<()> {
        if !settings.hooks.is_empty() {
            let hooks = Hooks::new(settings.hooks.clone(), Arc::clone(log), Arc::clone(clock), registry)?;
            self.work.spawn("hooks", hooks.run(self.work.shutdown.clone()));
        }
        Ok(())
    }

    fn start_outreach(
        &mut self,
        settings: &Settings,
        scorer: Option<Handle>,
        (log, clock): (&Arc<dyn Log>, &Clock),
        registry: &Registry,
    ) -> anyhow::Result<()> {
        if let Some(mut config) = settings.outreach.clone() {
            if let Some(scorer) = scorer {
                config.policies = config.policies.asking(move || policy_in_force(scorer.clone()));
            }
            let outreach = Outreach::new(config, Arc::clone(log), Arc::clone(clock), registry)?;
            self.work.spawn("outreach", outreach.run(self.work.shutdown.clone()));
        }
        Ok(())
    }

    fn start_completeness(
        &mut self,
        settings: &Settings,
        log: &Arc<dyn Log>,
        clock: &Clock,
        registry: &Registry,
    ) -> anyhow::Result<()> {
        let Some((config, api)) = settings.completeness.clone().zip(settings.sendgrid.clone()) else { return Ok(()) };
        // It only reads, and has all day: what fails may be tried again at once.
        let config_of_api = api::Config { watcher: api.watcher, ..api::Config::new(api.base_url, api.key) };
        let client = Client::new(config_of_api)?;
        let completeness = Completeness::new(config, client, Arc::clone(log), Arc::clone(clock), registry)?;
        self.work.spawn("completeness", completeness.run(self.work.shutdown.clone()));
        Ok(())
    }

    /// The operators' API and the gate; what keeps them from telling how things are.
    async fn start_console(
        &mut self,
        settings: &Settings,
        scorer: Option<Handle>,
        (log, clock): (&Arc<dyn Log>, &Clock),
        probes: Probes,
    ) -> anyhow::Result<Troubles> {
        let (opened, shutdown) = (Arc::clone(log), self.work.shutdown.clone());
        let (index, readers) = tokio::task::spawn_blocking(move || Index::start(&opened, &shutdown)).await??;
        self.work.watch("reader of the operators' API", readers);
        let troubles = index.troubles();
        let gate = self.start_gate(settings, views(scorer.clone()), (log, clock)).await?;
        let (access, readings) = (settings.access.clone(), Readings::until(self.work.shutdown.clone()));
        let admin = Admin {
            access: Access::new(access.tokens, access.proxy, &probes.registry)?,
            index,
            explanations: Explanations::new(Arc::clone(log), Arc::clone(&settings.policy), readings.clone()),
            readings,
            views: views(scorer.clone()),
            policies: policies(scorer),
            gate,
            reject_sources: crate::reject_sources::of(settings),
            log: Arc::clone(log),
            policy: Arc::clone(&settings.policy),
            probes,
            clock: Arc::clone(clock),
        };
        self.serve_admin("operators' API", Server::bind(settings.admin, admin).await?.within(&self.connections));
        Ok(troubles)
    }

    /// What mailers ask, and its own listener where one is configured.
    async fn start_gate(
        &mut self,
        settings: &Settings,
        views: Views,
        (log, clock): (&Arc<dyn Log>, &Clock),
    ) -> anyhow::Result<Gate> {
        let config = GateConfig {
            instance: settings.gate.instance.clone(),
            modes: settings.enforcer.modes.clone(),
            home_pool: settings.policy.pool(Stage::Healthy),
            unknown: settings.gate.unknown,
            views,
            clock: Arc::clone(clock),
        };
        let (opened, shutdown) = (Arc::clone(log), self.work.shutdown.clone());
        let (gate, readers) = tokio::task::spawn_blocking(move || Gate::start(config, &opened, &shutdown)).await??;
        self.work.watch("reader of the gate", readers);
        self.gate = Some(gate.clone());
        if let Some(listen) = settings.gate.listen {
            let server = Server::bind_gate(listen, gate.clone()).await?.within(&self.connections);
            tracing::info!(address = %server.local_addr(), "gate for mailers");
            self.work.spawn("gate for mailers", server.run(self.work.shutdown.clone()));
        }
        Ok(gate)
    }

    fn serve_admin(&mut self, name: &'static str, server: Server) {
        tracing::info!(address = %server.local_addr(), "{name}");
        self.admin = Some(server.local_addr());
        self.work.spawn(name, server.run(self.work.shutdown.clone()));
    }

    async fn start_receiver(
        &mut self,
        settings: Settings,
        log: &Arc<dyn Log>,
        clock: Clock,
        registry: &Registry,
    ) -> anyhow::Result<()> {
        let receiver = Receiver::bind(settings.receiver, settings.sources, log.producer(), clock, registry).await?;
        tracing::info!(address = %receiver.local_addr(), "receiver");
        drop(receiver.preload(Arc::clone(log), self.intake.shutdown.clone()));
        self.receiver = Some(receiver.local_addr());
        self.intake.spawn("receiver", receiver.run(self.intake.shutdown.clone()));
        Ok(())
    }

    /// Resolves when a part fails.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        tokio::select! {
            failed = self.intake.failed() => failed,
            failed = self.work.failed() => failed,
        }
    }

    /// Ends everything: first no more is taken in, then what was taken in is worked off as far as it goes; the rest is in
    /// the log.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.ready.set(false);
        let intake = self.intake.stop().await;
        let work = self.work.stop().await;
        if let Some(gate) = self.gate
            && let Err(error) = gate.hand_back().await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "what was not granted is not handed back");
        }
        self.traces.close().await;
        if tokio::time::timeout(CLOSING, self.log_closed).await.is_err() {
            tracing::warn!("a reader of the embedded log is still running; exiting without closing the log");
        }
        intake.and(work)
    }
}

/// Asks the scorer of this process, if it has one, for a customer's counts.
fn views(scorer: Option<Handle>) -> Views {
    Arc::new(move |customer| {
        let scorer = scorer.clone();
        Box::pin(async move {
            let scorer = scorer.ok_or(Unavailable::NoScorer)?;
            scorer.customer(customer).await.map_err(|scorer::Unavailable| Unavailable::Busy)
        })
    })
}

/// Asks the scorer of this process, if it has one, for the policy in force.
fn policies(scorer: Option<Handle>) -> Policies {
    Policies::new(Arc::new(move || {
        let scorer = scorer.clone();
        Box::pin(async move {
            let scorer = scorer.ok_or(Unavailable::NoScorer)?;
            scorer.policy().await.map_err(|scorer::Unavailable| Unavailable::Busy)
        })
    }))
}

/// The policy in force, where the scorer of this process answers.
async fn policy_in_force(scorer: Handle) -> Option<PolicyView> {
    scorer.policy().await.ok()
}

/// Drops what the log need not keep, now and then.
async fn maintain(log: Arc<EmbeddedLog>, clock: Clock, shutdown: CancellationToken) -> Result<(), log::Error> {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(MAINTENANCE) => {}
        }
        let (log, now) = (Arc::clone(&log), clock());
        match tokio::task::spawn_blocking(move || log.maintain(now)).await {
            Ok(Ok(trimmed)) => tracing::info!(old = trimmed.old, replaced = trimmed.replaced, "log maintained"),
            Ok(Err(error)) => return Err(error),
            // Ends the process: a panic here is a bug, and an unmaintained log fills the disk.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
