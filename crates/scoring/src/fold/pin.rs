//! A person's order that no rule moves a customer, where it ends by itself.

use model::{Cause, CustomerId, Millis, Offset, Timestamp};

use super::step::{Move, Origin};
use super::{Fold, Said, Subject, customer_at};
use crate::Store;

/// How long before its end a pin is announced to end; a shorter one at half of its time.
const NOTICE: Millis = Millis::days(1);

impl Fold {
    /// Announces that a customer's pin ends, and ends it; whether it has ended.
    pub(super) fn mind_pin<S: Store>(
        &mut self,
        store: &mut S,
        (id, offset): (&CustomerId, Offset),
        now: Timestamp,
        said: &mut Vec<Said>,
    ) -> Result<bool, S::Error> {
        let customer = customer_at(store, id, offset)?;
        let Some(until) = customer.pinned_until() else { return Ok(false) };
        let pin = customer.pin;
        let notice = Millis::new(NOTICE.get().min(until.since(pin.since).get() / 2));
        let (cause, rule, reason) = if now >= until {
            customer.held = false;
            (Cause::PinEnded, "pin:ended", format!("the order that no rule moves it has ended at {until}"))
        } else if now >= until - notice && !pin.is_announced {
            customer.pin.is_announced = true;
            (Cause::PinEnds, "pin:ends", format!("the order that no rule moves it ends at {until}"))
        } else {
            return Ok(false);
        };
        let (from, to) = (customer.place(&self.policy), customer.stage);
        let step = Move { from, to, rule: rule.to_owned(), origin: Origin::Time(cause, reason) };
        self.carry_out(customer, Subject { id, offset }, step, said);
        Ok(cause == Cause::PinEnded)
    }
}
