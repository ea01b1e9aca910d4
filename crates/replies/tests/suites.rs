//! The table of replies.

mod opinions;
mod table;
