//! What the console's pages show and do, over a real log and a real listener.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of a test fails the test")]

mod activity;
mod browser;
mod errors;
#[path = "../api/house.rs"]
#[expect(dead_code, reason = "the API's tests need more of it")]
mod house;
mod policy;
mod pools;
