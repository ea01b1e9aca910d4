//! The standings and earlier actions, read on a thread of their own.

use std::time::Duration;

use log::{Log, Start, Tail, Topic};
use model::Standing;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use crate::{Action, Error};

/// Something that was read.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A customer stands there now.
    Standing(Box<Standing>),
    /// All that was there at the beginning has been read.
    CaughtUp,
}

/// Standings that may wait: a customer's newer one replaces its older one soon enough.
const WAITING: usize = 1_024;
/// How long the reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);

/// Reads every action that is in the log; for what was there before Weir's first call.
pub(crate) fn actions(log: &dyn Log) -> Result<Vec<Action>, Error> {
    let failed = |source| Error::Log { doing: "reading earlier actions", source };
    let mut tail = log.tail(Topic::Actions, Start::Earliest).map_err(failed)?;
    let mut actions = Vec::new();
    while !tail.caught_up() {
        let records = tail.next(WAIT).map_err(failed)?;
        actions.extend(records.iter().filter_map(|stored| serde_json::from_slice(&stored.record.value).ok()));
    }
    Ok(actions)
}

/// Reads the standings, from the oldest that is kept, until `shutdown`.
pub(crate) fn standings(log: &dyn Log, shutdown: CancellationToken) -> Result<Receiver<Heard>, Error> {
    let failed = |source| Error::Log { doing: "opening the standings", source };
    let tail = log.tail(Topic::Standings, Start::Earliest).map_err(failed)?;
    let (sender, receiver) = channel(WAITING);
    let read = move || read(tail, &sender, &shutdown);
    std::thread::Builder::new().name("enforcer-standings".to_owned()).spawn(read).map_err(Error::Thread)?;
    Ok(receiver)
}

fn read(mut tail: Box<dyn Tail>, sender: &Sender<Heard>, shutdown: &CancellationToken) {
    let mut caught_up = false;
    while !shutdown.is_cancelled() {
        if !caught_up && tail.caught_up() {
            caught_up = true;
            if sender.blocking_send(Heard::CaughtUp).is_err() {
                return;
            }
        }
        let records = match tail.next(WAIT) {
            Ok(records) => records,
            Err(error) if error.may_pass() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the standings can't be read just now");
                continue;
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the standings are no longer read");
                return;
            }
        };
        for stored in records {
            let Ok(standing) = serde_json::from_slice(&stored.record.value) else {
                tracing::warn!(offset = %stored.position.offset, "a standing is unreadable and left out");
                continue;
            };
            if sender.blocking_send(Heard::Standing(Box::new(standing))).is_err() {
                return;
            }
        }
    }
}
