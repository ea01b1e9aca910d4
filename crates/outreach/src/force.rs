//! Whether what was decided is in force.

use model::{CaseView, Decision, EnforcerMode, EnforcerModes, Held, HeldWhy, Mode, Stage};

/// What has come of a decision so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Force {
    /// The enforcer has let it through, and nothing holds it back.
    InForce {
        /// Mails that the customer may send a day now.
        daily_cap: Option<u32>,
    },
    /// A person has to approve it first.
    AwaitsApproval(String),
    /// The enforcer does not do it; why, in a sentence.
    HeldBack(String),
    /// It is only said.
    Shadow,
    /// The enforcer has not got to it.
    Undecided,
}

impl Force {
    /// What has come of `decision`, by what the enforcer says of its customer.
    ///
    /// Where a stage restrains nobody, and the enforcer has nothing to do with the customer, it is in force by itself.
    pub fn of(decision: &Decision, case: Option<&CaseView>, modes: &EnforcerModes) -> Self {
        if decision.mode == Mode::Shadow || modes.is_all_shadow() {
            return Self::Shadow;
        }
        let restrains = decision.to > Stage::Watch;
        let in_force = case.and_then(|case| case.in_force.as_ref());
        if let Some(held) = case.and_then(|case| case.held.as_ref()) {
            let is_this = held.decision.as_ref().is_none_or(|held| *held == decision.id);
            return if is_this { Self::held(held) } else { Self::Undecided };
        }
        match in_force {
            Some(passed) if passed.stage == decision.to && passed.since >= decision.at => {
                Self::InForce { daily_cap: passed.daily_cap }
            }
            None if !restrains => Self::InForce { daily_cap: None },
            Some(passed) if !restrains && passed.severity() <= Stage::Watch => Self::InForce { daily_cap: None },
            _ if modes.of(decision.to) == EnforcerMode::Shadow => Self::Shadow,
            _ => Self::Undecided,
        }
    }

    fn held(held: &Held) -> Self {
        if held.why == HeldWhy::Approval {
            Self::AwaitsApproval(held.reason.clone())
        } else {
            Self::HeldBack(held.reason.clone())
        }
    }

    /// Whether a message that says so is followed by a second one when `decision` comes into force. A stage that restrains nobody
    /// never visibly comes into force out of shadow.
    pub(crate) fn is_pending(&self, decision: &Decision) -> bool {
        match self {
            Self::InForce { .. } => false,
            Self::AwaitsApproval(_) | Self::HeldBack(_) | Self::Undecided => true,
            Self::Shadow => decision.mode == Mode::Enforce && decision.to > Stage::Watch,
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::InForce { .. } => "in_force",
            Self::AwaitsApproval(_) => "awaits_approval",
            Self::HeldBack(_) => "held_back",
            Self::Shadow => "shadow",
            Self::Undecided => "undecided",
        }
    }

    pub(crate) fn held_reason(&self) -> Option<&str> {
        match self {
            Self::AwaitsApproval(reason) | Self::HeldBack(reason) => Some(reason),
            Self::InForce { .. } | Self::Shadow | Self::Undecided => None,
        }
    }
}
