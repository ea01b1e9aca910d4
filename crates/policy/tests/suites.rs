//! What policies promise: their arithmetic, their fairness, and that they do what they say of themselves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod case;
mod likelihood;
mod monotone;
mod reference;
mod words;
