//! What stands between a decision and its being carried out: the hour's limits, a person's word, the pause; and what becomes
//! of a change by hand.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod approval;
mod drift;
mod house;
mod limits;
mod pause;
