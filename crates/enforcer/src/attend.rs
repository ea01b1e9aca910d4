//! One customer's turn: may it be done, and what is to be done.

use model::{CustomerId, HeldWhy, Standing, Timestamp};
use sendgrid::api::{self, Client};
use tokio::time::Instant;

use crate::action::{Action, Outcome};
use crate::case::Asked;
use crate::eyes::Eyes;
use crate::hold::Hold;
use crate::observation::Observation;
use crate::permit::{Asking, Permit, at_home};
use crate::placement::Placement;
use crate::plan::{Call, Plan};
use crate::reconcile::Subject;
use crate::{Enforcer, Error};

/// What is to be done, by what was seen.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) standing: Standing,
    /// When the look began: it may show what was from then back to the settling time before.
    pub(crate) looked: Instant,
    pub(crate) seen: Observation,
    /// By what SendGrid shows.
    pub(crate) shown: Plan,
    /// By what SendGrid will show once Weir's latest changes have settled.
    pub(crate) settled: Plan,
}

impl Enforcer {
    /// Takes a customer's turn.
    pub(crate) async fn attend(&mut self, customer: &CustomerId) -> Result<(), Error> {
        let Some(said) = self.standings.get(customer).cloned() else {
            let _unknown = self.queue.done(customer);
            return Ok(());
        };
        self.forget_former_place(customer).await?;
        let said = if self.is_at_former_place(customer) { at_home(&said) } else { said };
        let (standing, permit) = self.ask(&said);
        if let Permit::Held { why, reason, expires } = permit {
            return self.hold(&standing, Hold { why, reason, expires }).await;
        }
        // Asked before SendGrid is: a false alarm about everybody must leave calls for those who are let go.
        if permit == (Permit::Go { is_limited: true })
            && let Some(hold) = self.is_too_much(&standing)
        {
            return self.hold(&standing, hold).await;
        }
        let placement = self.placement_of(customer);
        if placement == Placement::Route {
            return self.route(standing, permit).await;
        }
        let Some(client) = self.client.clone() else {
            return self.hold(&standing, Hold::now(HeldWhy::NoKey, "no SendGrid API key is configured")).await;
        };
        if let Some(until) = self.breaker.open_until(Instant::now()) {
            let hold = Hold::now(HeldWhy::Breaker, "SendGrid fails too often: it is tried again in a while");
            self.hold(&standing, hold).await?;
            self.queue.later(customer, until.saturating_duration_since(Instant::now()));
            return Ok(());
        }
        let turn = match self.look(&client, &placement, standing).await {
            Ok(turn) => {
                self.succeeded().await?;
                turn
            }
            Err(error) => return self.failed(&said, None, &error).await,
        };
        match permit {
            Permit::Shadow => self.only_say(turn).await,
            Permit::Go { is_limited } => self.carry_out(&client, turn, is_limited).await,
            Permit::Held { .. } => Ok(()),
        }
    }

    /// What is to be made true, and whether it may be.
    fn ask(&self, said: &Standing) -> (Standing, Permit) {
        let switch = self.switch.borrow();
        let asking = Asking {
            standing: said,
            case: self.memory.get(&said.customer),
            modes: &self.config.modes,
            switch: switch.as_ref(),
            answer: self.answers.get(&said.customer),
            approval_time: self.config.approval_time,
            now: self.now(),
        };
        let standing = asking.effective();
        let permit = Asking { standing: &standing, ..asking }.permit();
        (standing, permit)
    }

    /// Why moving a customer would be too much within the hour.
    fn is_too_much(&mut self, standing: &Standing) -> Option<Hold> {
        let (moved, fleet, now) = ((&standing.customer, standing.sent_24h), self.fleet_24h(), self.now());
        let (why, reason) = self.catch.holds(moved, fleet, self.config.limits, now)?;
        Some(Hold::now(why, &reason))
    }

