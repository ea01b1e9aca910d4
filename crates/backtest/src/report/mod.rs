//! An outcome, shown: in a terminal, or as a page.

mod chart;
mod html;
mod text;
mod words;

pub use html::html;
pub use text::text;

/// What was read, and what was left out.
pub fn summary(outcome: &crate::Outcome) -> String {
    words::read(&outcome.read).join("\n")
}
