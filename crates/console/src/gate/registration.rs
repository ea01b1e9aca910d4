//! A customer that Weir has never heard of is registered on the log before anything is granted to it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use log::{Append, Record, RecordKind, Route, Topic};
use model::{Command, CustomerId, Order, Phase};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::standings::Known;
use super::{Gate, GateError};

/// How long a mailer waits for the scorer to say where a new customer stands.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a customer may send that Weir has never heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// What the policy lets newcomers send.
    #[default]
    AsNewcomer,
    /// As a pilot, whatever the policy says of newcomers.
    Pilot,
    /// Nothing; it stays unknown.
    Refuse,
    /// As an active customer, whatever the policy says of newcomers.
    Free,
}

/// Who is being registered.
#[derive(Debug, Default)]
pub(super) struct Registration {
    under_way: Mutex<HashSet<CustomerId>>,
    standings: Notify,
}

impl Registration {
    /// Wakes those who wait for a standing.
    pub(super) fn standings_changed(&self) {
        self.standings.notify_waiters();
    }

    /// The right to register the customer; `None` while another question does.
    fn begin(&self, customer: &CustomerId) -> Option<UnderWay<'_>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(customer.clone()).then(|| UnderWay { registration: self, customer: customer.clone() })
    }
}

/// One question registers the customer; others wait for what comes of it.
struct UnderWay<'r> {
    registration: &'r Registration,
    customer: CustomerId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.registration.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.customer);
    }
}

impl Gate {
    /// Where the customer stands, which is registered where Weir does not know it; `None` for an unknown one where such may send
    /// nothing.
    pub(super) async fn known(&self, customer: &CustomerId) -> Result<Option<Known>, GateError> {
        let known = self.0.standings.of(customer);
        let phase = match self.0.config.unknown {
            _ if known.is_some() => return Ok(known),
            Unknown::Refuse => return Ok(None),
            Unknown::AsNewcomer => None,
            Unknown::Pilot => Some(Phase::Pilot),
            Unknown::Free => Some(Phase::Active),
        };
        let deadline = Instant::now() + PATIENCE;
        let _under_way = match self.0.registration.begin(customer) {
            Some(under_way) => {
                let said = self.0.producer.append(vec![self.registration_of(customer, phase)?]);
                timeout_at(deadline, said).await.map_err(|_| GateError::Slow)?.map_err(GateError::Log)?;
                Some(under_way)
            }
            None => None,
        };
        loop {
            // Listened to before the table is asked, so that nothing that happens in between is missed.
            let changed = self.0.registration.standings.notified();
            if let Some(known) = self.0.standings.of(customer) {
                return Ok(Some(known));
            }
            timeout_at(deadline, changed).await.map_err(|_| GateError::Registering)?;
        }
    }

    fn registration_of(&self, customer: &CustomerId, phase: Option<Phase>) -> Result<Append, GateError> {
        let order = Order::Register { phase };
        let reason = "a mailer asked what it may send".to_owned();
        let command = Command { order, reason, by: "gate".to_owned(), role: None };
        let record = Record {
            kind: RecordKind::Command,
            at: (self.0.config.clock)(),
            key: Bytes::copy_from_slice(customer.as_str().as_bytes()),
            headers: Arc::new([]),
            value: serde_json::to_vec(&command)?.into(),
        };
        Ok(Append { topic: Topic::Events, route: Route::ByKey, record })
    }
}
