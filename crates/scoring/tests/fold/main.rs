//! What the fold makes of events, commands and time.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod accounts;
mod arrivals;
mod clocks;
mod house;
mod incidents;
mod journal;
mod ladder;
mod limits;
mod offences;
mod orders;
mod pins;
mod profiles;
mod records;
mod releases;
mod roles;
mod scheduled;
mod story;
