//! What the enforcer and persons say of enforcement, as it lies on the topic `enforcement`.

use std::collections::BTreeMap;
use std::str::from_utf8;

use log::Stored;
use model::{Answer, CaseView, CustomerId, EnforcementKey, EnforcerStatus, Switch};
use serde::de::DeserializeOwned;

/// The latest word on each thing.
#[derive(Debug, Default)]
pub(crate) struct Enforcement {
    pub(crate) switch: Option<Switch>,
    pub(crate) status: Option<EnforcerStatus>,
    pub(crate) cases: BTreeMap<CustomerId, CaseView>,
    pub(crate) answers: BTreeMap<CustomerId, Answer>,
}

impl Enforcement {
    /// Takes in a record; `None` where it should be readable and is not. Other writers' records are passed over.
    pub(crate) fn take(&mut self, stored: &Stored) -> Option<()> {
        let value = &stored.record.value;
        match from_utf8(&stored.record.key).ok().and_then(EnforcementKey::parse) {
            None => {}
            Some(EnforcementKey::Switch) => self.switch = latest(value)?,
            Some(EnforcementKey::Status) => self.status = latest(value)?,
            Some(EnforcementKey::Case(customer)) => keep(&mut self.cases, customer, latest(value)?),
            Some(EnforcementKey::Answer(customer)) => keep(&mut self.answers, customer, latest(value)?),
        }
        Some(())
    }
}

/// What a record says: nothing where it is empty; `None` where it is unreadable.
fn latest<T: DeserializeOwned>(value: &[u8]) -> Option<Option<T>> {
    if value.is_empty() { Some(None) } else { serde_json::from_slice(value).ok().map(Some) }
}

fn keep<T>(all: &mut BTreeMap<CustomerId, T>, customer: CustomerId, latest: Option<T>) {
    match latest {
        Some(latest) => drop(all.insert(customer, latest)),
        None => drop(all.remove(&customer)),
    }
}
