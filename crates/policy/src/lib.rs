//! What a customer's standing should be, and why.
//!
//! A [`Policy`] is read from a TOML file and judges one [`Case`] at a time: a customer's counts, its place on the ladder
//! and the fleet's counts come in; a [`Verdict`] with its evidence goes out. A pure function: it reads no clock and
//! remembers nothing; who asks keeps the state.
//!
//! Rates are judged by the exact binomial tail ([`tail`]), never raw, so that few mails convict nobody.

mod file;
mod incident;
mod judge;
pub mod likelihood;
mod measure;
mod rule;
mod saddle;
pub mod tail;
pub mod wald;

pub use file::{Fault, Policy, PolicyError};
pub use judge::{Case, Keep, Mail, Moment, Verdict};
pub use rule::{Rule, Signal};

/// The policy that Weir comes with, as its documented file.
pub const DEFAULT: &str = include_str!("../default.toml");
