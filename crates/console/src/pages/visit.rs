//! Who looks at a page, and when.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use model::Timestamp;
use serde::Deserialize;

use crate::access::{Caller, Credential, Csrf, Role};
use crate::admin::Admin;

/// Who looks, when, and what they have just done.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    /// What forms have to carry; `None` where there is no session.
    pub(crate) csrf: Option<String>,
    pub(crate) now: Timestamp,
    /// What the form that led here did.
    pub(crate) done: Option<Done>,
    /// Whether the log is still being read, so that figures are not whole yet.
    pub(crate) is_starting: bool,
}

/// What a form did, as the address behind it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Done {
    /// A command is on the log.
    Command,
    Note,
    Approved,
    Rejected,
    Paused,
    Resumed,
    Policy,
    Undone,
    Acknowledged,
}

impl Done {
    /// The name in an address.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Note => "note",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Policy => "policy",
            Self::Undone => "undone",
            Self::Acknowledged => "acknowledged",
        }
    }

    /// In a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Command => {
                "Written to the log. The scorer follows it within moments, and the decision then shows here."
            }
            Self::Note => "The note is written to the log, and shows in the history within moments.",
            Self::Approved => "Approved. The enforcer carries it out within moments.",
            Self::Rejected => "Rejected. The customer is left as it is until its next decision.",
            Self::Paused => "Enforcement is paused: nothing is changed at SendGrid until it is resumed.",
            Self::Resumed => "Enforcement goes on.",
            Self::Policy => "The policy is in force from here on.",
            Self::Acknowledged => "Acknowledged. The banner goes within moments, until SendGrid does something else.",
            Self::Undone => "Taken back. The customers are where they stood before the rule moved them.",
        }
    }
}

#[derive(Deserialize)]
struct Behind {
    done: Option<Done>,
}

impl Visit {
    /// The caller's role in a word.
    pub(crate) const fn role(&self) -> &'static str {
        match self.caller.role {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Approver => "approver",
        }
    }

    /// Whether the caller may do what needs `role`.
    pub(crate) fn may(&self, role: Role) -> bool {
        self.caller.role >= role
    }
}

impl FromRequestParts<Admin> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>().cloned();
        // Whoever was not told apart may look, and no more.
        let caller = caller.unwrap_or_else(|| Caller {
            name: "nobody".to_owned(),
            role: Role::Viewer,
            credential: Credential::Open,
        });
        let csrf = parts.extensions.get::<Csrf>().map(|csrf| csrf.0.clone());
        let behind = Query::<Behind>::try_from_uri(&parts.uri);
        let done = behind.ok().and_then(|Query(behind)| behind.done);
        Ok(Self { caller, csrf, now: (admin.clock)(), done, is_starting: !admin.index.is_caught_up() })
    }
}
