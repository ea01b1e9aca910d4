//! The public topics in memory, as far as operators ask for them.

mod accounts;
mod activity;
mod cursor;
mod customers;
pub(crate) mod enforcement;
mod history;
mod names;
mod newest;
mod replaced;
mod reports;
mod risk;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use log::{Log, Start, Stored, Tail, Topic};
use model::{AccountStatusChange, Act, CustomerId, Decision, Deed, Fleet, PartitionId, PoolName, Stage, Standing};
use policy::{Ranked, ranking};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::accounts::Accounts;
pub(crate) use self::activity::ActPlace;
use self::activity::Activity;
pub(crate) use self::cursor::Cursor;
use self::customers::Customers;
pub use self::customers::{CustomersQuery, Listed, Page};
use self::enforcement::Enforcement;
use self::history::History;
pub use self::history::{Acted, Decided};
use self::replaced::Replaced;
use self::reports::Reports;
pub use self::risk::Risk;
use crate::Troubles;

/// How long a reader waits before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(100);
/// The topics that are read.
const TOPICS: [Topic; 5] = [Topic::Standings, Topic::Decisions, Topic::Actions, Topic::Fleet, Topic::Enforcement];

/// Why the topics can't be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The log refused.
    #[error("topic {topic} can't be read")]
    Log {
        /// Which topic.
        topic: &'static str,
        /// What the log said.
        #[source]
        source: log::Error,
    },
    /// No thread could be had.
    #[error("no thread for reading {topic}")]
    Thread {
        /// Which topic.
        topic: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// What operators ask for. Cheap to clone; all clones see the same.
#[derive(Clone, Debug)]
pub struct Index {
    known: Arc<Known>,
    /// Counts the decisions that were read.
    decisions: watch::Receiver<u64>,
    /// How many topics were not read yet to the end that they had at the start.
    unread: watch::Receiver<usize>,
    completeness: Reports,
}

/// Each topic's own, so that none is waited for because another is read.
#[derive(Debug, Default)]
struct Known {
    customers: RwLock<Customers>,
    decisions: RwLock<History<Decided>>,
    actions: RwLock<History<Acted>>,
    fleet: RwLock<Shares>,
    enforcement: RwLock<Enforcement>,
    activity: RwLock<Activity>,
    accounts: RwLock<Accounts>,
    replaced: RwLock<Replaced>,
}

/// What the partitions have told of their mail.
#[derive(Debug, Default)]
struct Shares {
    by_partition: BTreeMap<PartitionId, Fleet>,
    sum: Arc<Fleet>,
    ranking: Arc<[Ranked]>,
}

impl Index {
    /// Reads the topics from their beginning, each on a thread of its own, until `shutdown`.
    ///
    /// # Errors
    ///
    /// [`IndexError`], where a topic can't be opened.
    pub fn start(log: &Arc<dyn Log>, shutdown: &CancellationToken) -> Result<(Self, Vec<JoinHandle<()>>), IndexError> {
        let (count, decisions) = watch::channel(0);
        let (left, unread) = watch::channel(TOPICS.len());
        let (completeness, thread) = Reports::start(log, shutdown)?;
        let index = Self { known: Arc::default(), decisions, unread, completeness };
        let mut threads = vec![thread];
        for topic in TOPICS {
            let name = topic.name();
            let tail = log.tail(topic, Start::Earliest).map_err(|source| IndexError::Log { topic: name, source })?;
            let (count, left, shutdown) = (count.clone(), left.clone(), shutdown.clone());
            let reader = Reader { topic, tail, index: index.clone(), count, left, shutdown };
            let thread = std::thread::Builder::new().name(format!("index-{name}")).spawn(move || reader.run());
            threads.push(thread.map_err(|source| IndexError::Thread { topic: name, source })?);
        }
        Ok((index, threads))
    }

    /// The customer's standing; `None` for one that was never seen.
    pub fn standing(&self, id: &CustomerId) -> Option<Arc<Standing>> {
        read(&self.known.customers).standing(id).cloned()
    }

    /// A page of the customers that are wanted, the riskiest first. None are sorted or copied for it but those on the page.
    pub fn customers(&self, query: &CustomersQuery) -> Page<Listed, Risk> {
        read(&self.known.customers).page(query)
    }

    /// How many customers are at each stage: of those whose mail should leave through `pool`, or of all.
    pub fn stages(&self, pool: Option<&PoolName>) -> BTreeMap<Stage, usize> {
        read(&self.known.customers).stages(pool)
    }

    /// The pools through which anybody's mail should leave, by name.
    pub fn pools(&self) -> Vec<PoolName> {
        read(&self.known.customers).pools().cloned().collect()
    }

    /// Decisions behind `cursor`, in the order in which they were read, at most `limit`, and whether some behind it are no longer in
    /// memory; it then goes past those.
    pub(crate) fn decisions_or_gap(&self, cursor: &mut Cursor, limit: usize) -> (bool, Vec<Arc<Decided>>) {
        // Both by one look: what is forgotten between two would be missed.
        let decisions = read(&self.known.decisions);
        (decisions.skip_gap(cursor), decisions.behind(cursor, limit))
    }

    /// The cursor of a reader who has seen all decisions.
    pub(crate) fn end_of_decisions(&self) -> Cursor {
        read(&self.known.decisions).end()
    }

    /// The newest `limit` decisions about the customer, oldest first.
    pub fn history(&self, id: &CustomerId, limit: usize) -> Vec<Arc<Decided>> {
        read(&self.known.decisions).of(id, limit)
    }

    /// The newest `limit` calls to SendGrid for the customer, oldest first.
    pub fn actions(&self, id: &CustomerId, limit: usize) -> Vec<Arc<Acted>> {
        read(&self.known.actions).of(id, limit)
    }

    /// The sum of the partitions' latest shares.
    pub fn fleet(&self) -> Arc<Fleet> {
        Arc::clone(&read(&self.known.fleet).sum)
    }

    /// The customers with the most bad events of the last 24 hours, the worst first, as [`policy::ranking`] has them.
    pub fn ranking(&self) -> Arc<[Ranked]> {
        Arc::clone(&read(&self.known.fleet).ranking)
    }

    /// What the comparisons with SendGrid found.
    pub(crate) const fn completeness(&self) -> &Reports {
        &self.completeness
    }

    /// What is said of enforcement.
    pub(crate) fn enforcement<T>(&self, ask: impl FnOnce(&Enforcement) -> T) -> T {
        ask(&read(&self.known.enforcement))
    }

    /// What persons did, or one of them, before `after`: the newest `limit`.
    pub(crate) fn activity(&self, by: Option<&str>, after: Option<&ActPlace>, limit: usize) -> Page<Act, ActPlace> {
        read(&self.known.activity).page(by, after, limit)
    }

    /// What SendGrid did to the account and to subusers, that still restricts them and that nobody has acknowledged.
    pub(crate) fn open_account_statuses(&self) -> Vec<AccountStatusChange> {
        read(&self.known.accounts).open()
    }

    /// What SendGrid did last to a customer's subuser.
    pub(crate) fn account_status(&self, id: &CustomerId) -> Option<AccountStatusChange> {
        read(&self.known.accounts).latest(id)
    }

    /// Who did anything, by name.
    pub(crate) fn people(&self) -> Vec<String> {
        read(&self.known.activity).people()
    }

    /// Whether each topic was read to the end that it had at the start: what is not known before may only not have been read.
    pub fn is_caught_up(&self) -> bool {
        *self.unread.borrow() == 0
    }

    /// What keeps it from telling how things are, for [`crate::Ready::ask`].
    pub fn troubles(&self) -> Troubles {
        let index = self.clone();
        let unread = "the console has not read the log to its end yet";
        Arc::new(move || if index.is_caught_up() { Vec::new() } else { vec![unread.to_owned()] })
    }

    /// Waits for that; `false` where it will never be.
    pub(crate) async fn caught_up(&self) -> bool {
        self.unread.clone().wait_for(|unread| *unread == 0).await.is_ok()
    }

    /// Changes whenever a decision was read.
    pub fn decisions_read(&self) -> watch::Receiver<u64> {
        self.decisions.clone()
    }
}

/// Whoever holds a lock only inserts whole records: what a panic leaves behind is sound.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    topic: Topic,
    tail: Box<dyn Tail>,
    index: Index,
    count: watch::Sender<u64>,
    left: watch::Sender<usize>,
    shutdown: CancellationToken,
}

