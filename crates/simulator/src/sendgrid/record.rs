//! Which calls the API was asked.

use std::time::Instant;

/// One call, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its method.
    pub method: String,
    /// Its path with query.
    pub path: String,
    /// The subuser that it was made on behalf of.
    pub on_behalf_of: Option<String>,
    /// Its body as text; empty where it had none.
    pub body: String,
    /// What was answered; 0 where the connection was cut instead.
    pub status: u16,
    /// When it came.
    pub at: Instant,
}

impl Call {
    /// Whether it asked for a change.
    pub fn changes(&self) -> bool {
        self.method != "GET"
    }
}

/// The calls, in the order in which they were answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Vec<Call>);

impl Record {
    /// Some 20 MB; a run that asks more is watched by its latest calls.
    const LONGEST: usize = 100_000;

    pub(super) fn note(&mut self, call: Call) {
        if self.0.len() >= Self::LONGEST {
            self.0.drain(..Self::LONGEST / 2);
        }
        self.0.push(call);
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.0
    }
}
