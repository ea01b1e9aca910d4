//! What is said of a decision: whether it can be derived again, whether its figures hold, and why it was made.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod made;
mod recount;
mod review;
