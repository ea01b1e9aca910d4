//! Watching whom Weir has moved: their events are read on a thread of its own, and whose mail leaves elsewhere is told.

use std::collections::HashMap;
use std::str::from_utf8;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use log::{Log, RecordKind, Start, Stored, Tail, Topic};
use model::{CustomerId, InForce, Millis, Timestamp};
use sendgrid::webhook::WebhookEvent;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::action::Outcome;
use crate::heard::Heard;
use crate::metrics::Strays;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::stray::Expected;
use crate::{Enforcer, Error};

/// How long a read waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);
/// How often the same customer's stray mail is told; each is counted.
const AGAIN: Millis = Millis::hours(1);

/// Whose mail is watched, and how it should leave. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched(Arc<RwLock<HashMap<CustomerId, Expected>>>);

impl Watched {
    /// Watches a customer's mail, or no longer; whose mail is watched already is watched as before.
    pub(crate) fn set(&self, customer: &CustomerId, expected: Option<Expected>) {
        let mut watched = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match expected {
            Some(expected) => {
                let known = watched.entry(customer.clone()).or_insert_with(|| expected.clone());
                // What is seen to be so still is so since it first was.
                if !known.is_same_place(&expected) {
                    *known = expected;
                }
            }
            None => drop(watched.remove(customer)),
        }
    }

    /// Whether the customer's mail is watched.
    pub(crate) fn has(&self, customer: &CustomerId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(customer)
    }

    /// Watches nobody's mail: another enforcer acts.
    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, customer: &[u8]) -> Option<(CustomerId, Expected)> {
        let watched = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (customer, expected) = watched.get_key_value(from_utf8(customer).ok()?)?;
        Some((customer.clone(), expected.clone()))
    }
}

/// What a watch of mail works with.
#[derive(Clone, Debug)]
pub(crate) struct MailWatch {
    pub(crate) watched: Watched,
    /// Counts each mail that left elsewhere, by what told so.
    pub(crate) strays: Strays,
}

/// Reads what comes from now on, until `shutdown`.
pub(crate) fn start(
    log: &dyn Log,
    mail: MailWatch,
    sender: Sender<Heard>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let tail = log.tail(Topic::Events, Start::Latest);
    let tail = tail.map_err(|source| Error::Log { doing: "opening the events to watch them", source })?;
    let watch = Watch { tail, mail, sender, shutdown, told: HashMap::new() };
    std::thread::Builder::new().name("enforcer-watch".to_owned()).spawn(move || watch.run()).map_err(Error::Thread)?;
    Ok(())
}

struct Watch {
    tail: Box<dyn Tail>,
    mail: MailWatch,
    sender: Sender<Heard>,
    shutdown: CancellationToken,
    /// When stray mail of a customer was last told, for the place where it was then.
    told: HashMap<CustomerId, (Timestamp, Timestamp)>,
}

impl Watch {
    fn run(mut self) {
        while !self.shutdown.is_cancelled() && !self.sender.is_closed() {
            match self.tail.next(WAIT) {
                Ok(records) => records.iter().for_each(|stored| self.take(stored)),
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "events can't be watched just now");
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "moved customers' mail is no longer watched"
                    );
                    return;
                }
            }
        }
    }

    fn take(&mut self, stored: &Stored) {
        let record = &stored.record;
        if record.kind != RecordKind::Event {
            return;
        }
        let Some((customer, expected)) = self.mail.watched.get(&record.key) else { return };
        let Ok(event) = WebhookEvent::parse(&record.value) else { return };
        let Some(stray) = expected.judge(&event) else { return };
        self.mail.strays.count(stray.by);
        let told = self.told.get(&customer);
        if told.is_some_and(|(from, at)| *from == expected.from && event.timestamp.since(*at) < AGAIN) {
            return;
        }
        self.told.retain(|customer, _| self.mail.watched.has(customer));
        self.told.insert(customer.clone(), (expected.from, event.timestamp));
        let _nobody_listens = self.sender.blocking_send(Heard::Stray(customer, stray)).is_err();
    }
}

impl Enforcer {
    /// Watches from now on how a customer's mail leaves, as what is in force wants it and SendGrid shows it.
    pub(crate) fn watch_mail(&self, in_force: &InForce, customer: &CustomerId, seen: &Observation) {
        let placement = self.placement_of(customer);
        let grace = match placement {
            Placement::Route => self.config.settling.max(self.config.route_grace),
            Placement::Subuser(_) | Placement::DedicatedIps(_) => self.config.settling,
        };
        let grace = Millis::new(i64::try_from(grace.as_millis()).unwrap_or(i64::MAX));
        let expected = Expected::of((in_force, &placement), seen, &self.pools, self.now() + grace);
        self.watched.set(customer, expected);
    }

    /// Says whose mail leaves elsewhere than it should, and looks at SendGrid whether somebody changed it there.
    pub(crate) async fn tell_strays(&mut self) -> Result<(), Error> {
        while let Some((customer, stray)) = self.strays.front().cloned() {
            if let Some(standing) = self.standings.get(&customer).cloned() {
                tracing::warn!(%customer, by = stray.by.name(), "{}", stray.found);
                self.say(&standing, Outcome::Drifted, &stray.found).await?;
                self.look_again(&customer);
            }
            self.strays.pop_front();
        }
        Ok(())
    }
}
