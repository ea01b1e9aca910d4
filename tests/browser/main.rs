//! The console's pages in a real browser, over the real binary and a simulated SendGrid: `.ci/browser` installs what it takes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod flows;
mod guards;
mod looks;
mod rig;
mod signing_in;
