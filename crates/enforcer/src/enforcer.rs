//! The loop: hear, look, act, record.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use log::{Append, Candidacy, Log};
use model::{
    Answer, Broken, CustomerId, EnforcementKey, EnforcerStatus, InForce, PartitionId, Stage, Standing, Switch,
    Timestamp,
};
use sendgrid::api::Client;
use telemetry::{Registry, Role, Span, TraceParent};
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::action::Action;
use crate::breaker::Breaker;
use crate::case::{self, Case};
use crate::catch::Catch;
use crate::heard::{self, Ears, Heard};
use crate::mail_watch::{MailWatch, Watched};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::observation::{Observation, Recent};
use crate::placement::Placement;
use crate::plan::Call;
use crate::queue::Queue;
use crate::reconcile::PoolNames;
use crate::stray::Stray;
use crate::sweep::Sweep;
use crate::{Clock, Config, Error};

/// How often the metrics are told at most: they count all that is remembered.
const TELLING: Duration = Duration::from_millis(250);
/// How often one who does not act looks whether it shall.
const LOOKING: Duration = Duration::from_secs(1);

/// Makes SendGrid's state equal to the standings.
#[derive(Debug)]
pub struct Enforcer {
    pub(crate) config: Config,
    pub(crate) pools: PoolNames,
    pub(crate) client: Option<Client>,
    log: Arc<dyn Log>,
    clock: ClockHolder,
    pub(crate) metrics: Metrics,
    pub(crate) standings: BTreeMap<CustomerId, Standing>,
    /// The sampled traces of standings that are yet to be carried out.
    traces: BTreeMap<CustomerId, TraceParent>,
    pub(crate) answers: BTreeMap<CustomerId, Answer>,
    /// The mail of each partition's customers in 24 hours.
    shares: BTreeMap<PartitionId, u64>,
    pub(crate) memory: Memory,
    pub(crate) catch: Catch,
    pub(crate) breaker: Breaker,
    pub(crate) recent: Recent,
    pub(crate) queue: Queue,
    pub(crate) sweep: Option<Sweep>,
    /// Whose mail is watched.
    pub(crate) watched: Watched,
    /// Mail that left elsewhere, to be told.
    pub(crate) strays: VecDeque<(CustomerId, Stray)>,
    /// Actions that the log has not taken yet.
    unrecorded: VecDeque<Append>,
    /// For which standing something was said that need not be said again at every pass.
    said: BTreeMap<CustomerId, InForce>,
    candidacy: Box<dyn Candidacy>,
    /// Since when it is in office; before, somebody else may have acted.
    pub(crate) office_since: Option<Instant>,
    pub(crate) switch: watch::Receiver<Option<Switch>>,
    status: EnforcerStatus,
}

struct ClockHolder(Clock);

impl std::fmt::Debug for ClockHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Enforcer {
    /// An enforcer; without a client it can only say what it would do for customers that need no look at SendGrid.
    ///
    /// # Errors
    ///
    /// [`Error::NoClient`] where a mode is not shadow and there is no client, and where a metric's name is taken.
    pub fn new(
        config: Config,
        client: Option<Client>,
        log: Arc<dyn Log>,
        clock: Clock,
        registry: &Registry,
    ) -> Result<Self, Error> {
        if !config.modes.is_all_shadow() && client.is_none() {
            return Err(Error::NoClient);
        }
        let pools = PoolNames {
            home: config.home_pool.clone(),
            quarantine: config.quarantine_pool.clone(),
            dedicated: config.placements.dedicated_ips(),
        };
        let candidacy =
            log.stand_for("enforcer").map_err(|source| Error::Log { doing: "standing for its office", source })?;
        let status = EnforcerStatus { modes: config.modes.clone(), ..EnforcerStatus::default() };
        Ok(Self {
            pools,
            client,
            memory: Memory::new(log.producer()),
            log,
            clock: ClockHolder(clock),
            metrics: Metrics::register(registry)?,
            standings: BTreeMap::new(),
            traces: BTreeMap::new(),
            answers: BTreeMap::new(),
            shares: BTreeMap::new(),
            catch: Catch::default(),
            breaker: Breaker::new(config.breaker_wait),
            recent: Recent::new(config.settling),
            queue: Queue::default(),
            sweep: None,
            watched: Watched::default(),
            strays: VecDeque::new(),
            unrecorded: VecDeque::new(),
            said: BTreeMap::new(),
            candidacy,
            office_since: None,
            switch: watch::channel(None).1,
            status,
            config,
        })
    }

