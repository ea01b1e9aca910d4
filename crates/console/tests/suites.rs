//! What the console promises to operators, to mailers and to people with a browser, over a real log and a real listener.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of a test fails the test")]

mod api;
mod broken;
mod gate;
mod house;
mod pages;
