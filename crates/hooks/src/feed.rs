//! What one hook is told, read on a thread of its own, so that a slow endpoint holds up nobody else.

use std::collections::BTreeMap;
use std::time::Duration;

use log::{Log, Stored, Tail, Topic};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Error;
use crate::progress::{Progress, Source};
use crate::told::Told;

/// Records between the reader and the hook: enough that neither waits for the other at every record.
const WAITING: usize = 16;
/// How long a reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);

/// Something that was read, or why no more is.
pub(crate) type Fed = Result<(Topic, Stored), log::Error>;

/// How far a hook is, as far as the log has it.
pub(crate) struct Fitted {
    pub(crate) progress: Progress,
    /// Whether it begins somewhere for the first time.
    pub(crate) is_new: bool,
}

/// Makes `progress` fit what the log has: a partition that it does not know begins at its end. Blocking.
pub(crate) fn fit(log: &dyn Log, mut progress: Progress) -> Result<Fitted, Error> {
    let mut is_new = false;
    for (topic, partition) in Told::TOPICS.into_iter().flat_map(|topic| log.partitions().all().map(move |p| (topic, p)))
    {
        let reach = log.reach(topic, partition).map_err(failed)?;
        let source = Source { topic, partition };
        let Some(next) = progress.next.get_mut(&source) else {
            progress.next.insert(source, reach.end);
            is_new = true;
            continue;
        };
        if *next > reach.end {
            tracing::error!(%partition, topic = topic.name(), "the log ends before what was delivered: it was cut");
            *next = reach.end;
        }
        if *next < reach.start || progress.forget_before(source, reach.start) > 0 {
            tracing::error!(%partition, topic = topic.name(), "the log has dropped what was not delivered yet");
        }
    }
    Ok(Fitted { progress, is_new })
}

/// Reads from where `progress` says, until the receiver is dropped. Blocking.
pub(crate) fn open(log: &dyn Log, progress: &Progress) -> Result<Receiver<Fed>, Error> {
    let (sender, receiver) = channel(WAITING);
    for topic in Told::TOPICS {
        let sources = progress.next.keys().filter(|source| source.topic == topic);
        let begin = |source: &Source| Some((source.partition, progress.begin(*source)?));
        let places: BTreeMap<_, _> = sources.filter_map(begin).collect();
        let tail = log.tail_from(topic, &places).map_err(failed)?;
        let sender = sender.clone();
        let read = move || read(topic, tail, &sender);
        std::thread::Builder::new().name(format!("hook-{}", topic.name())).spawn(read).map_err(Error::Thread)?;
    }
    Ok(receiver)
}

const fn failed(source: log::Error) -> Error {
    Error::Log { doing: "opening what hooks are told", source }
}

fn read(topic: Topic, mut tail: Box<dyn Tail>, sender: &Sender<Fed>) {
    while !sender.is_closed() {
        let records = match tail.next(WAIT) {
            Ok(records) => records,
            Err(error) if error.may_pass() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    topic = topic.name(),
                    "a hook can't read just now"
                );
                std::thread::sleep(WAIT);
                continue;
            }
            Err(error) => {
                // Nobody listens where the hook has ended.
                sender.blocking_send(Err(error)).ok();
                return;
            }
        };
        for stored in records {
            if sender.blocking_send(Ok((topic, stored))).is_err() {
                return;
            }
        }
    }
}
