//! The fold: events, commands and ticks in; decisions, standings and fleet shares out.
//!
//! One [`Fold`] stands for one partition of the log. It takes the records in their order and keeps its customers in a
//! [`Store`]; a verdict is asked of the policy whenever a bad event has been counted, and at each tick for the customers
//! that need attention.
//!
//! # Laws
//!
//! - **No clock.** Time is what the last tick said; one that leaps must be borne out by events ([`Clock`]). Folding the same log again, or in two parts with a restart between,
//!   says the same, byte for byte.
//! - **Order does not matter** to the counts: an event finds the bucket of its own mail.
//! - **Nothing is counted twice**: a copy is known for [`HORIZON`] by its id, whatever customer it comes under, or by its
//!   content; older events are not counted at all.
//!
//! # Not here
//!
//! Where customers are kept between restarts (the scorer), and what is judged (the policy).

mod clock;
mod customer;
mod fold;
mod ledger;
mod mail;
mod memory;
mod partition;
mod ring;
mod scheduled;
mod store;
mod stored;
mod view;
mod worst;

pub use clock::Clock;
pub use customer::Customer;
pub use fold::{AHEAD, Applied, Effect, Fold, HORIZON, Input, Said};
pub use mail::Mail;
pub use memory::MemoryStore;
pub use partition::Partition;
pub use scheduled::{Place, Scheduled};
pub use store::{Hour, Store};
pub use view::view;
