//! The console's pages, over a real log and a real listener.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod activity;
mod browser;
mod customer;
mod customers;
mod decision;
mod errors;
mod feed;
#[expect(dead_code, reason = "what the API's tests alone need")]
#[path = "../api/house.rs"]
mod house;
mod login;
mod overview;
mod policy;
mod pools;
