//! What operators see and do: the real binary, asked by its own command line, over a simulated SendGrid.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod approvals;
mod commands;
mod following;
mod house;
mod runbooks;
mod tokens;
mod top;
