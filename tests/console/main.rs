//! The console of the real binary: people use it in a browser, and programs by the API's description.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

#[cfg(feature = "browser-suites")]
mod browser;
#[cfg(feature = "api-suites")]
mod described;
