//! What the table of replies knows.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod opinions;
mod table;
