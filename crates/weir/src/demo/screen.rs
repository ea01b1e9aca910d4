//! What the demo prints while it runs: lines, and on a terminal a progress bar below them.

use indicatif::{ProgressBar, ProgressStyle};
use model::Millis;

use crate::cli::print;

/// The terminal, or whatever standard output is.
#[derive(Debug)]
pub(crate) struct Screen(ProgressBar);

impl Screen {
    /// A screen with a progress bar of so many simulated minutes.
    pub(crate) fn new(length: Millis) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(minutes(length));
        bar.set_style(ProgressStyle::with_template("{bar:30} minute {pos}/{len}  {msg}")?);
        Ok(Self(bar))
    }

    /// A screen without a progress bar, on which a visitor can type.
    pub(crate) fn without_progress() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Prints a line above the progress bar.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| print(line));
    }

    /// Moves the progress bar.
    pub(crate) fn show_progress(&self, passed: Millis, message: String) {
        self.0.set_position(minutes(passed));
        self.0.set_message(message);
    }

    /// Removes the progress bar.
    pub(crate) fn remove_progress(&self) {
        self.0.finish_and_clear();
    }
}

/// Whole minutes of `span`.
pub(crate) fn minutes(span: Millis) -> u64 {
    u64::try_from(span.get() / 60_000).unwrap_or(0)
}
