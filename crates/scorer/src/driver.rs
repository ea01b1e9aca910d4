//! The thread that polls the log and hands records to the partitions' folds.
//!
//! A partition that fails does not stop the others: it is paused, told as a trouble, and opened again after a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use log::{Log, Polled, Subscription, Topic};
use model::{CustomerId, Offset, PartitionId};
use policy::Policy;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::handle::Question;
use crate::lag::LagWatch;
use crate::metrics::Metrics;
use crate::opener::{Opener, Order, copy_of, remove, sweep};
use crate::partition::PartitionTask;
use crate::store::{folder_of, partitions_in};
use crate::uploader::{Copied, Uploader, wait_for};
use crate::watched::Watched;
use crate::{Error, Troubles};

/// The group that the scorers of one Weir form.
const GROUP: &str = "weir-scorer";
/// How long a poll waits: the longest a question or a shutdown waits, too.
const POLL: Duration = Duration::from_millis(50);
/// How long folded records may stay uncommitted while nothing is said.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// How long a partition that failed waits before it is opened again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long giving partitions up may take: once for publishing what was said, and once for storing checkpoints.
const GIVING_UP: Duration = Duration::from_secs(10);

/// A partition that is this scorer's.
#[derive(Debug)]
enum Owned {
    /// Being opened, on a thread of its own.
    Opening(Order),
    /// Folding. Boxed because it is large, and the others are not.
    Folding(Box<PartitionTask>),
    /// Failed, and to be opened again then.
    Failed(Instant),
}

type Opened = (PartitionId, Order, Result<(PartitionTask, Offset), Error>);

/// Drives all partitions of this scorer.
pub(crate) struct Driver {
    config: Config,
    count: log::PartitionCount,
    opener: Opener,
    metrics: Metrics,
    troubles: Troubles,
    _lag: LagWatch,
    subscription: Box<dyn Subscription>,
    uploader: Option<Uploader>,
    owned: BTreeMap<PartitionId, Owned>,
    /// Partitions on whose state a thread is at work, also one whose order was called off.
    opening: BTreeSet<PartitionId>,
    /// When the next copy of each partition is due.
    copies: BTreeMap<PartitionId, Instant>,
    /// Whether each partition's latest copy is stored yet.
    storing: BTreeMap<PartitionId, Receiver<()>>,
    /// States of partitions that are not this scorer's, and when they go.
    leftovers: BTreeMap<PartitionId, Instant>,
    opened: (Sender<Opened>, Receiver<Opened>),
    asked: Receiver<Question>,
}

impl Driver {
    pub(crate) fn new(
        config: Config,
        log: Arc<dyn Log>,
        policy: Arc<Policy>,
        watched: Watched,
        asked: Receiver<Question>,
    ) -> Result<Self, Error> {
        let subscription = log.subscribe(Topic::Events, GROUP).map_err(Error::log("subscribing to the events"))?;
        let checkpoints = match config.checkpoints.clone() {
            Some(store) => Some(store.of_log(&log.identity().map_err(Error::log("asking what log it is"))?)),
            None => None,
        };
        let start = |checkpoints| Uploader::start(checkpoints, watched.clone());
        let uploader = checkpoints.clone().map(start).transpose()?;
        let count = log.partitions();
        let lag = LagWatch::start(Arc::clone(&log), watched.metrics.clone(), Arc::clone(&watched.clock))?;
        let Watched { metrics, troubles, .. } = watched;
        let (root, budget) = (config.state.clone(), config.budget);
        let opener = Opener { root, budget, policy, metrics: metrics.clone(), log, checkpoints };
        sweep(&config.state);
        let gone = Instant::now() + config.grace;
        let leftovers = partitions_in(&config.state).into_iter().map(|id| (id, gone)).collect();
        Ok(Self {
            config,
            count,
            opener,
            metrics,
            troubles,
            _lag: lag,
            subscription,
            uploader,
            owned: BTreeMap::new(),
            opening: BTreeSet::new(),
            copies: BTreeMap::new(),
            storing: BTreeMap::new(),
            leftovers,
            opened: channel(),
            asked,
        })
    }

    /// Polls until `shutdown`, or until something fails that can't pass.
    pub(crate) fn run(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut looked = Instant::now();
        while !shutdown.is_cancelled() {
            self.step()?;
            if looked.elapsed() >= COMMIT_EVERY {
                self.look_after()?;
                looked = Instant::now();
            }
            self.answer();
        }
        let owned: Vec<_> = self.owned.keys().copied().collect();
        self.give_up(&owned, true)
    }

    fn step(&mut self) -> Result<(), Error> {
        match self.subscription.poll(POLL) {
            Ok(polled) => {
                self.troubles.end("log");
                self.take(polled)?;
            }
            Err(error) if error.may_pass() => self.troubles.tell("log", &error),
            Err(source) => return Err(Error::Log { doing: "polling the events", source }),
        }
        while let Ok(opened) = self.opened.1.try_recv() {
            self.begin(opened)?;
        }
        Ok(())
    }

