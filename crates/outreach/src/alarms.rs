//! Tells operators what SendGrid does to the account or to a subuser: at once, in each channel, each change once.

use std::collections::BTreeMap;

use model::{AccountStatus, AccountStatusChange, CustomerId, Millis, Timestamp};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::channel::{Channel, Outcome};
use crate::memory;
use crate::templates::Message;
use crate::worker::Worker;

/// What is older than this was told by others, or is no news.
const NEWS: Millis = Millis::hours(72);
/// The channels in which it is told.
const CHANNELS: [Channel; 2] = [Channel::SuccessMail, Channel::SuccessChat];

/// The changes that were read, by the keys of their records, and when each is tried in a channel; those that are told are marked on the
/// log.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    changes: BTreeMap<String, AccountStatusChange>,
    /// How often each was tried in a channel; `None` once it is told or given up.
    tries: BTreeMap<(String, Channel), Option<u32>>,
}

/// What a template is told of a change.
#[derive(Debug, Serialize)]
pub(crate) struct AccountNews {
    pub(crate) whom: String,
    pub(crate) verb: &'static str,
    pub(crate) status: &'static str,
    pub(crate) is_restricted: bool,
    pub(crate) at: Timestamp,
    pub(crate) console: Option<String>,
}

impl AccountNews {
    /// One of each kind, by which a template is checked.
    pub(crate) fn examples() -> [Self; 2] {
        let console = url::Url::parse("https://weir.example.com/").ok();
        let change = |customer, status| {
            Self::of(
                &AccountStatusChange { customer, status, at: Timestamp::default(), event: String::new() },
                console.as_ref(),
            )
        };
        let account = CustomerId::unattributed("main");
        [change(account.clone(), AccountStatus::Suspended), change(account, AccountStatus::Active)]
    }

    pub(crate) fn of(change: &AccountStatusChange, console: Option<&url::Url>) -> Self {
        Self {
            whom: change.whom(),
            verb: change.status.verb(),
            status: change.status.name(),
            is_restricted: change.status.is_restricted(),
            at: Timestamp::from_seconds(change.at.seconds()),
            console: console.map(ToString::to_string),
        }
    }
}

impl Alarms {
    /// Takes in a record of the topic `enforcement`, where it is about this.
    pub(crate) fn take(&mut self, key: &str, value: &[u8]) {
        if AccountStatusChange::is_key(key) {
            match serde_json::from_slice::<AccountStatusChange>(value) {
                Ok(change) => drop(self.changes.insert(key.to_owned(), change)),
                Err(error) => tracing::warn!(key, %error, "a change of an account's status is unreadable; left out"),
            }
        } else if let Some((channel, key)) = memory::told_alarm(key) {
            // One that is being tried here is told by this process, which knows what came of it.
            self.tries.entry((key.to_owned(), channel)).or_insert(None);
        }
    }

    /// What is to be told in a channel.
    fn due(&self, channel: Channel, now: Timestamp) -> Vec<(String, AccountStatusChange)> {
        let is_due = |key: &String, change: &AccountStatusChange| {
            change.at >= now - NEWS && self.tries.get(&(key.clone(), channel)) != Some(&None)
        };
        let due = self.changes.iter().filter(|(key, change)| is_due(key, change));
        due.map(|(key, change)| (key.clone(), change.clone())).collect()
    }
}

impl Worker {
    /// Tells what SendGrid did and nobody was told of.
    pub(crate) async fn tell_alarms(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        for channel in CHANNELS {
            if !self.house.config.tells(channel) {
                continue;
            }
            for (key, change) in self.alarms.due(channel, self.now()) {
                if shutdown.is_cancelled() || !self.holds_office() || self.pauses.has(channel, self.now()) {
                    break;
                }
                self.tell_alarm(channel, &key, &change).await?;
            }
        }
        Ok(())
    }

    async fn tell_alarm(&mut self, channel: Channel, key: &str, change: &AccountStatusChange) -> Result<(), Error> {
        let news = AccountNews::of(change, self.house.config.console.as_ref());
        let outcome = match self.house.config.templates.account(&news) {
            Ok(message) => self.send_alarm(channel, key, &message).await,
            Err(fault) => Outcome::Refused(fault.to_string()),
        };
        self.settle_alarm(channel, key, outcome);
        Ok(())
    }

    /// That it is told is kept first: one that a crash interrupts is told once or never, and the alert tells it too.
    async fn send_alarm(&self, channel: Channel, key: &str, message: &Message) -> Outcome {
        let to: Vec<_> = self.house.config.success.clone().into_iter().collect();
        let id = format!("{}.{}", key.replace([':', ' '], "-"), channel.name());
        let keep = async || {
            if !self.holds_office() {
                return false;
            }
            match memory::told_alarm_record(channel, key, self.now()) {
                Ok(told) => self.is_kept(self.append(vec![told]).await),
                Err(error) => self.is_kept(Err(error)),
            }
        };
        self.house.send(channel, (message, &to, &id), keep).await
    }

    fn settle_alarm(&mut self, channel: Channel, key: &str, outcome: Outcome) {
        let (now, place, name) = (self.now(), (key.to_owned(), channel), channel.name());
        let tries = self.alarms.tries.get(&place).copied().flatten().unwrap_or_default();
        let (counted, left) = match outcome {
            Outcome::Delivered => {
                self.pauses.end(channel);
                ("delivered", None)
            }
            Outcome::NotKept => return,
            Outcome::Unknown(said) => {
                tracing::warn!(
                    channel = name,
                    said,
                    "it is not known whether an account's alarm arrived; it is not repeated"
                );
                ("unknown", None)
            }
            Outcome::Failed(said) => {
                self.pauses.lengthen(channel, now);
                tracing::warn!(channel = name, said, "an account's alarm failed");
                let left = self.wait(tries).map(|_| tries.saturating_add(1));
                (if left.is_some() { "failed" } else { "given_up" }, left)
            }
            Outcome::Refused(said) => {
                tracing::warn!(channel = name, said, "an account's alarm is given up");
                ("given_up", None)
            }
        };
        self.count(channel, counted);
        self.alarms.tries.insert(place, left);
    }
}
