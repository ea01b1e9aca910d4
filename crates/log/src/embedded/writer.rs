//! The one thread that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use super::batch::Batch;
use super::codec::size_of;
use super::encoded::Encoded;
use super::keys::Place;
use super::speakers::Speaker;
use super::store::Store;
use crate::seam::BoxFuture;
use crate::{Append, Error, Output, Producer, Published, Result, Route, partition_of};

/// Appends that may wait; their bytes are bounded apart.
const WAITING: usize = 4_096;
/// Bytes in one batch: beyond it, what waits goes into the next.
const BATCH_BYTES: usize = 16 << 20;
/// What is to be written.
enum Work {
    Append(Encoded),
    Publish(Speaker, Vec<Published>, Encoded),
}

/// Who waits for it: a future, or a thread.
enum Waiting {
    Future(oneshot::Sender<Result<()>>),
    Thread(SyncSender<Result<()>>),
}

struct Job {
    work: Work,
    bytes: usize,
    waiting: Waiting,
}

/// The writing thread; dropping it waits until everything that waits is written.
#[derive(Debug)]
pub(super) struct Writer {
    store: Arc<Store>,
    /// `None` only while it is dropped.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    in_flight: Arc<AtomicUsize>,
    bound: usize,
    state: watch::Receiver<State>,
}

impl Writer {
    pub(super) fn start(store: Arc<Store>, bound: usize) -> Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let (shown, state) = watch::channel(State::Writing);
        let mut thread = Thread { store: Arc::clone(&store), in_flight: Arc::clone(&in_flight), state: shown };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || thread.run(&waiting))
            .map_err(|source| store.failing(source))?;
        Ok(Self { store, jobs: Some(jobs), thread: Some(thread), in_flight, bound, state })
    }

    /// Resolves with the error when a write fails or the thread panics.
    pub(super) fn broken(&self) -> impl Future<Output = Error> + Send + use<> {
        let (mut state, store) = (self.state.clone(), Arc::downgrade(&self.store));
        async move {
            let ended = state.wait_for(|state| !matches!(state, State::Writing)).await.map(|state| state.clone());
            match (ended, store.upgrade()) {
                (Ok(State::Broken(broken)), Some(store)) => store.failing(broken),
                (Ok(_), _) => std::future::pending().await,
                (Err(_panicked), _) => Error::Closed,
            }
        }
    }

    /// Publishes outputs and waits until they are durable. Those who publish wait for their turn instead of being
    /// refused: they are as many as the partitions, and each has one batch under way.
    pub(super) fn publish(&self, speaker: Speaker, outputs: &[Output]) -> Result<()> {
        let partition = speaker.partition;
        let places =
            outputs.iter().map(|output| Published { sequence: output.sequence, said_at: output.said_at }).collect();
        let bytes = outputs.iter().map(|output| size_of(&output.record)).sum();
        let records = Encoded::new(outputs.iter().map(|output| ((output.topic, partition), &output.record)), bytes);
        let (done, answer) = sync_channel(1);
        let job = Job { work: Work::Publish(speaker, places, records), bytes, waiting: Waiting::Thread(done) };
        self.in_flight.fetch_add(bytes, Ordering::AcqRel);
        if self.jobs()?.send(job).is_err() {
            self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
            return Err(Error::Closed);
        }
        answer.recv().unwrap_or(Err(Error::Closed))
    }

    fn jobs(&self) -> Result<&SyncSender<Job>> {
        self.jobs.as_ref().ok_or(Error::Closed)
    }

    fn submit(&self, records: &[Append]) -> Result<oneshot::Receiver<Result<()>>> {
        let places = records.iter().map(|append| self.place(append)).collect::<Result<Vec<_>>>()?;
        let bytes = records.iter().map(|append| size_of(&append.record)).sum();
        self.admit(bytes)?;
        let records = Encoded::new(places.into_iter().zip(records.iter().map(|append| &append.record)), bytes);
        let (done, answer) = oneshot::channel();
        let job = Job { work: Work::Append(records), bytes, waiting: Waiting::Future(done) };
        self.jobs()?.try_send(job).map_err(|error| {
            self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
            match error {
                TrySendError::Full(_) => Error::Busy("too many appends wait to be written"),
                TrySendError::Disconnected(_) => Error::Closed,
            }
        })?;
        Ok(answer)
    }

    /// Takes room for `bytes`, or refuses; before anything is spent on them.
    fn admit(&self, bytes: usize) -> Result<()> {
        let before = self.in_flight.fetch_add(bytes, Ordering::AcqRel);
        // One append alone is always taken, however large: the receiver has bounded it already.
        if before > 0 && before + bytes > self.bound {
            self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
            return Err(Error::Busy("too many bytes wait to be written"));
        }
        Ok(())
    }

    fn place(&self, append: &Append) -> Result<Place> {
        let partition = match append.route {
            Route::To(partition) => self.store.known(partition).map(|()| partition)?,
            Route::ByKey => partition_of(&append.record.key, self.store.partitions()),
        };
        Ok((append.topic, partition))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's writing thread panicked");
        }
    }
}

