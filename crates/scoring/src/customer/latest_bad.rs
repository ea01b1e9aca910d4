//! A sample of bad events, for the evidence of a decision.

use policy::Signal;
use serde::{Deserialize, Serialize};

/// The ids of the latest bad events of each signal since the last release: a sample for the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LatestBad(Vec<(Signal, Vec<String>)>);

impl LatestBad {
    /// How many are kept of each signal.
    const KEPT: usize = 5;
    /// Longer ids are cut: SendGrid promises at most 100 characters.
    const ID_CHARACTERS: usize = 100;

    pub(crate) fn remember(&mut self, signal: Signal, id: &str) {
        let at = self.0.iter().position(|(known, _)| *known == signal).unwrap_or_else(|| {
            self.0.push((signal, Vec::new()));
            self.0.len() - 1
        });
        let latest = &mut self.0[at].1;
        if latest.len() == Self::KEPT {
            latest.remove(0);
        }
        latest.push(id.chars().take(Self::ID_CHARACTERS).collect());
    }

    /// Of `signal`, newest last.
    pub(crate) fn of(&self, signal: Signal) -> &[String] {
        let found = self.0.iter().find(|(known, _)| *known == signal);
        found.map(|(_, ids)| ids.as_slice()).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
