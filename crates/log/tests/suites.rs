//! What the log promises, whichever backend it has, and what each backend promises besides.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod embedded;
#[cfg(feature = "kafka-suites")]
mod kafka;
mod kafka_errors;
mod laws;
#[cfg(target_os = "linux")]
mod linking;
mod seam;
