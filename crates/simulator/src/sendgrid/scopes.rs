//! What the key may do.

use std::collections::BTreeSet;

use super::api;

/// The scopes of the key. A call without its scope is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Default for Scopes {
    fn default() -> Self {
        Self::all()
    }
}

impl Scopes {
    /// Everything that the simulated SendGrid serves.
    pub fn all() -> Self {
        Self(api::all_scopes().collect())
    }

    /// Takes one away.
    #[must_use]
    pub fn without(mut self, scope: &str) -> Self {
        self.0.remove(scope);
        self
    }

    /// Whether the key has it.
    pub fn has(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// All that it has, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
