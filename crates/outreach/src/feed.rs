//! Decisions, what the enforcer says and where customers stand, read on threads of their own.

use log::{Log, Start, Stored, Tail, Topic};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Error;
use crate::memory::{Progress, WAIT};

/// What was read of one topic at once; nothing, once, when a topic has been read to its end.
pub(crate) type Fed = Result<(Topic, Vec<Stored>), log::Error>;

const WAITING: usize = 4;

/// Makes `progress` fit what the log has: a partition that it does not know begins at its end. Whether that moved anything. Blocking.
pub(crate) fn fit(log: &dyn Log, progress: &mut Progress) -> Result<bool, Error> {
    let mut is_new = false;
    for partition in log.partitions().all() {
        let failed = |source| Error::Log { doing: "finding how far the decisions reach", source };
        let reach = log.reach(Topic::Decisions, partition).map_err(failed)?;
        let next = progress.entry(partition).or_insert_with(|| {
            is_new = true;
            reach.end
        });
        if *next < reach.start || *next > reach.end {
            tracing::error!(%partition, "the log no longer has decisions that nobody was told of");
            *next = (*next).max(reach.start).min(reach.end);
        }
    }
    Ok(is_new)
}

/// Reads decisions from where `progress` says, `enforcement` on, and where everybody stands, until the receiver is dropped.
/// Blocking.
pub(crate) fn open(log: &dyn Log, progress: &Progress, enforcement: Box<dyn Tail>) -> Result<Receiver<Fed>, Error> {
    let (sender, receiver) = channel(WAITING);
    let failed = |source| Error::Log { doing: "opening what is told", source };
    let tails = [
        (Topic::Decisions, log.tail_from(Topic::Decisions, progress).map_err(failed)?),
        (Topic::Enforcement, enforcement),
        (Topic::Standings, log.tail(Topic::Standings, Start::Earliest).map_err(failed)?),
    ];
    for (topic, tail) in tails {
        let sender = sender.clone();
        let read = move || read(topic, tail, &sender);
        std::thread::Builder::new().name(format!("outreach-{}", topic.name())).spawn(read).map_err(Error::Thread)?;
    }
    Ok(receiver)
}

fn read(topic: Topic, mut tail: Box<dyn Tail>, sender: &Sender<Fed>) {
    let mut was_at_end = false;
    while !sender.is_closed() {
        match tail.next(WAIT) {
            Ok(records) => {
                let is_first_at_end = !was_at_end && tail.caught_up();
                was_at_end |= is_first_at_end;
                let batches = [Some(records).filter(|records| !records.is_empty()), is_first_at_end.then(Vec::new)];
                let mut batches = batches.into_iter().flatten();
                if batches.any(|batch| sender.blocking_send(Ok((topic, batch))).is_err()) {
                    return;
                }
            }
            Err(error) if error.may_pass() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    topic = topic.name(),
                    "can't be read just now"
                );
                std::thread::sleep(WAIT);
            }
            Err(error) => {
                // Nobody listens where outreach has ended.
                sender.blocking_send(Err(error)).ok();
                return;
            }
        }
    }
}