    fn take(&mut self, polled: Polled) -> Result<(), Error> {
        match polled {
            Polled::Assigned(partitions) => partitions.into_iter().try_for_each(|id| self.open(id)),
            Polled::Revoked(partitions) => self.give_up(&partitions, true),
            Polled::Lost(partitions) => self.give_up(&partitions, false),
            Polled::Records(partition, records) => self.records(partition, &records),
            Polled::Idle => Ok(()),
        }
    }

    /// Begins to open a partition. It may take a while: the others go on.
    fn open(&mut self, id: PartitionId) -> Result<(), Error> {
        let order = Order::default();
        self.owned.insert(id, Owned::Opening(order.clone()));
        self.leftovers.remove(&id);
        // One that was called off may still be at work on the same folder: its end is waited for.
        if !self.opening.insert(id) {
            return Ok(());
        }
        let (opener, done) = (self.opener.clone(), self.opened.0.clone());
        let thread = std::thread::Builder::new().name(format!("open-{id}"));
        let open = move || {
            let opened = opener.open(id, &order);
            // Nobody waits any more where the process is ending.
            let _unheard = done.send((id, order, opened)).is_err();
        };
        thread.spawn(open).map(drop).map_err(|_| Error::Thread("that opens a partition could not be started"))
    }

    /// Takes a partition that was opened into use.
    fn begin(&mut self, (id, order, opened): Opened) -> Result<(), Error> {
        self.opening.remove(&id);
        let Some(Owned::Opening(wanted)) = self.owned.get(&id) else {
            // It was given up meanwhile, and is another's to show.
            self.metrics.forget(id);
            return Ok(());
        };
        if !wanted.is_same(&order) {
            drop(opened);
            return self.open(id);
        }
        let begun = opened.and_then(|(task, from)| {
            self.subscription.seek(id, from).map_err(Error::log("finding the state's place"))?;
            Ok((task, from))
        });
        match begun {
            Ok((task, from)) => {
                tracing::info!(partition = %id, offset = %from, "partition assigned");
                self.owned.insert(id, Owned::Folding(Box::new(task)));
                self.copies.insert(id, Instant::now() + self.config.checkpoint_interval);
                self.troubles.end(&about(id));
                Ok(())
            }
            Err(error) => self.fail(id, error),
        }
    }

    /// Keeps a partition from work that can't do it now; what can't pass ends the scorer. A damaged state is set aside: the
    /// next opening has it again.
    fn fail(&mut self, id: PartitionId, error: Error) -> Result<(), Error> {
        if !error.may_pass() {
            return Err(error);
        }
        self.troubles.tell(&about(id), &error);
        self.metrics.forget(id);
        // The state must be closed before it can be moved.
        self.owned.insert(id, Owned::Failed(Instant::now() + AGAIN));
        self.copies.remove(&id);
        if error.is_damage()
            && let Err(error) = self.opener.set_aside(id)
        {
            self.troubles.tell(&about(id), &error);
        }
        self.subscription.pause(id).map_err(Error::log("pausing a partition"))
    }

    /// Lets go of partitions: with a last checkpoint where they are still this scorer's, else as they are.
    fn give_up(&mut self, partitions: &[PartitionId], is_ours: bool) -> Result<(), Error> {
        let mut stored = Vec::new();
        // All of them together, however many: whoever stops Weir does not wait for ever.
        let deadline = Instant::now() + GIVING_UP;
        for id in partitions {
            self.copies.remove(id);
            self.troubles.end(&about(*id));
            self.leftovers.insert(*id, Instant::now() + self.config.grace);
            let mut task = match self.owned.remove(id) {
                Some(Owned::Folding(task)) => task,
                Some(Owned::Opening(order)) => {
                    order.call_off();
                    continue;
                }
                Some(Owned::Failed(_)) | None => continue,
            };
            self.metrics.forget(*id);
            if !is_ours {
                tracing::warn!(partition = %id, "partition lost to another");
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(partition = %id, "no time is left to put it in order: given up as it is");
                continue;
            }
            let settled = task.settle(left);
            let copied = settled.and_then(|()| self.copy(*id, &mut task));
            match copied {
                Ok(copied) => stored.extend(copied),
                Err(error) if error.may_pass() => {
                    tracing::warn!(partition = %id, error = &error as &dyn std::error::Error, "given up as it is");
                }
                Err(error) => return Err(error),
            }
            let next = task.next_offset();
            self.subscription.commit(*id, next).map_err(Error::log("telling how far it is"))?;
            tracing::info!(partition = %id, offset = %next, "partition given up");
        }
        wait_for(stored, GIVING_UP);
        Ok(())
    }

