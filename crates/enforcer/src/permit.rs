//! Whether what was decided may be carried out: a pure function of the mode, what persons said, and what was done before.

use model::{Answer, EnforcerMode, EnforcerModes, HeldWhy, Millis, Sending, Stage, Standing, Switch, Timestamp};

use crate::case::Case;

/// Whether it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// It may; what moves a customer to a stricter place by a rule counts against the hour's limits.
    Go { is_limited: bool },
    /// It is only said.
    Shadow,
    /// It may not, for now.
    Held {
        why: HeldWhy,
        reason: String,
        /// Until when a person may answer.
        expires: Option<Timestamp>,
    },
}

/// What it is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) standing: &'a Standing,
    pub(crate) case: Option<&'a Case>,
    pub(crate) modes: &'a EnforcerModes,
    pub(crate) switch: Option<&'a Switch>,
    pub(crate) answer: Option<&'a Answer>,
    pub(crate) approval_time: Millis,
    pub(crate) now: Timestamp,
}

/// A standing by which nothing restrains the customer.
pub(crate) fn at_home(standing: &Standing) -> Standing {
    Standing { stage: Stage::Healthy, sending: Sending::Free, daily_cap: None, pool: None, ..standing.clone() }
}

impl Asking<'_> {
    /// What is to be made true: where its stage is only said, a customer that Weir has moved to a stricter one is let go home.
    pub(crate) fn effective(&self) -> Standing {
        let standing = self.standing;
        let is_said_only = self.modes.of_standing(standing) == EnforcerMode::Shadow && !self.modes.is_all_shadow();
        let was_stricter = self.case.is_some_and(|case| case.severity() > standing.severity());
        if is_said_only && was_stricter {
            return at_home(standing);
        }
        standing.clone()
    }

    /// Whether it may be carried out.
    pub(crate) fn permit(&self) -> Permit {
        let mode = self.mode();
        if mode == EnforcerMode::Shadow {
            return Permit::Shadow;
        }
        if let Some(reason) = self.forgotten() {
            return Permit::Held { why: HeldWhy::Forgotten, reason, expires: None };
        }
        let has_passed = self.case.is_some_and(|case| case.has_passed(self.standing));
        let permit = if has_passed || !self.tightens() || self.standing.rule_decision().is_none() {
            Permit::Go { is_limited: false }
        } else if mode == EnforcerMode::Approve {
            self.approval()
        } else {
            Permit::Go { is_limited: true }
        };
        match self.switch.filter(|switch| switch.paused) {
            // What awaits approval can be answered meanwhile.
            Some(switch) if matches!(permit, Permit::Go { .. }) => {
                let reason = format!("{} has paused enforcement: {}", switch.by, switch.reason);
                Permit::Held { why: HeldWhy::Paused, reason, expires: None }
            }
            _ => permit,
        }
    }

    /// Why the customer is not let go, where a person restrained it and the scorer's state met it only later: a state that is lost
    /// forgets orders that the log no longer holds.
    fn forgotten(&self) -> Option<String> {
        let Standing { customer, known_since, ordered, .. } = self.standing;
        let in_force = self.case?.in_force.as_ref().filter(|in_force| in_force.is_by_person())?;
        let relaxes = in_force.severity() > self.standing.severity();
        let met_later = *known_since > in_force.since;
        let ordered_later = ordered.is_some_and(|at| at > in_force.since);
        (relaxes && met_later && !ordered_later).then(|| {
            let severity = in_force.severity();
            format!(
                "a person restrained {customer} as {severity} (since {}), and the scorer's state knows the customer only since {known_since}, \
                 so it may have forgotten that: `weir set-stage {customer} {severity}` keeps it restrained, `weir release {customer}` lets it go",
                in_force.since
            )
        })
    }

    /// Whether it is stricter than what was let through before.
    pub(crate) fn tightens(&self) -> bool {
        self.standing.severity() > self.case.map_or(Stage::Healthy, Case::severity)
    }

    /// What Weir has moved is let go home in any mode but where everything is only said.
    fn mode(&self) -> EnforcerMode {
        let is_home_going = !self.tightens() && self.case.is_some_and(Case::is_moved);
        if is_home_going && !self.modes.is_all_shadow() {
            return EnforcerMode::Enforce;
        }
        self.modes.of_standing(self.standing)
    }

    fn approval(&self) -> Permit {
        let decision = self.standing.rule_decision();
        let asked = self.case.and_then(|case| case.asked.as_ref()).filter(|asked| Some(&asked.decision) == decision);
        let expires = asked.map_or(self.now, |asked| asked.at) + self.approval_time;
        let answer = self.answer.filter(|answer| Some(&answer.decision) == decision && answer.at <= expires);
        match answer {
            Some(answer) if answer.approved => Permit::Go { is_limited: false },
            Some(answer) => {
                let reason = format!("{} has rejected it: {}", answer.by, answer.reason);
                Permit::Held { why: HeldWhy::Rejected, reason, expires: None }
            }
            None if self.now > expires => {
                let reason = "nobody answered in time; the customer's next decision is asked about anew, or put it there by hand";
                Permit::Held { why: HeldWhy::Expired, reason: reason.to_owned(), expires: None }
            }
            None => {
                let customer = self.standing.customer.as_str();
                let reason = format!("a person has to approve it: weir approve {customer}, or weir reject {customer}");
                Permit::Held { why: HeldWhy::Approval, reason, expires: Some(expires) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::standing;

    const BANNED: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn at(days: i64) -> Timestamp {
        BANNED + Millis::days(days)
    }

    /// What becomes of a customer whose ban a person ordered, once it stands as `now` says.
    fn after_ban(now: &Standing) -> Permit {
        let ban = Standing { reasons: Vec::new(), since: BANNED, ..standing("acme", Stage::Banned, None) };
        let mut case = Case::new(ban.customer.clone());
        case.pass(&ban, BANNED, None);
        let modes = EnforcerModes::all(EnforcerMode::Enforce);
        let asking = Asking {
            standing: now,
            case: Some(&case),
            modes: &modes,
            switch: None,
            answer: None,
            approval_time: Millis::hours(1),
            now: at(60),
        };
        asking.permit()
    }

    #[test]
    fn a_state_that_met_a_customer_after_its_ban_lets_it_go_only_where_a_person_says_so() {
        let healthy = Standing {
            reasons: Vec::new(),
            since: at(50),
            known_since: at(50),
            ..standing("acme", Stage::Healthy, None)
        };
        let Permit::Held { why: HeldWhy::Forgotten, reason, .. } = after_ban(&healthy) else {
            panic!("{:?}", after_ban(&healthy))
        };
        assert!(reason.contains("weir set-stage acme banned") && reason.contains("weir release acme"), "{reason}");

        let go = Permit::Go { is_limited: false };
        assert_eq!(after_ban(&Standing { ordered: Some(at(55)), ..healthy.clone() }), go, "a person has said so since");
        assert_eq!(after_ban(&Standing { known_since: at(-1), ..healthy.clone() }), go, "the state knows of the ban");
        let stricter = Standing { stage: Stage::Banned, sending: Sending::None, ..healthy };
        assert_eq!(after_ban(&stricter), go, "it is not let go");
    }
}
