//! What the receiver promises, held against a real receiver over a real log.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails there")]

mod attacks;
mod attribution;
mod bad_input;
mod duplicates;
mod durability;
mod elements;
mod limits;
mod pseudonyms;
mod support;
mod transport;