impl Reader {
    fn run(mut self) {
        let mut is_past = true;
        while !self.shutdown.is_cancelled() {
            if is_past && self.tail.caught_up() {
                is_past = false;
                self.left.send_modify(|left| *left -= 1);
            }
            match self.tail.next(WAIT) {
                Ok(records) => self.take(&records),
                Err(error) if error.may_pass() => {
                    let topic = self.topic.name();
                    tracing::warn!(topic, error = &error as &dyn std::error::Error, "can't be read just now");
                }
                Err(error) => {
                    let topic = self.topic.name();
                    tracing::error!(topic, error = &error as &dyn std::error::Error, "no longer read; the API lags");
                    return;
                }
            }
        }
    }

    fn take(&self, records: &[Stored]) {
        for stored in records {
            if self.take_one(stored).is_none() {
                tracing::warn!(topic = self.topic.name(), offset = %stored.position.offset, "unreadable; left out");
            }
        }
        match self.topic {
            Topic::Decisions if !records.is_empty() => self.count.send_modify(|count| *count += records.len() as u64),
            Topic::Fleet if !records.is_empty() => self.sum_up(),
            _ => {}
        }
    }

    fn take_one(&self, stored: &Stored) -> Option<()> {
        let (value, known) = (&stored.record.value, &self.index.known);
        let at = stored.position;
        match self.topic {
            Topic::Standings => {
                let standing = serde_json::from_slice(value).ok()?;
                write(&known.customers).take(standing);
            }
            Topic::Decisions => {
                let decision: Decision = serde_json::from_slice(value).ok()?;
                if let Some(act) = Act::of(&decision) {
                    write(&known.activity).take(decision.id.to_string(), act);
                }
                write(&known.decisions).push(Decided { at, decision });
            }
            Topic::Actions => {
                let customer = CustomerId::new(std::str::from_utf8(&stored.record.key).ok()?).ok()?;
                let action = serde_json::from_slice(value).ok()?;
                write(&known.actions).push(Acted { at, customer, action });
            }
            Topic::Fleet => {
                let share = serde_json::from_slice(value).ok()?;
                write(&known.fleet).by_partition.insert(at.partition, share);
            }
            Topic::Enforcement => match std::str::from_utf8(&stored.record.key) {
                Ok(key) if Act::is_key(key) => {
                    let act: Act = serde_json::from_slice(value).ok()?;
                    if let Deed::Acknowledge { customer, changed_at, .. } = &act.deed {
                        write(&known.accounts).acknowledge(customer.clone(), *changed_at);
                    }
                    write(&known.activity).take(key.to_owned(), act);
                }
                Ok(key) if AccountStatusChange::is_key(key) => {
                    let change: AccountStatusChange = serde_json::from_slice(value).ok()?;
                    write(&known.activity).take(key.to_owned(), Act::of_sendgrid(&change));
                    write(&known.accounts).take(key.to_owned(), change);
                }
                Ok(key) if let Some(digest) = decode::replaced_digest(key) => {
                    write(&known.replaced).take(digest, stored.record.at, std::str::from_utf8(value).ok()?);
                }
                _ => write(&known.enforcement).take(stored)?,
            },
            Topic::Events | Topic::Rejects | Topic::Drafts | Topic::Profiles => {}
        }
        Some(())
    }

    /// The shares have changed: who does most harm has, too. Once for all that were read together.
    fn sum_up(&self) {
        let known = &self.index.known;
        let sum = Fleet::sum(read(&known.fleet).by_partition.values());
        let ranking: Arc<[Ranked]> = ranking(&sum).into();
        write(&known.customers).rank(&ranking);
        let mut shares = write(&known.fleet);
        (shares.sum, shares.ranking) = (Arc::new(sum), ranking);
    }
}
