//! The fold: events, commands and ticks in; decisions and standings out.
