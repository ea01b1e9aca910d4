//! One hook: reads, tries, and keeps how far it is.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Append, Candidacy, Log, Producer, Stored, Topic};
use model::{Millis, Timestamp};
use rand::RngExt as _;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::feed::{self, Fed, Fitted};
use crate::memory;
use crate::metrics::Metrics;
use crate::post::{Answer, Poster};
use crate::progress::{News, Progress, Retry, Source, Spot};
use crate::queue::{Delivery, Queue};
use crate::told::Told;
use crate::{Clock, Error, Hook};

/// Tries that run at once: an endpoint that does not answer holds up as many customers, for one time-out.
const AT_ONCE: usize = 8;
/// How long tries that run at the end may take, before they are left to whoever goes on.
const ENDING: Duration = Duration::from_secs(3);
/// How often the time is looked at, which may jump.
const LOOKING: Millis = Millis::seconds(1);
/// What is done is kept no more often than this; what a crash forgets is delivered again.
const KEEPING: Duration = Duration::from_secs(1);
/// Records that are nothing for the hook and need not be kept as read.
const PASSED: u32 = 1_000;
/// After so many failures on end a success means that the endpoint is back.
const OUTAGE: u32 = 5;
/// How soon a dead letter is tried again that the log did not take.
const AGAIN: Millis = Millis::seconds(5);

/// What the hooks of a process share.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) producer: Arc<dyn Producer>,
    pub(crate) candidacy: Arc<dyn Candidacy>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
}

/// Why a hook ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was asked to.
    Shutdown,
    /// Its endpoint said that it is gone.
    Gone,
}

/// Delivers to one endpoint.
pub(crate) struct Worker {
    house: House,
    hook: Arc<Hook>,
    poster: Poster,
    progress: Progress,
    queue: Queue,
    /// Whether something is to be kept, and when that was last done.
    is_changed: bool,
    kept: Instant,
    /// Records that were nothing for the hook since then.
    passed: u32,
    /// Before this the endpoint wants to be left alone.
    pause_until: Timestamp,
    /// On end.
    failures: u32,
}

struct Tried {
    delivery: Delivery,
    answer: Answer,
}

impl Worker {
    /// A worker that goes on where the hook was; `None` for a new one, which begins with what comes from now on.
    pub(crate) fn new(house: House, hook: Arc<Hook>, poster: Poster, progress: Option<Progress>) -> Self {
        Self {
            house,
            hook,
            poster,
            progress: progress.unwrap_or_default(),
            queue: Queue::default(),
            is_changed: false,
            kept: Instant::now(),
            passed: 0,
            pause_until: Timestamp::default(),
            failures: 0,
        }
    }