    /// Hears standings until `shutdown`, and works while it holds the office: of several enforcers one acts.
    ///
    /// # Errors
    ///
    /// Where the log can't be read or written. What SendGrid refuses is recorded and tried again.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        let (log, until) = (Arc::clone(&self.log), shutdown.clone());
        let mail = MailWatch { watched: self.watched.clone(), strays: self.metrics.strays.clone() };
        let opened = tokio::task::spawn_blocking(move || heard::listen(log.as_ref(), mail, &until)).await;
        let Ears { mut heard, switch } = opened.map_err(|_| Error::ReaderEnded)??;
        self.switch = switch;
        self.catch_up(&mut heard, &shutdown).await?;
        let mut sweeps = tokio::time::interval(self.config.sweep_interval);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Instant::now();
        while !shutdown.is_cancelled() {
            let is_busy = self.is_in_office().await? && self.work().await?;
            // Whoever is due is served in turn with what is heard, so that something stricter goes first.
            let idle = Instant::now() + self.config.sweep_interval.min(LOOKING);
            let due = if is_busy { Instant::now() } else { self.queue.due().map_or(idle, |due| due.min(idle)) };
            let due = if self.office_since.is_some() { due } else { idle };
            tokio::select! {
                // The readers end at shutdown too, which is no failure.
                biased;
                () = shutdown.cancelled() => {}
                heard = heard.recv() => self.hear(heard.ok_or(Error::ReaderEnded)?)?,
                _ = sweeps.tick() => self.begin_sweep().await,
                () = tokio::time::sleep_until(due) => {}
            }
            if told.elapsed() >= TELLING {
                self.tell_metrics();
                told = Instant::now();
            }
        }
        Ok(())
    }

    async fn catch_up(&mut self, heard: &mut Receiver<Heard>, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut behind = heard::TOPICS.len();
        while behind > 0 {
            let heard = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                heard = heard.recv() => heard.ok_or(Error::ReaderEnded)?,
            };
            behind -= usize::from(matches!(heard, Heard::CaughtUp));
            self.hear(heard)?;
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard) -> Result<(), Error> {
        match heard {
            Heard::Standing(standing, trace) => {
                self.follow_trace(&standing, trace);
                if self.concerns(&standing) {
                    self.queue.put(&standing.customer, standing.severity());
                }
                self.standings.insert(standing.customer.clone(), *standing);
            }
            Heard::Answer(answer) => {
                self.look_again(&answer.customer);
                self.answers.insert(answer.customer.clone(), *answer);
            }
            Heard::Switch => {
                let held: Vec<_> = self.memory.all().filter(|case| case.held.is_some()).map(Case::id).collect();
                held.iter().for_each(|customer| self.look_again(customer));
            }
            Heard::Share(partition, sent) => {
                self.shares.insert(partition, sent);
            }
            Heard::Stray(customer, stray) => self.strays.push_back((customer, stray)),
            Heard::CaughtUp => {}
            Heard::Ended => return Err(Error::ReaderEnded),
        }
        Ok(())
    }

    /// Keeps the trace that made a standing so, while it is the same standing.
    fn follow_trace(&mut self, standing: &Standing, trace: Option<TraceParent>) {
        let known = self.standings.get(&standing.customer);
        match trace {
            Some(trace) if self.concerns(standing) => drop(self.traces.insert(standing.customer.clone(), trace)),
            None if known.is_some_and(|known| InForce::of(known).is(standing)) => {}
            _ => drop(self.traces.remove(&standing.customer)),
        }
    }

    /// Whoever was never moved is as SendGrid has it: nothing to look at.
    fn concerns(&self, standing: &Standing) -> bool {
        standing.severity() > Stage::Watch || self.memory.get(&standing.customer).is_some()
    }

    pub(crate) fn look_again(&mut self, customer: &CustomerId) {
        if let Some(standing) = self.standings.get(customer) {
            self.queue.put(customer, standing.severity());
        }
    }

    /// Whether it acts: in office, and knowing what was done before.
    async fn is_in_office(&mut self) -> Result<bool, Error> {
        if !self.candidacy.holds_office() {
            self.office_since = None;
            if self.record_the_rest().await.is_err() {
                tracing::warn!("actions that were done are not recorded yet");
            }
            self.sweep = None;
            self.watched.clear();
            self.strays.clear();
            return Ok(false);
        }
        if self.office_since.is_some() {
            return Ok(true);
        }
        match self.take_office().await {
            Ok(()) => Ok(true),
            Err(Error::Log { source: error, .. }) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "what was done before can't be read yet");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Learns what was done before, and queues what is left to do.
    async fn take_office(&mut self) -> Result<(), Error> {
        self.memory.learn(&self.log).await?;
        for case in self.memory.all() {
            if let Some((passed, sent)) = case.passed.as_ref().and_then(|passed| Some((passed, passed.counted?))) {
                self.catch.note(&case.customer, passed.at, sent);
            }
        }
        for case in self.memory.all() {
            let placement = self.placement_of(&case.customer);
            // The others' places are looked at by the sweep.
            if let (Placement::Route, Some(in_force)) = (&placement, &case.in_force) {
                self.watch_mail(in_force, &case.customer, &Observation::default());
            }
        }
        self.queue = Queue::default();
        let mut traces = std::mem::take(&mut self.traces);
        for standing in self.standings.values() {
            let case = self.memory.get(&standing.customer);
            let is_former = self.is_at_former_place(&standing.customer);
            let is_done = case.is_some_and(|case| case.is_carried(standing) && case.held.is_none() && !is_former);
            if !is_done && (case.is_some() || standing.severity() > Stage::Watch) {
                self.queue.put(&standing.customer, standing.severity());
                // What is done already ends no trace a second time.
                if let Some(trace) = traces.remove(&standing.customer) {
                    self.traces.insert(standing.customer.clone(), trace);
                }
            }
        }
        self.say_status().await?;
        self.check_scopes().await?;
        self.office_since = Some(Instant::now());
        self.begin_sweep().await;
        Ok(())
    }

    /// Serves the next customer that is due, or goes on with the sweep; whether there was anything to do.
    async fn work(&mut self) -> Result<bool, Error> {
        let customer = self.queue.next();
        match self.serve(customer.as_ref()).await {
            // What the log can't record now is tried again.
            Err(Error::Log { source: error, .. }) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "something is not recorded yet");
                match &customer {
                    Some(customer) => self.queue.again(customer),
                    None => tokio::time::sleep(TELLING).await,
                }
                Ok(true)
            }
            other => other,
        }
    }

    async fn serve(&mut self, customer: Option<&CustomerId>) -> Result<bool, Error> {
        self.record_the_rest().await?;
        self.tell_strays().await?;
        match customer {
            Some(customer) => self.attend(customer).await.map(|()| true),
            None => Ok(self.go_on_sweeping().await),
        }
    }

    /// A span that continues the trace of a customer's standing, where it is sampled.
    pub(crate) fn span(&self, customer: &CustomerId, name: &'static str) -> Option<Span> {
        let mut span = self.config.tracing.go_on(self.traces.get(customer)?, name, Role::Client)?;
        span.say("weir.customer", customer.to_string());
        Some(span)
    }

    /// What comes of a customer's standing from now on is no longer part of its trace.
    pub(crate) fn end_trace(&mut self, customer: &CustomerId) {
        self.traces.remove(customer);
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// Whether calls may be made at this very moment: a process that was frozen may have been replaced meanwhile, and the
    /// switch counts at once.
    pub(crate) fn may_call(&self) -> bool {
        self.candidacy.holds_office() && !self.switch.borrow().as_ref().is_some_and(|switch| switch.paused)
    }

    /// From when on a look shows all that others may have done before it came to office.
    pub(crate) fn settles(&self) -> Instant {
        self.office_since.unwrap_or_else(Instant::now) + self.config.settling
    }

    /// The mail of all customers in 24 hours, once every partition has told its share.
    pub(crate) fn fleet_24h(&self) -> Option<u64> {
        let is_told = self.shares.len() >= usize::try_from(self.log.partitions().get()).unwrap_or(usize::MAX);
        is_told.then(|| self.shares.values().sum())
    }

    /// What the key lacks for what is configured.
    pub(crate) async fn say_missing_scopes(&mut self, missing: BTreeMap<String, Vec<String>>) -> Result<(), Error> {
        self.status.missing_scopes = missing;
        self.say_status().await
    }

    /// The breaker has opened, or closed.
    pub(crate) async fn say_broken(&mut self, reason: Option<String>) -> Result<(), Error> {
        let since = self.now();
        self.status.breaker = reason.map(|reason| Broken { since, reason });
        self.say_status().await
    }

    async fn say_status(&self) -> Result<(), Error> {
        match serde_json::to_vec(&self.status) {
            Ok(value) => self.memory.append(case::record(&EnforcementKey::Status, self.now(), value.into())).await,
            Err(error) => {
                tracing::error!(%error, "the enforcer's status can't be written as JSON");
                Ok(())
            }
        }
    }

    /// Records an action. What the log does not take now is recorded before anything else is done.
    pub(crate) async fn record(&mut self, action: Action) -> Result<(), Error> {
        let call = action.request.as_ref().map_or("none", Call::name);
        self.metrics.actions.with_label_values(&[call, action.outcome.name()]).inc();
        match action.append() {
            Ok(append) => self.unrecorded.push_back(append),
            Err(error) => tracing::error!(%error, "an action can't be written as JSON"),
        }
        self.record_the_rest().await
    }

    async fn record_the_rest(&mut self) -> Result<(), Error> {
        while let Some(append) = self.unrecorded.front().cloned() {
            self.memory.append(append).await?;
            self.unrecorded.pop_front();
        }
        Ok(())
    }

    /// Whether nothing was said of this standing yet.
    pub(crate) fn is_news(&self, standing: &Standing) -> bool {
        !self.said.get(&standing.customer).is_some_and(|said| said.is(standing))
    }

    pub(crate) fn note_said(&mut self, standing: &Standing) {
        self.said.insert(standing.customer.clone(), InForce::of(standing));
    }

    /// Whoever is not in office knows only how it stood when it was: what is so is told by who is.
    fn tell_metrics(&self) {
        if self.office_since.is_none() {
            return self.metrics.tell_nothing();
        }
        let paused = self.switch.borrow().as_ref().is_some_and(|switch| switch.paused);
        let open = self.breaker.open_until(Instant::now()).is_some();
        self.metrics.tell(&self.memory, self.queue.len(), (paused, open));
    }
}
