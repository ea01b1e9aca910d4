//! Granting mail: from what is held, and where that is too little, after a claim.

use std::time::Duration;

use model::{CustomerId, Day};
use tokio::time::{Instant, timeout_at};

use super::allowance::{Admitted, Limit};
use super::ledger::Step;
use super::reservation::Reservation;
use super::{Gate, GateError};

/// How long a mailer waits for the log before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a mailer's question leads to.
enum Asked {
    /// This answer.
    Answered(Admitted),
    /// This total of this day is to be claimed; then it is asked again.
    Claim(Day, u32),
    /// It is asked again when a claim that is on its way has been read back.
    Wait,
}

impl Gate {
    /// At the end of the process: grants nothing more, and gives back what it has reserved and not granted, so that others, or
    /// the next process of this name, can have it.
    ///
    /// # Errors
    ///
    /// What the log says, or that it takes too long; then as much is lost as by a crash.
    pub async fn hand_back(&self) -> Result<(), GateError> {
        let at = (self.0.config.clock)();
        let unspent = self.0.ledgers.hand_back();
        let appends = unspent.iter().filter_map(|reservation| reservation.append(at, self.0.partitions).ok());
        let appends: Vec<_> = appends.collect();
        if appends.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        timeout_at(deadline, self.0.producer.append(appends))
            .await
            .map_err(|_| GateError::Slow)?
            .map_err(GateError::Log)
    }

    /// Grants up to `wanted` mails.
    pub(super) async fn admit(&self, customer: &CustomerId, wanted: u32) -> Result<Admitted, GateError> {
        let deadline = Instant::now() + PATIENCE;
        let mut asked = match self.ask(customer, wanted).await? {
            Asked::Answered(admitted) => return Ok(admitted),
            asked => asked,
        };
        let changed = self.0.ledgers.changed(customer);
        loop {
            match asked {
                Asked::Answered(admitted) => return Ok(admitted),
                Asked::Claim(day, total) => self.claim(customer, day, total, deadline).await?,
                Asked::Wait => {}
            }
            // Listened to before the ledger is asked, so that nothing that happens in between is missed.
            let news = changed.notified();
            asked = self.ask(customer, wanted).await?;
            if matches!(asked, Asked::Wait) {
                timeout_at(deadline, news).await.map_err(|_| GateError::Slow)?;
            }
        }
    }

    /// The answer to a mailer, where nothing has to come before it.
    async fn ask(&self, customer: &CustomerId, wanted: u32) -> Result<Asked, GateError> {
        let allowance = self.allowance(customer).await?;
        let cap = match allowance.limit {
            Limit::None => return Ok(Asked::Answered(Admitted::uncounted(wanted, allowance, None))),
            Limit::Stopped { .. } => return Ok(Asked::Answered(Admitted::uncounted(0, allowance, Some(0)))),
            Limit::Daily(cap) => cap,
        };
        let today = self.today();
        let (step, left) = self.0.ledgers.admit(customer, today, cap, wanted).ok_or(GateError::Ending)?;
        Ok(match step {
            Step::Granted(granted) => {
                let (remaining, resets_at) = (Some(left), Some(today.end()));
                Asked::Answered(Admitted { granted, allowance, remaining, resets_at })
            }
            Step::Claim(total) => Asked::Claim(today, total),
            Step::Wait => Asked::Wait,
        })
    }

    /// Says a new total on the log. It is held once it has been read back.
    async fn claim(&self, customer: &CustomerId, day: Day, total: u32, deadline: Instant) -> Result<(), GateError> {
        let by = self.0.ledgers.instance().clone();
        let reservation = Reservation { customer: customer.clone(), day, reserved: total, by };
        let append = reservation.append((self.0.config.clock)(), self.0.partitions)?;
        let gate = self.clone();
        // On its own, so that a mailer that goes away leaves no claim of which nobody knows how it ended.
        let said = tokio::spawn(async move {
            let said = gate.0.producer.append(vec![append]).await;
            if said.is_err() {
                gate.0.ledgers.failed(&reservation);
            }
            said
        });
        let said = timeout_at(deadline, said).await.map_err(|_| GateError::Slow)?;
        said.map_err(|_| GateError::Ending)?.map_err(GateError::Log)
    }
}
