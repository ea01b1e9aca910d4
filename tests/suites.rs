//! Decisions from a simulated platform's mail: which are made, replayed, published, explained, recounted and backtested.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod backtest;
mod explain;
mod recount;
mod replay;
mod schemas;
mod verdicts;