impl Producer for Writer {
    fn append(&self, records: Vec<Append>) -> BoxFuture<'_, Result<()>> {
        if records.is_empty() {
            return Box::pin(std::future::ready(Ok(())));
        }
        let submitted = self.submit(&records);
        Box::pin(async move { submitted?.await.unwrap_or(Err(Error::Closed)) })
    }
}

/// A write that failed. What of it is on disk nobody knows until the log is opened anew, so nothing may be acknowledged
/// behind it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a write failed, and the log takes nothing more until it is opened anew")]
struct Broken {
    #[source]
    cause: Arc<Error>,
}

/// The state of the writing thread.
#[derive(Clone, Debug)]
enum State {
    Writing,
    /// A write failed.
    Broken(Broken),
    /// The log was closed.
    Closed,
}

struct Thread {
    store: Arc<Store>,
    in_flight: Arc<AtomicUsize>,
    state: watch::Sender<State>,
}

impl Thread {
    fn run(&mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut bytes = first.bytes;
            let mut jobs = vec![first];
            while bytes < BATCH_BYTES
                && let Ok(job) = waiting.try_recv()
            {
                bytes += job.bytes;
                jobs.push(job);
            }
            self.serve(jobs, bytes);
        }
        self.state.send_replace(State::Closed);
    }

    fn serve(&mut self, jobs: Vec<Job>, bytes: usize) {
        let is_writing = matches!(*self.state.borrow(), State::Writing);
        if is_writing && let Err(error) = write(&self.store, &jobs, bytes) {
            let broken = Broken { cause: Arc::new(error) };
            tracing::error!(error = &broken as &dyn std::error::Error, "nothing is accepted any more");
            self.state.send_replace(State::Broken(broken));
        }
        let state = self.state.borrow().clone();
        for job in jobs {
            self.in_flight.fetch_sub(job.bytes, Ordering::AcqRel);
            let answer = match (&state, &job.work) {
                (State::Broken(broken), _) => Err(self.store.failing(broken.clone())),
                (_, Work::Publish(speaker, ..)) => self.store.speakers().check(*speaker),
                (_, Work::Append(_)) => Ok(()),
            };
            job.waiting.answer(answer);
        }
    }
}

impl Waiting {
    /// Whoever waited may have given up; what is written stays.
    fn answer(self, answer: Result<()>) {
        let _unheard = match self {
            Self::Future(done) => done.send(answer).is_err(),
            Self::Thread(done) => done.send(answer).is_err(),
        };
    }
}

fn write(store: &Store, jobs: &[Job], bytes: usize) -> Result<()> {
    let mut batch = Batch::new(store, bytes);
    for job in jobs {
        match &job.work {
            Work::Append(records) => batch.append(records)?,
            // A speaker that was replaced meanwhile has nothing to add: what it had to say is said by the newer one.
            Work::Publish(speaker, places, outputs) if store.speakers().check(*speaker).is_ok() => {
                batch.publish(speaker.partition, places, outputs)?;
            }
            Work::Publish(..) => {}
        }
    }
    batch.commit()
}
