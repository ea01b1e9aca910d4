//! What is not done is said once, with its reason, and looked at again.

use std::time::Duration;

use model::{Held, HeldWhy, Standing, Timestamp};

use crate::action::Outcome;
use crate::{Enforcer, Error};

/// How soon what may pass is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

/// Something is held back.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) why: HeldWhy,
    pub(crate) reason: String,
    /// Until when a person may answer.
    pub(crate) expires: Option<Timestamp>,
}

impl Hold {
    pub(crate) fn now(why: HeldWhy, reason: &str) -> Self {
        Self { why, reason: reason.to_owned(), expires: None }
    }
}

impl Enforcer {
    /// Holds a customer's standing back: on the log, in the topic of actions and in the metrics, once for each reason.
    pub(crate) async fn hold(&mut self, standing: &Standing, hold: Hold) -> Result<(), Error> {
        let now = self.now();
        let decision = standing.rule_decision().cloned();
        let mut case = self.memory.case(&standing.customer);
        let is_known = case
            .held
            .as_ref()
            .is_some_and(|held| held.why == hold.why && held.reason == hold.reason && held.decision == decision);
        if !is_known {
            tracing::warn!(customer = %standing.customer, stage = %standing.stage, why = hold.why.name(), "held back: {}", hold.reason);
            let mut action = self.action(standing, Outcome::HeldBack, None);
            action.reason = Some(hold.reason.clone());
            action.why = Some(hold.why);
            self.record(action).await?;
            if hold.why == HeldWhy::Approval {
                case.asked = self.asked(standing, now);
            }
            case.stage = standing.stage;
            case.held = Some(Held { why: hold.why, reason: hold.reason, decision, since: now, expires: hold.expires });
            self.memory.keep(case, now).await?;
        }
        match hold.why {
            // Nothing changes these but a new decision, a person's word, which is heard, or a change at SendGrid, which is swept.
            HeldWhy::Rejected
            | HeldWhy::Expired
            | HeldWhy::NoKey
            | HeldWhy::NotPossible
            | HeldWhy::Adopted
            | HeldWhy::Forgotten => {
                let _waited = self.queue.done(&standing.customer);
            }
            HeldWhy::Approval
            | HeldWhy::Paused
            | HeldWhy::CustomersPerHour
            | HeldWhy::VolumePerHour
            | HeldWhy::Breaker => self.queue.later(&standing.customer, AGAIN),
        }
        Ok(())
    }
}
