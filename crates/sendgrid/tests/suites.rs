//! What the crate promises of everything that has SendGrid's shape: its API's client, and its signed webhook.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod api;
#[cfg(feature = "sendgrid-suites")]
mod contract;
mod webhook;
