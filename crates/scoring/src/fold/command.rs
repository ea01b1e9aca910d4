//! A person's command is followed.

use model::{Command, CustomerId, CustomerNote, Offset, Order, Phase, PilotStep, Role, Stage, Timestamp};

use super::step::{Move, Origin};
use super::{Effect, Fold, Said, Subject, customer_at};
use crate::{Customer, Store};

impl Fold {
    pub(super) fn command<S: Store>(
        &mut self,
        store: &mut S,
        offset: Offset,
        (id, command): (&CustomerId, Command),
        said: &mut Vec<Said>,
    ) -> Result<Effect, S::Error> {
        let now = self.partition.now.unwrap_or_default();
        let customer = customer_at(store, id, offset)?;
        let is_known = !customer.is_new();
        if let Some(why) = refusal(customer, &command) {
            said.push(self.refused(customer, Subject { id, offset }, command, why));
            return Ok(Effect::Refused);
        }
        if !is_known {
            let phase = match command.order {
                Order::SetPhase { phase } | Order::Register { phase: Some(phase) } => phase,
                _ => self.phase_of_newcomers(offset),
            };
            self.welcome(customer, phase, now);
        }
        if let Order::Register { .. } = command.order {
            if !is_known {
                self.tell(customer, id, now, said);
                let wanted = customer.needs_attention();
                store.attend(id, wanted);
            }
            return Ok(Effect::Followed);
        }
        let from = customer.place(&self.policy);
        let to = stage_after(customer, command.order);
        follow(customer, &command, now);
        let rule = format!("command:{}", command.order.name());
        let step = Move { from, to, rule, origin: Origin::Person(command) };
        self.carry_out(customer, Subject { id, offset }, step, said);
        let wanted = customer.needs_attention();
        store.attend(id, wanted);
        Ok(Effect::Followed)
    }

    /// Says that a command was not followed. A customer that Weir does not know stays unknown.
    fn refused(&self, customer: &Customer, subject: Subject<'_>, command: Command, why: String) -> Said {
        let from = customer.place(&self.policy);
        let rule = format!("command:{}", command.order.name());
        let step = Move { from, to: customer.stage, rule, origin: Origin::Refused(command, why) };
        Said::Decision(self.decision(subject, self.partition.now.unwrap_or_default(), step, from))
    }
}

/// Why a command is not followed. What versions wrote that knew no roles is followed as it was.
fn refusal(customer: &Customer, command: &Command) -> Option<String> {
    let role = command.role?;
    let is_ban = matches!(command.order, Order::SetStage { stage: Stage::Banned });
    let is_about_ban =
        customer.stage == Stage::Banned && !matches!(command.order, Order::Note | Order::Register { .. });
    if role < Role::Approver && is_ban {
        return Some("to ban a customer takes the role approver".to_owned());
    }
    if role < Role::Approver && is_about_ban {
        return Some("an approver banned the customer, and only an approver changes that".to_owned());
    }
    let Order::SetPhase { phase } = command.order else { return None };
    let before = (!customer.is_new()).then_some(customer.phase);
    if role < Role::Approver && before == Some(Phase::Offboarded) {
        return Some("to readmit an offboarded customer takes the role approver".to_owned());
    }
    Phase::change(before, phase).err().map(|refused| refused.to_string())
}

/// The stage after an order.
fn stage_after(customer: &Customer, order: Order) -> Stage {
    match order {
        Order::Release { fully: true } => Stage::Healthy,
        Order::Release { fully: false } => customer.stage.milder(),
        Order::SetStage { stage } => stage,
        // Since the person looked, somebody may have held the customer, or it may have come down.
        Order::Undo { stage, .. } if !customer.held => stage.min(customer.stage),
        _ => customer.stage,
    }
}

/// What an order changes beside the stage.
fn follow(customer: &mut Customer, command: &Command, now: Timestamp) {
    match command.order {
        Order::Hold { until } => customer.is_pinned(now, until),
        Order::SetStage { .. } => {
            customer.is_pinned(now, None);
            customer.ordered = Some(now);
        }
        Order::Release { .. } => {
            customer.held = false;
            customer.ordered = Some(now);
        }
        Order::Undo { .. } if customer.held => {}
        Order::Undo { since, .. } => {
            customer.is_forgiven(since);
            customer.ordered = Some(now);
        }
        Order::Exempt { until } => customer.exempt_until = Some(until),
        Order::SetPhase { phase } => {
            customer.phase = phase;
            customer.pilot = PilotStep { step: 0, since: now };
            customer.ordered = Some(now);
        }
        Order::Note => {
            let Command { reason, by, .. } = command;
            customer.is_noted(CustomerNote { at: now, by: by.clone(), text: reason.clone() });
        }
        Order::Register { .. } => {}
    }
}
