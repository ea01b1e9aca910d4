//! The one thread that writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use model::{Offset, PartitionId};
use rocksdb::WriteBatch;
use tokio::sync::oneshot;

use super::codec;
use super::store::{Store, key, published_key};
use crate::seam::BoxFuture;
use crate::{Append, Error, Output, Producer, Record, Result, Route, Sequence, Topic, partition_of};

/// Appends that may wait; their bytes are bounded apart.
const WAITING: usize = 4_096;
/// Bytes in one batch: beyond it, what waits goes into the next.
const BATCH_BYTES: usize = 16 << 20;

/// What is to be written.
enum Work {
    Append(Vec<Append>),
    Publish(PartitionId, Vec<Output>),
}

struct Job {
    work: Work,
    bytes: usize,
    done: oneshot::Sender<Result<()>>,
}

/// The writing thread; dropping it waits until everything that waits is written.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` only while it is dropped.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    in_flight: Arc<AtomicUsize>,
    bound: usize,
}

impl Writer {
    pub(super) fn start(store: Arc<Store>, bound: usize) -> Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let next = next_offsets(&store);
        let mut thread = Thread { store, next, in_flight: Arc::clone(&in_flight), buffer: Vec::new(), broken: false };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || thread.run(&waiting))
            .map_err(|source| Error::Storage { place: "the writing thread".to_owned(), source: source.into() })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), in_flight, bound })
    }

    /// Publishes outputs and waits until they are durable.
    pub(super) fn publish(&self, partition: PartitionId, outputs: Vec<Output>) -> Result<()> {
        let bytes = outputs.iter().map(|output| size_of(&output.record)).sum();
        self.in_flight.fetch_add(bytes, Ordering::AcqRel);
        let (done, answer) = oneshot::channel();
        let job = Job { work: Work::Publish(partition, outputs), bytes, done };
        self.jobs()?.send(job).map_err(|_| Error::Closed)?;
        answer.blocking_recv().unwrap_or(Err(Error::Closed))
    }

    fn jobs(&self) -> Result<&SyncSender<Job>> {
        self.jobs.as_ref().ok_or(Error::Closed)
    }

    fn submit(&self, records: Vec<Append>) -> Result<oneshot::Receiver<Result<()>>> {
        let bytes: usize = records.iter().map(|append| size_of(&append.record)).sum();
        let before = self.in_flight.fetch_add(bytes, Ordering::AcqRel);
        // One append alone is always taken, however large: the receiver has bounded it already.
        if before > 0 && before + bytes > self.bound {
            self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
            return Err(Error::Busy("too many bytes wait to be written"));
        }
        let (done, answer) = oneshot::channel();
        self.jobs()?.try_send(Job { work: Work::Append(records), bytes, done }).map_err(|error| {
            self.in_flight.fetch_sub(bytes, Ordering::AcqRel);
            match error {
                TrySendError::Full(_) => Error::Busy("too many appends wait to be written"),
                TrySendError::Disconnected(_) => Error::Closed,
            }
        })?;
        Ok(answer)
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
        let submitted = self.submit(records);
        Box::pin(async move { submitted?.await.unwrap_or(Err(Error::Closed)) })
    }
}

struct Thread {
    store: Arc<Store>,
    next: BTreeMap<(Topic, PartitionId), Offset>,
    in_flight: Arc<AtomicUsize>,
    buffer: Vec<u8>,
    /// A write failed: nothing may be acknowledged any more, since nobody knows what is on disk.
    broken: bool,
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
            self.write(jobs);
        }
    }

    fn write(&mut self, jobs: Vec<Job>) {
        let result = if self.broken { Err(Error::Closed) } else { self.write_batch(&jobs) };
        self.broken |= result.is_err();
        let failure = result.as_ref().err().map(ToString::to_string);
        if let Some(failure) = &failure {
            tracing::error!(failure, "the log takes nothing more; restart when the cause is mended");
        }
        for job in jobs {
            self.in_flight.fetch_sub(job.bytes, Ordering::AcqRel);
            let answer = failure.clone().map_or(Ok(()), |failure| {
                Err(Error::Storage { place: "the embedded log".to_owned(), source: failure.into() })
            });
            // Whoever waited may have given up; what is written stays.
            let _unheard = job.done.send(answer);
        }
    }

    fn write_batch(&mut self, jobs: &[Job]) -> Result<()> {
        let mut batch = WriteBatch::default();
        let mut next = self.next.clone();
        for job in jobs {
            match &job.work {
                Work::Append(records) => {
                    for append in records {
                        let partition = match append.route {
                            Route::To(partition) => partition,
                            Route::ByKey => partition_of(&append.record.key, self.store.partitions()),
                        };
                        self.put(&mut batch, &mut next, (append.topic, partition), &append.record)?;
                    }
                }
                Work::Publish(partition, outputs) => self.put_outputs(&mut batch, &mut next, *partition, outputs)?,
            }
        }
        self.store.write(batch)?;
        self.store.grow(&next);
        self.next = next;
        Ok(())
    }

    fn put_outputs(
        &mut self,
        batch: &mut WriteBatch,
        next: &mut BTreeMap<(Topic, PartitionId), Offset>,
        partition: PartitionId,
        outputs: &[Output],
    ) -> Result<()> {
        let published = self.store.last_published(partition)?.unwrap_or_default();
        let mut last: Option<Sequence> = None;
        for output in outputs.iter().filter(|output| output.sequence > published) {
            self.put(batch, next, (output.topic, partition), &output.record)?;
            last = Some(output.sequence);
        }
        if let Some(last) = last {
            batch.put_cf(self.store.meta()?, published_key(partition), last.get().to_be_bytes());
        }
        Ok(())
    }

    fn put(
        &mut self,
        batch: &mut WriteBatch,
        next: &mut BTreeMap<(Topic, PartitionId), Offset>,
        (topic, partition): (Topic, PartitionId),
        record: &Record,
    ) -> Result<()> {
        let offset = next.entry((topic, partition)).or_default();
        self.buffer.clear();
        codec::encode(record, &mut self.buffer);
        batch.put_cf(self.store.topic(topic)?, key(partition, *offset), &self.buffer);
        *offset = offset.next();
        Ok(())
    }
}

fn next_offsets(store: &Store) -> BTreeMap<(Topic, PartitionId), Offset> {
    let places = Topic::ALL.into_iter().flat_map(|topic| store.partitions().all().map(move |p| (topic, p)));
    places.map(|(topic, partition)| ((topic, partition), store.reach(topic, partition).end)).collect()
}

/// About what a record takes while it waits.
fn size_of(record: &Record) -> usize {
    record.key.len() + record.value.len() + 64
}
