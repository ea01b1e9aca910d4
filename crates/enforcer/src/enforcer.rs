//! The loop: hear, look, act, record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use log::{Candidacy, Log, Producer};
use model::{CustomerId, Mode, PoolName, Stage, Standing, Timestamp};
use prometheus::Registry;
use sendgrid::api::Client;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::heard::{self, Heard};
use crate::metrics::Metrics;
use crate::placement::Placement;
use crate::plan::{Call, Plan, SubuserState};
use crate::queue::Queue;
use crate::reconcile::{self, Looked, PoolNames};
use crate::{Action, Clock, Error, Outcome, Placements};

/// How often one who does not act looks whether it shall.
const LOOKING: Duration = Duration::from_secs(1);

/// Settings of the enforcer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether calls are made or only recorded.
    pub mode: Mode,
    /// How customers exist at SendGrid.
    pub placements: Placements,
    /// The pool of customers in good standing.
    pub home_pool: PoolName,
    /// The pool of quarantined ones.
    pub quarantine_pool: PoolName,
    /// How often everyone whom Weir has moved is looked at again, for changes made by others.
    pub sweep_interval: Duration,
}

/// Makes SendGrid's state equal to the standings.
#[derive(Debug)]
pub struct Enforcer {
    config: Config,
    pools: PoolNames,
    client: Option<Client>,
    log: Arc<dyn Log>,
    producer: Arc<dyn Producer>,
    clock: ClockHolder,
    metrics: Metrics,
    standings: BTreeMap<CustomerId, Standing>,
    /// Customers about whom something was done or held back: they are swept.
    touched: BTreeSet<CustomerId>,
    /// How subusers were before the first change.
    before: BTreeMap<CustomerId, SubuserState>,
    /// For which standing something was said that need not be said again at every pass.
    said: BTreeMap<CustomerId, (Stage, Timestamp)>,
    queue: Queue,
    candidacy: Box<dyn Candidacy>,
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
    /// [`Error::NoClient`] in mode enforce without a client, and where a metric's name is taken.
    pub fn new(
        config: Config,
        client: Option<Client>,
        log: Arc<dyn Log>,
        clock: Clock,
        registry: &Registry,
    ) -> Result<Self, Error> {
        if config.mode == Mode::Enforce && client.is_none() {
            return Err(Error::NoClient);
        }
        let pools = PoolNames {
            home: config.home_pool.clone(),
            quarantine: config.quarantine_pool.clone(),
            dedicated: config.placements.dedicated_ips(),
        };
        let candidacy =
            log.stand_for("enforcer").map_err(|source| Error::Log { doing: "standing for its office", source })?;
        Ok(Self {
            pools,
            client,
            producer: log.producer(),
            log,
            clock: ClockHolder(clock),
            metrics: Metrics::register(registry)?,
            standings: BTreeMap::new(),
            touched: BTreeSet::new(),
            before: BTreeMap::new(),
            said: BTreeMap::new(),
            queue: Queue::default(),
            candidacy,
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
        let opened = tokio::task::spawn_blocking(move || heard::standings(log.as_ref(), until)).await;
        let mut heard = opened.map_err(|_| Error::ReaderEnded)??;
        self.catch_up(&mut heard, &shutdown).await?;
        let mut sweep = tokio::time::interval(self.config.sweep_interval);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_in_office = false;
        while !shutdown.is_cancelled() {
            let is_in_office = self.candidacy.holds_office();
            // Whoever held it before may have acted.
            was_in_office = is_in_office && (was_in_office || self.take_office().await?);
            if was_in_office {
                self.serve().await?;
            }
            // Whoever is due is served in turn with what is heard, so that something stricter goes first.
            let idle = Instant::now() + self.config.sweep_interval.min(LOOKING);
            let due = self.queue.due().filter(|_| was_in_office).map_or(idle, |due| due.min(idle));
            tokio::select! {
                // The reader ends at shutdown too, which is no failure.
                biased;
                () = shutdown.cancelled() => {}
                heard = heard.recv() => self.hear(heard.ok_or(Error::ReaderEnded)?),
                _ = sweep.tick() => self.sweep(),
                () = tokio::time::sleep_until(due) => {}
            }
            self.metrics.pending.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    /// Serves the next customer that is due. What the log can't record now is tried again.
    async fn serve(&mut self) -> Result<(), Error> {
        let Some(customer) = self.queue.next() else { return Ok(()) };
        match self.reconcile(&customer).await {
            Err(Error::Log { source: error, .. }) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, %customer, "an action is not recorded yet");
                self.queue.failed(&customer);
                Ok(())
            }
            other => other,
        }
    }

    /// Learns what was done before, and looks at everyone whom it was done to; whether that succeeded.
    async fn take_office(&mut self) -> Result<bool, Error> {
        match self.remember().await {
            Ok(()) => {
                self.sweep();
                Ok(true)
            }
            Err(Error::Log { source: error, .. }) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "earlier actions can't be read yet");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Learns from earlier actions whom Weir has touched, and how they were before.
    async fn remember(&mut self) -> Result<(), Error> {
        let log = Arc::clone(&self.log);
        let read = tokio::task::spawn_blocking(move || heard::actions(log.as_ref())).await;
        for action in read.map_err(|_| Error::ReaderEnded)?? {
            if let Some(before) = action.before {
                self.before.entry(action.customer.clone()).or_insert(before);
            }
            self.touched.insert(action.customer);
        }
        Ok(())
    }

    async fn catch_up(&mut self, heard: &mut Receiver<Heard>, shutdown: &CancellationToken) -> Result<(), Error> {
        loop {
            let heard = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                heard = heard.recv() => heard.ok_or(Error::ReaderEnded)?,
            };
            let caught_up = matches!(heard, Heard::CaughtUp);
            self.hear(heard);
            if caught_up {
                return Ok(());
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        let Heard::Standing(standing) = heard else { return };
        // Who was never moved is as SendGrid has it: nothing to look at.
        if standing.stage > Stage::Watch || self.touched.contains(&standing.customer) {
            self.queue.put(&standing.customer, standing.stage);
        }
        self.standings.insert(standing.customer.clone(), *standing);
    }

    fn sweep(&mut self) {
        for customer in &self.touched {
            if let Some(standing) = self.standings.get(customer) {
                self.queue.put_again(customer, standing.stage);
            }
        }
    }

    async fn reconcile(&mut self, customer: &CustomerId) -> Result<(), Error> {
        let Some(standing) = self.standings.get(customer).cloned() else {
            let _unknown = self.queue.done(customer);
            return Ok(());
        };
        let placement = self.config.placements.of(customer);
        if placement == Placement::Route {
            return self.route(&standing).await;
        }
        let Some(client) = self.client.clone() else {
            self.say_once(&standing, Outcome::HeldBack, "no SendGrid API key is configured").await?;
            self.note_said(&standing);
            self.finish(customer);
            return Ok(());
        };
        let before = self.before.get(customer);
        match reconcile::look(&client, &self.pools, &placement, &standing, before).await {
            Ok(looked) => self.carry_out(&client, &standing, looked).await,
            Err(error) => {
                let mut action = self.action(&standing, Outcome::Failed, None);
                action.reason = Some(error.to_string());
                self.record(action).await?;
                self.queue.failed(customer);
                Ok(())
            }
        }
    }

    async fn route(&mut self, standing: &Standing) -> Result<(), Error> {
        self.say_once(standing, Outcome::Route, "the mailer asks for the pool to name").await?;
        self.note_said(standing);
        self.finish(&standing.customer);
        Ok(())
    }

    async fn carry_out(&mut self, client: &Client, standing: &Standing, looked: Looked) -> Result<(), Error> {
        let Looked { plan: Plan { calls, held_back }, found } = looked;
        for reason in &held_back {
            self.say_once(standing, Outcome::HeldBack, reason).await?;
        }
        if self.config.mode == Mode::Shadow {
            let calls = if self.is_news(standing) { calls } else { Vec::new() };
            for call in calls {
                self.record(self.action(standing, Outcome::Shadowed, Some(call))).await?;
            }
            self.note_said(standing);
            self.finish(&standing.customer);
            return Ok(());
        }
        for call in calls {
            // A process that was frozen may have been replaced meanwhile.
            if !self.candidacy.holds_office() || !self.call(client, standing, call, found.as_ref()).await? {
                self.queue.failed(&standing.customer);
                return Ok(());
            }
        }
        self.note_said(standing);
        self.finish(&standing.customer);
        Ok(())
    }

    /// Makes one call and records it; whether it succeeded.
    ///
    /// How the subuser was before Weir's first change is recorded before the call is made: a crash between the two must
    /// not lose the way back.
    async fn call(
        &mut self,
        client: &Client,
        standing: &Standing,
        call: Call,
        found: Option<&SubuserState>,
    ) -> Result<bool, Error> {
        if let Some(found) = found.filter(|_| !self.before.contains_key(&standing.customer)) {
            let mut action = self.action(standing, Outcome::Observed, None);
            action.before = Some(found.clone());
            action.reason = Some("how the subuser was before the first change".to_owned());
            self.record(action).await?;
            self.before.insert(standing.customer.clone(), found.clone());
        }
        let made = reconcile::make(client, &call).await;
        let outcome = if made.is_ok() { Outcome::Done } else { Outcome::Failed };
        let mut action = self.action(standing, outcome, Some(call));
        action.reason = made.as_ref().err().map(ToString::to_string);
        self.record(action).await?;
        Ok(made.is_ok())
    }

    fn action(&self, standing: &Standing, outcome: Outcome, request: Option<Call>) -> Action {
        Action { request, ..Action::new(standing, (self.clock.0)(), outcome) }
    }

    async fn record(&mut self, action: Action) -> Result<(), Error> {
        let call = action.request.as_ref().map_or("none", Call::name);
        self.metrics.actions.with_label_values(&[call, action.outcome.name()]).inc();
        let failed = |source| Error::Log { doing: "recording an action", source };
        match action.append() {
            Ok(append) => self.producer.append(vec![append]).await.map_err(failed)?,
            Err(error) => tracing::error!(%error, "an action can't be written as JSON"),
        }
        self.touched.insert(action.customer);
        Ok(())
    }

    /// Records something without a call, once for each standing.
    async fn say_once(&mut self, standing: &Standing, outcome: Outcome, reason: &str) -> Result<(), Error> {
        if !self.is_news(standing) {
            return Ok(());
        }
        let mut action = self.action(standing, outcome, None);
        action.reason = Some(reason.to_owned());
        self.record(action).await
    }

    fn is_news(&self, standing: &Standing) -> bool {
        self.said.get(&standing.customer) != Some(&(standing.stage, standing.since))
    }

    fn note_said(&mut self, standing: &Standing) {
        self.said.insert(standing.customer.clone(), (standing.stage, standing.since));
    }

    fn finish(&mut self, customer: &CustomerId) {
        if let Some(took) = self.queue.done(customer) {
            self.metrics.enforced.observe(took.as_secs_f64());
        }
    }
}
