//! The client's promises, over real sockets.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod ids;
mod keeping_to_limits;
mod page_of_calls;
mod pages;
mod repeating;
mod secrets;
mod server;
