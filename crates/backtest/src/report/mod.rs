//! An outcome, shown: in a terminal, or as a page.

mod chart;
mod html;
mod text;
mod words;

pub use html::html;
pub use text::text;

/// What was read, what was left out, and how many of life's decisions were made again.
pub fn summary(outcome: &crate::Outcome) -> String {
    let mut lines = words::read(&outcome.read);
    lines.extend(words::beside_life(outcome));
    lines.join("\n")
}
