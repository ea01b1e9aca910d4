//! The result of classifying a reply.

use serde::Serialize;

use crate::{Cause, ChargedTo};

/// What a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Classification<'t> {
    /// The cause of the refusal.
    pub cause: Cause,
    /// Who is charged with it.
    pub charged_to: ChargedTo,
    /// The name of the rule that matched, if any.
    pub rule: Option<&'t str>,
    /// The meaning in one sentence.
    pub means: &'t str,
}

impl Classification<'_> {
    /// The classification of a reply that no rule matches.
    pub(crate) const UNKNOWN: Classification<'static> = Classification {
        cause: Cause::Unknown,
        charged_to: ChargedTo::Nobody,
        rule: None,
        means: "No rule matches this reply.",
    };
}