    async fn look(&mut self, client: &Client, placement: &Placement, standing: Standing) -> Result<Turn, api::Error> {
        let before = self.memory.get(&standing.customer).and_then(|case| case.before.as_ref());
        let subject = Subject { placement, standing: &standing, before };
        let (looked, span) = (Instant::now(), self.span(&standing.customer, "look at SendGrid"));
        let shown = subject.observe(&Eyes { client, snapshot: None }, &self.pools).await?;
        drop(span);
        let seen = self.recent.over(shown.clone(), looked);
        let (shown, settled) = (subject.plan(&shown, &self.pools), subject.plan(&seen, &self.pools));
        Ok(Turn { looked, seen, shown, settled, standing })
    }

    /// Says what would be done, once.
    async fn only_say(&mut self, turn: Turn) -> Result<(), Error> {
        if self.is_news(&turn.standing) {
            for reason in turn.settled.held_back.iter().chain(&turn.settled.impossible) {
                let mut action = self.action(&turn.standing, Outcome::HeldBack, None);
                action.reason = Some(reason.clone());
                action.why = Some(HeldWhy::NotPossible);
                self.record(action).await?;
            }
            for call in turn.settled.calls {
                self.record(self.action(&turn.standing, Outcome::Shadowed, Some(call))).await?;
            }
            self.note_said(&turn.standing);
        }
        self.hold_no_longer(&turn.standing.customer).await?;
        self.finish(&turn.standing.customer);
        Ok(())
    }

    /// Where what is to be is only said, nothing waits any more.
    async fn hold_no_longer(&mut self, customer: &CustomerId) -> Result<(), Error> {
        let mut case = self.memory.case(customer);
        if case.held.take().is_none() {
            return Ok(());
        }
        if case.is_moved() || case.before.is_some() {
            self.memory.keep(case, self.now()).await
        } else {
            self.memory.close(customer, self.now()).await
        }
    }

    /// What is let through, mailers are told that ask; there is nothing to do at SendGrid.
    async fn route(&mut self, standing: Standing, permit: Permit) -> Result<(), Error> {
        let customer = standing.customer.clone();
        let is_news = self.is_news(&standing);
        if let Permit::Go { is_limited } = permit {
            let turn = Turn {
                standing,
                looked: Instant::now(),
                seen: Observation::default(),
                shown: Plan::default(),
                settled: Plan::default(),
            };
            self.pass(&turn, is_limited).await?;
            if is_news {
                self.say(&turn.standing, Outcome::Route, "the mailer asks for the pool to name").await?;
                self.note_said(&turn.standing);
            }
            return self.confirm(turn).await;
        }
        if is_news {
            self.say(&standing, Outcome::Route, "the mailer would be told which pool to name").await?;
            self.note_said(&standing);
        }
        self.hold_no_longer(&customer).await?;
        self.finish(&customer);
        Ok(())
    }

    /// Remembers that a person was asked about the standing's decision, and since when.
    pub(crate) fn asked(&self, standing: &Standing, now: Timestamp) -> Option<Asked> {
        let decision = standing.rule_decision()?;
        let asked = self.memory.get(&standing.customer).and_then(|case| case.asked.clone());
        asked
            .filter(|asked| asked.decision == *decision)
            .or_else(|| Some(Asked { decision: decision.clone(), at: now }))
    }

    pub(crate) async fn say(&mut self, standing: &Standing, outcome: Outcome, reason: &str) -> Result<(), Error> {
        let mut action = self.action(standing, outcome, None);
        action.reason = Some(reason.to_owned());
        self.record(action).await
    }

    pub(crate) fn action(&self, standing: &Standing, outcome: Outcome, request: Option<Call>) -> Action {
        Action { request, ..Action::new(standing, self.now(), outcome) }
    }

    pub(crate) fn finish(&mut self, customer: &CustomerId) {
        self.end_trace(customer);
        if let Some(took) = self.queue.done(customer) {
            self.metrics.enforced.observe(took.as_secs_f64());
        }
    }
}
