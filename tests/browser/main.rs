//! The console's pages in a real browser, over the real binary and a simulated SendGrid: `.ci/browser` installs what it takes.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod looks;
mod rig;
