//! A reply as it was understood.

use serde::Serialize;

use crate::{Cause, ChargedTo};

/// What a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reading<'t> {
    /// Why the mail was refused.
    pub cause: Cause,
    /// Whose doing that is.
    pub charged_to: ChargedTo,
    /// The rule that knows it; `None` where none does.
    pub rule: Option<&'t str>,
    /// In a sentence.
    pub means: &'t str,
}

impl Reading<'_> {
    /// Of a reply that nothing is known of.
    pub(crate) const UNKNOWN: Reading<'static> = Reading {
        cause: Cause::Unknown,
        charged_to: ChargedTo::Nobody,
        rule: None,
        means: "No rule of the table knows this reply.",
    };
}