    /// Delivers until `shutdown`, or until the endpoint says that it is gone.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Result<End, Error> {
        let mut fed = self.begin().await?;
        let mut tries = JoinSet::new();
        let ended = loop {
            self.start_due(&mut tries);
            let is_room = self.queue.len() < self.hook.most_waiting;
            let idle = self.idle(tries.len());
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break End::Shutdown,
                Some(tried) = tries.join_next() => {
                    if self.settle(tried.map_err(|_| Error::Panicked)?).await?.is_break() {
                        break End::Gone;
                    }
                }
                fed = fed.recv(), if is_room => self.take(fed.ok_or(Error::ReaderEnded)?)?,
                () = tokio::time::sleep(idle) => {}
            }
            self.gauge();
            if self.is_changed && self.kept.elapsed() >= KEEPING {
                self.keep().await?;
            }
        };
        drop(fed);
        self.finish(tries).await?;
        Ok(ended)
    }

    /// Opens what is read. A new hook's beginning is kept first, so that no crash moves it.
    async fn begin(&mut self) -> Result<Receiver<Fed>, Error> {
        let (log, progress) = (Arc::clone(&self.house.log), std::mem::take(&mut self.progress));
        let fitted = tokio::task::spawn_blocking(move || feed::fit(log.as_ref(), progress));
        let Fitted { progress, is_new } = fitted.await.map_err(|_| Error::Panicked)??;
        self.progress = progress.clone();
        if is_new {
            self.append(memory::progress(&self.hook.name, &self.progress, (self.house.clock)())?).await?;
        }
        let log = Arc::clone(&self.house.log);
        let opened = tokio::task::spawn_blocking(move || feed::open(log.as_ref(), &progress));
        opened.await.map_err(|_| Error::Panicked)?
    }

    /// Takes in a record.
    fn take(&mut self, fed: Fed) -> Result<(), Error> {
        let (topic, stored) = fed.map_err(|source| Error::Log { doing: "reading what hooks are told", source })?;
        let spot = spot_of(topic, &stored);
        let retry = match self.progress.read(spot) {
            News::Old => return Ok(()),
            News::Waiting(retry) => retry,
            News::New => Retry { tries: 0, due: (self.house.clock)() },
        };
        match Told::read(topic, &stored.record) {
            Ok(Some(told)) if told.is_for(&self.hook) => {
                self.queue.put(Delivery { spot, told, retry });
                self.is_changed = true;
            }
            Ok(_) => {
                self.passed += 1;
                self.is_changed |= self.passed >= PASSED;
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                hook = %self.hook.name,
                offset = %spot.offset,
                topic = topic.name(),
                "a record is unreadable and left out"
            ),
        }
        Ok(())
    }

    /// Starts tries of what is due, as long as the office is held: one that was frozen may have been replaced.
    fn start_due(&mut self, tries: &mut JoinSet<Tried>) {
        let now = (self.house.clock)();
        while tries.len() < AT_ONCE && now >= self.pause_until && self.house.candidacy.holds_office() {
            let Some(delivery) = self.queue.start(now) else { return };
            let (poster, hook) = (self.poster.clone(), Arc::clone(&self.hook));
            tries.spawn(async move {
                let answer = poster.post(&hook, &delivery.told, now).await;
                Tried { delivery, answer }
            });
        }
    }

    /// How long nothing happens by itself.
    fn idle(&self, trying: usize) -> Duration {
        let due = self.queue.next_due().filter(|_| trying < AT_ONCE).map(|due| due.max(self.pause_until));
        let until = due.map_or(LOOKING, |due| due.since((self.house.clock)()).min(LOOKING));
        // Who does not hold the office does not turn in circles over what is due.
        let least = if self.house.candidacy.holds_office() { Millis::ZERO } else { LOOKING };
        Duration::from_millis(u64::try_from(until.max(least).get()).unwrap_or(0))
    }

    /// Learns what came of a try; breaks where the endpoint is gone.
    async fn settle(&mut self, tried: Tried) -> Result<ControlFlow<()>, Error> {
        let Tried { delivery, answer } = tried;
        let customer = delivery.told.customer();
        self.is_changed = true;
        match answer {
            Answer::Taken => self.taken(&delivery),
            Answer::Gone => {
                self.count("gone");
                // Not counted as a try: nothing is lost, whoever turns the hook on again has it all.
                self.queue.again(customer, delivery.retry);
                return Ok(ControlFlow::Break(()));
            }
            Answer::Failed { said, pause } => {
                self.count("failed");
                self.failures = self.failures.saturating_add(1);
                self.failed(delivery, &said, pause).await?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn taken(&mut self, delivery: &Delivery) {
        let now = (self.house.clock)();
        self.count("delivered");
        let took = u64::try_from(now.since(delivery.told.at()).get()).unwrap_or(0);
        let delivered = self.house.metrics.delivered.with_label_values(&[self.hook.name.as_str()]);
        delivered.observe(Duration::from_millis(took).as_secs_f64());
        self.queue.done(delivery.told.customer());
        if self.failures >= OUTAGE {
            tracing::info!(hook = %self.hook.name, "the endpoint is back: what waits is tried now");
            self.queue.bring_forward(now);
        }
        self.failures = 0;
    }

    async fn failed(&mut self, delivery: Delivery, said: &str, pause: Option<Millis>) -> Result<(), Error> {
        let (now, tries) = ((self.house.clock)(), delivery.retry.tries.saturating_add(1));
        if let Some(pause) = pause {
            self.pause_until = self.pause_until.max(now + pause);
        }
        let luck = rand::rng().random_range(0.0..1.0);
        let Some(wait) = self.hook.schedule.wait(tries, luck) else {
            return self.give_up(delivery, tries, said).await;
        };
        let (hook, id) = (&self.hook.name, delivery.told.id());
        tracing::debug!(%hook, id, tries, said, "a delivery failed and is tried again");
        let due = (now + wait).max(self.pause_until);
        self.queue.again(delivery.told.customer(), Retry { tries, due });
        Ok(())
    }

    /// Puts a delivery that failed for the last time where it can be found.
    async fn give_up(&mut self, mut delivery: Delivery, tries: u32, said: &str) -> Result<(), Error> {
        let (now, before) = ((self.house.clock)(), delivery.retry);
        delivery.retry.tries = tries;
        let (hook, id, customer) = (self.hook.name.clone(), delivery.told.id(), delivery.told.customer());
        match self.append(memory::dead_letter(&hook, &delivery, said, now)?).await {
            Ok(()) => {}
            Err(error) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, %hook, id, "a dead letter is not kept yet");
                self.queue.again(customer, Retry { due: now + AGAIN, ..before });
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        tracing::warn!(
            %hook,
            id,
            tries,
            said,
            target = %self.hook.target,
            "a delivery is given up and not tried again: see to the endpoint, and have it ask /v1/decisions for what it missed"
        );
        self.count("given_up");
        self.house.metrics.dead_letters.with_label_values(&[hook.as_str()]).inc();
        self.queue.done(customer);
        Ok(())
    }

    /// Lets tries that run come to their end, and keeps how far the hook is.
    async fn finish(&mut self, mut tries: JoinSet<Tried>) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + ENDING;
        while let Ok(Some(tried)) = tokio::time::timeout_at(deadline, tries.join_next()).await {
            // What an endpoint that is gone says again changes nothing.
            let _gone = self.settle(tried.map_err(|_| Error::Panicked)?).await?;
        }
        if self.house.candidacy.holds_office() { self.keep().await } else { Ok(()) }
    }

    /// Keeps how far the hook is, in the log. Where that fails for now, it is done again later.
    async fn keep(&mut self) -> Result<(), Error> {
        let mut progress = self.progress.clone();
        progress.waiting.extend(self.queue.waiting());
        self.kept = Instant::now();
        match self.append(memory::progress(&self.hook.name, &progress, (self.house.clock)())?).await {
            Ok(()) => {
                (self.is_changed, self.passed) = (false, 0);
                Ok(())
            }
            Err(error) if error.may_pass() => {
                let (error, hook) = (&error as &dyn std::error::Error, &self.hook.name);
                tracing::warn!(error, %hook, "how far a hook is can't be kept yet; a crash now would deliver again");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn append(&self, append: Append) -> Result<(), Error> {
        let failed = |source| Error::Log { doing: "keeping how far a hook is", source };
        self.house.producer.append(vec![append]).await.map_err(failed)
    }

    fn count(&self, outcome: &str) {
        self.house.metrics.deliveries.with_label_values(&[self.hook.name.as_str(), outcome]).inc();
    }

    fn gauge(&self) {
        let waiting = i64::try_from(self.queue.len()).unwrap_or(i64::MAX);
        self.house.metrics.waiting.with_label_values(&[self.hook.name.as_str()]).set(waiting);
    }
}

const fn spot_of(topic: Topic, stored: &Stored) -> Spot {
    Spot { source: Source { topic, partition: stored.position.partition }, offset: stored.position.offset }
}
