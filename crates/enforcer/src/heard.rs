//! What others say, read on threads of their own: standings, persons' words, the fleet's mail.

use std::str::from_utf8;
use std::sync::Arc;
use std::time::Duration;

use log::{Log, Start, Stored, Tail, Topic};
use model::{Answer, Counter, CustomerId, EnforcementKey, Fleet, PartitionId, Standing, Switch, Window};
use telemetry::{TRACEPARENT, TraceParent};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::mail_watch::{self, MailWatch};
use crate::stray::Stray;

/// Something that was read.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A customer stands there now; the trace that made it so, where it is sampled.
    Standing(Box<Standing>, Option<TraceParent>),
    /// A person answered what awaits approval.
    Answer(Box<Answer>),
    /// The switch was set; what it says is told by [`Ears::switch`] already.
    Switch,
    /// How much mail the customers of a partition sent in 24 hours.
    Share(PartitionId, u64),
    /// A moved customer's mail leaves elsewhere than it should.
    Stray(CustomerId, Stray),
    /// A topic is no longer read.
    Ended,
    /// All that was in a topic at the beginning has been read.
    CaughtUp,
}

/// What may wait to be heard: a customer's newer standing replaces its older one soon enough.
const WAITING: usize = 1_024;
/// How long a reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);
/// What is listened to.
pub(crate) const TOPICS: [Topic; 3] = [Topic::Standings, Topic::Enforcement, Topic::Fleet];

/// What is heard.
#[derive(Debug)]
pub(crate) struct Ears {
    pub(crate) heard: Receiver<Heard>,
    /// The switch, told past all that waits to be heard.
    pub(crate) switch: watch::Receiver<Option<Switch>>,
}

/// Reads the topics, from the oldest record that is kept, and watches the mail that comes from now on, until `shutdown`.
pub(crate) fn listen(log: &dyn Log, mail: MailWatch, shutdown: &CancellationToken) -> Result<Ears, Error> {
    let (sender, heard) = channel(WAITING);
    mail_watch::start(log, mail, sender.clone(), shutdown.clone())?;
    let (set, switch) = watch::channel(None);
    let set = Arc::new(set);
    for topic in TOPICS {
        let tail = log.tail(topic, Start::Earliest);
        let tail = tail.map_err(|source| Error::Log { doing: "opening a topic to listen to", source })?;
        let reader = Reader { topic, tail, sender: sender.clone(), set: Arc::clone(&set), shutdown: shutdown.clone() };
        let thread = std::thread::Builder::new().name(format!("enforcer-{}", topic.name()));
        thread.spawn(move || reader.run()).map_err(Error::Thread)?;
    }
    Ok(Ears { heard, switch })
}

struct Reader {
    topic: Topic,
    tail: Box<dyn Tail>,
    sender: Sender<Heard>,
    set: Arc<watch::Sender<Option<Switch>>>,
    shutdown: CancellationToken,
}

impl Reader {
    /// Ends at shutdown, when nobody listens any more, or when the topic can't be read, and says so: an enforcer that no longer
    /// hears a pause must not act.
    fn run(mut self) {
        self.read();
        let _nobody_listens = self.sender.blocking_send(Heard::Ended).is_err();
    }

    fn read(&mut self) {
        let topic = self.topic.name();
        let mut caught_up = false;
        while !self.shutdown.is_cancelled() {
            if !caught_up && self.tail.caught_up() {
                caught_up = true;
                if self.sender.blocking_send(Heard::CaughtUp).is_err() {
                    return;
                }
            }
            match self.tail.next(WAIT) {
                Ok(records) => {
                    if !self.tell(&records) {
                        return;
                    }
                }
                Err(error) if error.may_pass() => {
                    tracing::warn!(topic, error = &error as &dyn std::error::Error, "can't be read just now");
                }
                Err(error) => {
                    tracing::error!(topic, error = &error as &dyn std::error::Error, "is no longer read");
                    return;
                }
            }
        }
    }

    /// Tells what was read; whether anybody listens.
    fn tell(&self, records: &[Stored]) -> bool {
        records
            .iter()
            .filter_map(|stored| self.understand(stored))
            .all(|heard| self.sender.blocking_send(heard).is_ok())
    }

    fn understand(&self, stored: &Stored) -> Option<Heard> {
        let understood = match self.topic {
            Topic::Standings => {
                let trace = TraceParent::read(stored.record.header(TRACEPARENT).map(AsRef::as_ref));
                serde_json::from_slice(&stored.record.value).map(|standing| Heard::Standing(standing, trace)).ok()
            }
            Topic::Fleet => serde_json::from_slice(&stored.record.value)
                .map(|share| Heard::Share(stored.position.partition, sent_24h(&share)))
                .ok(),
            _ => return self.word(stored),
        };
        if understood.is_none() {
            tracing::warn!(topic = self.topic.name(), offset = %stored.position.offset, "unreadable; left out");
        }
        understood
    }

    fn word(&self, stored: &Stored) -> Option<Heard> {
        let value = &stored.record.value;
        match EnforcementKey::parse(from_utf8(&stored.record.key).ok()?)? {
            EnforcementKey::Switch => {
                match serde_json::from_slice(value) {
                    Ok(switch) => drop(self.set.send_replace(Some(switch))),
                    Err(error) => tracing::error!(%error, "the switch is unreadable; it stays as it was"),
                }
                Some(Heard::Switch)
            }
            EnforcementKey::Answer(_) => serde_json::from_slice(value).map(Heard::Answer).ok(),
            EnforcementKey::Case(_) | EnforcementKey::Status => None,
        }
    }
}

fn sent_24h(share: &Fleet) -> u64 {
    let counts = share.windows.get(&Window::Day).into_iter().flat_map(|counts| counts.providers.values());
    counts.map(|counts| u64::from(counts[Counter::Processed])).sum()
}
