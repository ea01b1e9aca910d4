//! What the synthetic platform and the simulated SendGrid promise to those who test against them.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod faults;
mod month;
#[cfg(feature = "sendgrid-suites")]
mod official;
mod platform;
mod steering;
mod support;
mod webhook;
