//! The cases of all customers with whom the enforcer has to do, as they lie on the log.

use std::collections::BTreeMap;
use std::str::from_utf8;
use std::sync::Arc;
use std::time::Duration;

use log::{Append, Log, Producer, Start, Topic};
use model::{CustomerId, EnforcementKey, HeldWhy, Timestamp};

use crate::Error;
use crate::case::{Case, closed};

/// How long a read waits for the log.
const WAIT: Duration = Duration::from_millis(100);

/// What is remembered. It is on the log before it is here.
#[derive(Debug)]
pub(crate) struct Memory {
    producer: Arc<dyn Producer>,
    cases: BTreeMap<CustomerId, Case>,
}

impl Memory {
    pub(crate) fn new(producer: Arc<dyn Producer>) -> Self {
        Self { producer, cases: BTreeMap::new() }
    }

    /// Learns what is on the log: another enforcer may have written it.
    pub(crate) async fn learn(&mut self, log: &Arc<dyn Log>) -> Result<(), Error> {
        let log = Arc::clone(log);
        let read = tokio::task::spawn_blocking(move || read(log.as_ref())).await;
        self.cases = read.map_err(|_| Error::ReaderEnded)??;
        Ok(())
    }

    pub(crate) fn get(&self, customer: &CustomerId) -> Option<&Case> {
        self.cases.get(customer)
    }

    /// The case, or a new one.
    pub(crate) fn case(&self, customer: &CustomerId) -> Case {
        self.get(customer).cloned().unwrap_or_else(|| Case::new(customer.clone()))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// Why customers are held back, each once.
    pub(crate) fn held(&self) -> impl Iterator<Item = HeldWhy> {
        self.cases.values().filter_map(|case| case.held.as_ref().map(|held| held.why))
    }

    /// Remembers a case, unless it is known as it is.
    pub(crate) async fn keep(&mut self, case: Case, now: Timestamp) -> Result<(), Error> {
        if self.get(&case.customer) == Some(&case) {
            return Ok(());
        }
        match case.append(now) {
            Ok(append) => self.append(append).await?,
            Err(error) => tracing::error!(%error, "a case can't be written as JSON"),
        }
        self.cases.insert(case.customer.clone(), case);
        Ok(())
    }

    /// Forgets a customer.
    pub(crate) async fn close(&mut self, customer: &CustomerId, now: Timestamp) -> Result<(), Error> {
        if self.cases.contains_key(customer) {
            self.append(closed(customer, now)).await?;
            self.cases.remove(customer);
        }
        Ok(())
    }

    /// Appends something to the log.
    pub(crate) async fn append(&self, append: Append) -> Result<(), Error> {
        self.producer
            .append(vec![append])
            .await
            .map_err(|source| Error::Log { doing: "recording what was done", source })
    }
}

fn read(log: &dyn Log) -> Result<BTreeMap<CustomerId, Case>, Error> {
    let failed = |source| Error::Log { doing: "reading what was done before", source };
    let mut tail = log.tail(Topic::Enforcement, Start::Earliest).map_err(failed)?;
    let mut cases = BTreeMap::new();
    while !tail.caught_up() {
        for stored in tail.next(WAIT).map_err(failed)? {
            let key = from_utf8(&stored.record.key).ok().and_then(EnforcementKey::parse);
            let Some(EnforcementKey::Case(customer)) = key else { continue };
            if stored.record.value.is_empty() {
                cases.remove(&customer);
                continue;
            }
            match serde_json::from_slice::<Case>(&stored.record.value) {
                Ok(case) => drop(cases.insert(customer, case)),
                Err(error) => {
                    tracing::error!(%customer, %error, "what was done before is unreadable: it is taken for untouched");
                }
            }
        }
    }
    Ok(cases)
}
