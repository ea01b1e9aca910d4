//! One customer's turn: may it be done, what is to be done, and doing it.

use model::{CustomerId, HeldWhy, InForce, Stage, Standing, Timestamp};
use sendgrid::api::{self, Client};
use tokio::time::Instant;

use crate::action::{Action, Outcome};
use crate::case::{Asked, Before};
use crate::config::OnDrift;
use crate::eyes::Eyes;
use crate::hold::Hold;
use crate::observation::Observation;
use crate::permit::{Asking, Permit, at_home};
use crate::placement::Placement;
use crate::plan::{Call, Plan};
use crate::reconcile::Subject;
use crate::{Enforcer, Error};

/// How long what was moved home is remembered: so long does a move count against the hour's limits.
const REMEMBERED: model::Millis = model::Millis::hours(1);
/// What is said of a change by hand that is left.
const ADOPTED: &str = "somebody changed it at SendGrid, which is left until the customer's next decision";

/// What is to be done, by what was seen.
#[derive(Debug)]
struct Turn {
    standing: Standing,
    /// When the look began: it may show what was from then back to the settling time before.
    looked: Instant,
    seen: Observation,
    /// By what SendGrid shows.
    shown: Plan,
    /// By what SendGrid will show once Weir's latest changes have settled.
    settled: Plan,
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
        let looked = Instant::now();
        let shown = subject.observe(&Eyes { client, snapshot: None }, &self.pools).await?;
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

    async fn carry_out(&mut self, client: &Client, turn: Turn, is_limited: bool) -> Result<(), Error> {
        let customer = turn.standing.customer.clone();
        if turn.settled.calls.is_empty() {
            return self.see_through(turn).await;
        }
        if self.memory.case(&customer).is_carried(&turn.standing) && !self.drifted(&turn).await? {
            return Ok(());
        }
        self.pass(&turn, is_limited).await?;
        for call in turn.settled.calls {
            if matches!(call, Call::RemoveFromPool { .. }) && turn.looked < self.settles() {
                // What was taken out by whoever acted before may not be to be seen yet.
                self.look_at(&customer, self.settles());
                return Ok(());
            }
            if !self.may_call() || !self.call(client, &turn.standing, call).await? {
                return Ok(());
            }
        }
        // It is seen whether that was so.
        self.queue.again(&customer);
        Ok(())
    }

    /// Nothing is to be done any more; whether it is so is to be seen, once a look can't show what was before.
    async fn see_through(&mut self, turn: Turn) -> Result<(), Error> {
        let customer = &turn.standing.customer;
        if !turn.shown.calls.is_empty() {
            // Done, and not to be seen yet.
            self.queue.again(customer);
            return Ok(());
        }
        let clear = self.recent.doubted_until(customer).map_or(self.settles(), |until| until.max(self.settles()));
        if turn.looked < clear {
            self.look_at(customer, clear);
            return Ok(());
        }
        self.confirm(turn).await
    }

    /// The customer's turn comes again at `moment`.
    fn look_at(&mut self, customer: &CustomerId, moment: Instant) {
        self.queue.later(customer, moment.saturating_duration_since(Instant::now()));
    }

    /// Lets a standing through; how the customer was before is on the log then, so that a crash between two calls does not lose
    /// the way back.
    async fn pass(&mut self, turn: &Turn, is_limited: bool) -> Result<(), Error> {
        let (standing, now) = (&turn.standing, self.now());
        let mut case = self.memory.case(&standing.customer);
        let placement = self.placement_of(&standing.customer);
        if case.before.is_none() && placement != Placement::Route {
            case.before = self.subject_of(standing, |subject| subject.remembered(&turn.seen));
            let mut action = self.action(standing, Outcome::Observed, None);
            action.before.clone_from(&case.before);
            action.reason = Some("how it was before the first change".to_owned());
            self.record(action).await?;
        } else if case.has_passed(standing) {
            return Ok(());
        }
        if !case.has_passed(standing) {
            // What persons order or approve, and what relaxes, counts against no limit.
            let counted = is_limited.then_some(standing.sent_24h);
            if let Some(sent) = counted {
                self.catch.note(&standing.customer, now, sent);
            }
            case.held = None;
            case.adopted = None;
            case.pass(standing, now, counted);
        }
        case.stage = standing.stage;
        case.placement = Some(placement);
        self.memory.keep(case, now).await?;
        // It is watched anew once SendGrid shows it.
        self.watched.set(&standing.customer, None);
        Ok(())
    }

