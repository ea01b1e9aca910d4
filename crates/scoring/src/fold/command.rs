//! A person's command is followed.

use model::{Command, CustomerId, Offset, Order, Stage};

use super::step::{Move, Origin};
use super::{Effect, Fold, Said, Subject};
use crate::Store;
use crate::customer::PilotStep;

impl Fold {
    pub(super) fn command<S: Store>(
        &mut self,
        store: &mut S,
        offset: Offset,
        (id, command): (&CustomerId, Command),
        said: &mut Vec<Said>,
    ) -> Result<Effect, S::Error> {
        let now = self.partition.now.unwrap_or_default();
        let customer = store.customer(id)?;
        if customer.is_new() {
            self.welcome(customer, now);
        }
        let to = match command.order {
            Order::Hold | Order::Exempt { .. } | Order::SetPhase { .. } | Order::Note => customer.stage,
            Order::Release => Stage::Healthy,
            Order::SetStage { stage } => stage,
            // Since the person looked, somebody may have held the customer, or it may have come down.
            Order::Undo { .. } if customer.held => customer.stage,
            Order::Undo { stage, .. } => stage.min(customer.stage),
        };
        match command.order {
            Order::Hold | Order::SetStage { .. } => customer.held = true,
            Order::Release => customer.held = false,
            Order::Undo { .. } if customer.held => {}
            Order::Note => {}
            Order::Undo { since, .. } => customer.is_forgiven(since),
            Order::Exempt { until } => customer.exempt_until = Some(until),
            Order::SetPhase { phase } => {
                customer.phase = phase;
                customer.pilot = PilotStep { step: 0, since: now };
            }
        }
        let rule = format!("command:{}", command.order.name());
        let step = Move { to, rule, origin: Origin::Person(command) };
        self.carry_out(customer, Subject { id, offset }, step, said);
        let wanted = customer.needs_attention();
        store.attend(id, wanted);
        Ok(Effect::Followed)
    }
}
