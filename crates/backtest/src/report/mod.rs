//! An outcome, shown: in a terminal, or as a page.

mod chart;
mod html;
mod text;
mod words;

pub use html::html;
pub use text::text;
