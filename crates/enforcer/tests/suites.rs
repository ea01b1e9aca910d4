//! What the enforcer promises, over a real log and a simulated SendGrid.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod faults;
mod guards;
mod obedience;
