//! Carrying a turn out: letting it through, the calls, and seeing that it is so.

use model::{CustomerId, HeldWhy, InForce, Stage, Standing};
use sendgrid::api::Client;
use tokio::time::Instant;

use crate::action::Outcome;
use crate::attend::Turn;
use crate::case::Before;
use crate::config::OnDrift;
use crate::hold::Hold;
use crate::placement::Placement;
use crate::plan::Call;
use crate::reconcile::Subject;
use crate::{Enforcer, Error};

/// How long what was moved home is remembered: so long does a move count against the hour's limits.
const REMEMBERED: model::Millis = model::Millis::hours(1);
/// What is said of a change by hand that is left.
const ADOPTED: &str = "somebody changed it at SendGrid, which is left until the customer's next decision";

impl Enforcer {
    pub(crate) async fn carry_out(&mut self, client: &Client, turn: Turn, is_limited: bool) -> Result<(), Error> {
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
    pub(crate) async fn pass(&mut self, turn: &Turn, is_limited: bool) -> Result<(), Error> {
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
    pub(crate) async fn confirm(&mut self, turn: Turn) -> Result<(), Error> {
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
        let drifts = if is_adopted { &self.metrics.adopted } else { &self.metrics.corrected };
        drifts.inc();
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
}
