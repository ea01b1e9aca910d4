//! Reading the topics that the gate answers from.

use std::collections::HashSet;
use std::error::Error;
use std::str::from_utf8;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use log::{Log, Start, Stored, Tail, Topic};
use model::{CaseView, Day, EnforcementKey, PoolName};
use tokio_util::sync::CancellationToken;

use super::ledgers::Life;
use super::reservation::Reservation;
use super::{Gate, Reading};
use crate::IndexError;

/// How long a reader waits before it looks whether it should end, or a day has ended.
const WAIT: Duration = Duration::from_millis(100);

/// What one topic does to the gate.
trait Takes: Send + 'static {
    /// Takes in what was read; `is_past` where it was there before the gate.
    fn take(&mut self, gate: &Gate, records: &[Stored], is_past: bool);
}

/// Starts a thread for each topic; they end with `shutdown`.
pub(super) fn start(
    gate: &Gate,
    log: &Arc<dyn Log>,
    shutdown: &CancellationToken,
) -> Result<Vec<JoinHandle<()>>, IndexError> {
    let reader = |topic: Topic| {
        let tail =
            log.tail(topic, Start::Earliest).map_err(|source| IndexError::Log { topic: topic.name(), source })?;
        Ok(Reader { topic, tail, gate: gate.clone(), shutdown: shutdown.clone() })
    };
    let standings = reader(Topic::Standings)?.spawn(TakesStandings::default(), Reading::standings)?;
    let today = gate.today();
    let enforcement = reader(Topic::Enforcement)?.spawn(TakesEnforcement { today }, Reading::enforcement)?;
    Ok(vec![standings, enforcement])
}

struct Reader {
    topic: Topic,
    tail: Box<dyn Tail>,
    gate: Gate,
    shutdown: CancellationToken,
}

impl Reader {
    fn spawn(self, takes: impl Takes, caught_up: fn(&Reading)) -> Result<JoinHandle<()>, IndexError> {
        let topic = self.topic.name();
        let thread = std::thread::Builder::new().name(format!("gate-{topic}"));
        thread.spawn(move || self.run(takes, caught_up)).map_err(|source| IndexError::Thread { topic, source })
    }

    fn run(mut self, mut takes: impl Takes, caught_up: fn(&Reading)) {
        let (topic, mut is_past) = (self.topic.name(), true);
        while !self.shutdown.is_cancelled() {
            match self.tail.next(WAIT) {
                Ok(records) => takes.take(&self.gate, &records, is_past),
                Err(error) if error.may_pass() => {
                    tracing::warn!(topic, error = &error as &dyn Error, "can't be read just now");
                }
                Err(error) => {
                    tracing::error!(topic, error = &error as &dyn Error, "no longer read; the gate lags");
                    return;
                }
            }
            if is_past && self.tail.caught_up() {
                is_past = false;
                caught_up(&self.gate.0.reading);
            }
        }
    }
}

#[derive(Default)]
struct TakesStandings {
    pools: HashSet<PoolName>,
}

impl Takes for TakesStandings {
    fn take(&mut self, gate: &Gate, records: &[Stored], _is_past: bool) {
        for stored in records {
            if gate.0.standings.take(&stored.record.value, &mut self.pools).is_err() {
                tracing::warn!(offset = %stored.position.offset, "a standing is unreadable; left out");
            }
        }
        if !records.is_empty() {
            gate.0.registration.standings_changed();
        }
    }
}

struct TakesEnforcement {
    today: Day,
}

impl Takes for TakesEnforcement {
    fn take(&mut self, gate: &Gate, records: &[Stored], is_past: bool) {
        let (today, life) = (gate.today(), if is_past { Life::Earlier } else { Life::This });
        if today != self.today {
            self.today = today;
            gate.0.ledgers.forget_before(today.before(1));
        }
        for stored in records {
            let taken = match Reservation::of(stored) {
                Some(Ok(reservation)) if reservation.day >= today.before(1) => {
                    gate.0.ledgers.read(reservation, life);
                    Ok(())
                }
                Some(reservation) => reservation.map(drop),
                None => take_case(gate, stored),
            };
            if let Err(error) = taken {
                tracing::warn!(offset = %stored.position.offset, %error, "a record of enforcement is unreadable; left out");
            }
        }
    }
}

/// What the enforcer has let through; other records are passed over.
fn take_case(gate: &Gate, stored: &Stored) -> serde_json::Result<()> {
    let key = from_utf8(&stored.record.key).ok().and_then(EnforcementKey::parse);
    let Some(EnforcementKey::Case(customer)) = key else { return Ok(()) };
    let value = &stored.record.value;
    let in_force = if value.is_empty() { None } else { serde_json::from_slice::<CaseView>(value)?.in_force };
    gate.0.standings.lets_through(&customer, in_force);
    Ok(())
}