    fn records(&mut self, id: PartitionId, records: &[log::Stored]) -> Result<(), Error> {
        let Some(Owned::Folding(task)) = self.owned.get_mut(&id) else { return Ok(()) };
        let folded = task.fold(records);
        match folded {
            Ok(()) if task.wants_commit() => self.commit(id),
            Ok(()) => Ok(()),
            Err(error) => self.fail(id, error),
        }
    }

    fn commit(&mut self, id: PartitionId) -> Result<(), Error> {
        let Some(Owned::Folding(task)) = self.owned.get_mut(&id) else { return Ok(()) };
        if let Err(error) = task.commit() {
            return self.fail(id, error);
        }
        let next = task.next_offset();
        self.subscription.commit(id, next).map_err(Error::log("telling how far it is"))
    }

    /// What is done now and then: commits, checkpoints, another try with what failed, and tidying up.
    fn look_after(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let ids: Vec<_> = self.owned.keys().copied().collect();
        for id in ids {
            match self.owned.get(&id) {
                Some(Owned::Failed(again)) if *again <= now => self.open(id)?,
                Some(Owned::Folding(_)) => self.commit(id)?,
                _ => {}
            }
        }
        let due: Vec<_> = self.copies.iter().filter(|(_, due)| **due <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.copies.insert(id, now + self.config.checkpoint_interval);
            // A store that is slow or away is not given more and more: each copy holds disk space until it is stored.
            if self.storing.get(&id).is_some_and(|stored| stored.try_recv() == Err(TryRecvError::Empty)) {
                continue;
            }
            let Some(Owned::Folding(mut task)) = self.owned.remove(&id) else { continue };
            let copied = self.copy(id, &mut task);
            self.owned.insert(id, Owned::Folding(task));
            match copied {
                Ok(Some(stored)) => drop(self.storing.insert(id, stored)),
                Ok(None) => {}
                Err(error) => self.fail(id, error)?,
            }
        }
        self.tidy(now);
        self.show();
        Ok(())
    }

    /// Shows what is told of all partitions together, and how large their states are.
    fn show(&self) {
        let (mut cached, mut unpublished) = (0, 0);
        for (_, task) in self.tasks() {
            cached += task.cached();
            unpublished += task.unpublished();
            task.show_size();
        }
        self.metrics.cached.set(i64::try_from(cached).unwrap_or(i64::MAX));
        self.metrics.unpublished.set(i64::try_from(unpublished).unwrap_or(i64::MAX));
    }

    /// Copies a state and has the copy stored.
    fn copy(&self, id: PartitionId, task: &mut PartitionTask) -> Result<Option<Receiver<()>>, Error> {
        let Some(uploader) = &self.uploader else { return Ok(None) };
        let folder = copy_of(&self.config.state, id, task.next_offset());
        remove(&folder)?;
        task.copy_to(&folder)?;
        Ok(Some(uploader.store(Copied { partition: id, offset: task.next_offset(), folder })))
    }

    /// Removes states that have been another's for long enough.
    fn tidy(&mut self, now: Instant) {
        let is_gone = |(id, at): &(&PartitionId, &Instant)| **at <= now && !self.opening.contains(id);
        let gone: Vec<_> = self.leftovers.iter().filter(is_gone).map(|(id, _)| *id).collect();
        for id in gone {
            self.leftovers.remove(&id);
            match remove(&folder_of(&self.config.state, id)) {
                Ok(()) => tracing::info!(partition = %id, "the state of a partition that another has is removed"),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a state is left behind"),
            }
        }
    }

    fn tasks(&self) -> impl Iterator<Item = (PartitionId, &PartitionTask)> {
        self.owned.iter().filter_map(|(id, owned)| match owned {
            Owned::Folding(task) => Some((*id, task.as_ref())),
            Owned::Opening(_) | Owned::Failed(_) => None,
        })
    }

    fn answer(&self) {
        // Who asks about a partition of another scorer gets no answer, and whoever asked may have gone.
        while let Ok(question) = self.asked.try_recv() {
            let _unheard = match question {
                Question::Customer(customer, answer) => {
                    self.view(&customer).is_some_and(|view| answer.send(view).is_err())
                }
                Question::Policy(answer) => {
                    self.tasks().next().is_some_and(|(_, task)| answer.send(task.policy()).is_err())
                }
            };
        }
    }

    fn view(&self, customer: &CustomerId) -> Option<Option<model::CustomerView>> {
        let partition = log::partition_of(customer.as_str().as_bytes(), self.count);
        let Some(Owned::Folding(task)) = self.owned.get(&partition) else { return None };
        // What is wrong with the state is told, and mended, when a record meets it.
        let told = |error: &Error| {
            tracing::warn!(error = error as &dyn std::error::Error, %customer, "a customer can't be shown");
        };
        task.view(customer).inspect_err(told).ok()
    }
}

/// What `Troubles` call a partition.
fn about(id: PartitionId) -> String {
    format!("partition {id}")
}
