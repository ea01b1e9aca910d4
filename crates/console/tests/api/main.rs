//! What the operators' API answers, over a real log and a real listener.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of a test fails the test")]

mod access;
mod customers;
mod decisions;
mod elsewhere;
mod headers;
mod house;
mod operating;
mod policy;
mod reading;
mod readings;