    fn subject_of<T>(&self, standing: &Standing, ask: impl FnOnce(Subject<'_>) -> T) -> T {
        let placement = self.placement_of(&standing.customer);
        let before = self.memory.get(&standing.customer).and_then(|case| case.before.as_ref());
        ask(Subject { placement: &placement, standing, before })
    }

    /// SendGrid shows what is to be true.
    async fn confirm(&mut self, turn: Turn) -> Result<(), Error> {
        let (standing, now) = (turn.standing, self.now());
        let mut case = self.memory.case(&standing.customer);
        let (is_whole, was_former) = (turn.settled.held_back.is_empty(), self.is_at_former_place(&standing.customer));
        // What is held back may be done once somebody has mended it: then nothing was changed by hand, and it is let through then.
        if is_whole {
            if !case.has_passed(&standing) && (case.is_moved() || standing.severity() > Stage::Watch) {
                case.pass(&standing, now, None);
                case.placement = Some(self.placement_of(&standing.customer));
            }
            self.watch_mail(&InForce::of(&standing), &standing.customer, &turn.seen);
        }
        case.carried = is_whole.then(|| InForce::of(&standing));
        case.stage = standing.stage;
        let reasons = [turn.settled.held_back, turn.settled.impossible].concat();
        if !reasons.is_empty() {
            self.memory.keep(case, now).await?;
            let reasons = reasons.join("; ");
            return self.hold(&standing, Hold::now(HeldWhy::NotPossible, &reasons)).await;
        }
        case.held = None;
        let is_home = standing.severity() <= Stage::Watch;
        let is_routed = self.placement_of(&standing.customer) == Placement::Route;
        let is_over =
            is_routed || was_former || case.passed.as_ref().is_none_or(|passed| now.since(passed.at) >= REMEMBERED);
        if is_home && is_over {
            self.memory.close(&standing.customer, now).await?;
        } else {
            self.memory.keep(case, now).await?;
        }
        self.finish(&standing.customer);
        if was_former {
            // Its turn at the place where it is now.
            self.look_again(&standing.customer);
        }
        Ok(())
    }

    /// SendGrid is no longer as it was seen to be; whether that is to be put right.
    async fn drifted(&mut self, turn: &Turn) -> Result<bool, Error> {
        let (standing, now) = (&turn.standing, self.now());
        let mut case = self.memory.case(&standing.customer);
        if case.adopted.as_ref().is_some_and(|adopted| adopted.is(standing)) {
            if case.held.as_ref().is_none_or(|held| held.why != HeldWhy::Adopted) {
                self.hold(standing, Hold::now(HeldWhy::Adopted, ADOPTED)).await?;
            }
            self.finish(&standing.customer);
            return Ok(false);
        }
        if turn.looked < self.settles() {
            // It may be a state from before what another enforcer did.
            self.look_at(&standing.customer, self.settles());
            return Ok(false);
        }
        if standing.severity() <= Stage::Watch {
            // Whatever is changed about one that is home is nothing to Weir: how it is now is how it is.
            case.before = None;
            self.memory.keep(case, now).await?;
            self.finish(&standing.customer);
            return Ok(false);
        }
        let changes: Vec<_> = turn.settled.calls.iter().map(ToString::to_string).collect();
        let reason = format!("somebody changed it at SendGrid; to put it right: {}", changes.join("; "));
        // Whoever disabled it, for phishing perhaps, knows what Weir does not.
        let is_stopped =
            turn.settled.calls.iter().any(|call| matches!(call, Call::SetDisabled { disabled: false, .. }));
        let is_adopted = is_stopped || self.config.on_drift == OnDrift::Adopt;
        tracing::warn!(customer = %standing.customer, is_adopted, "{reason}");
        self.metrics.drifts.with_label_values(&[if is_adopted { "adopted" } else { "corrected" }]).inc();
        self.say(standing, Outcome::Drifted, &reason).await?;
        if is_adopted {
            case.adopted = Some(InForce::of(standing));
            if let Some(Before::Subuser(before)) = &mut case.before {
                before.disabled |= is_stopped;
            }
            self.memory.keep(case, now).await?;
            self.hold(standing, Hold::now(HeldWhy::Adopted, ADOPTED)).await?;
        } else {
            case.carried = None;
            self.memory.keep(case, now).await?;
        }
        Ok(!is_adopted)
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
        if let Some(took) = self.queue.done(customer) {
            self.metrics.enforced.observe(took.as_secs_f64());
        }
    }
}
