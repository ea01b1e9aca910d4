//! A platform with customers of known kinds, and the events that their mail brings about.
//!
//! A [`Scenario`] is a seed and a few sizes; a [`Platform`] is that scenario as it runs. Who the customers are, when their
//! mails are due, and what becomes of each mail follows from the seed alone. Nothing here reads a clock, does I/O, or
//! shares randomness between customers.
//!
//! # Laws
//!
//! * **The same seed gives the same events, byte for byte**, however the run is cut into steps.
//! * **Customers are apart.** Stopping one, or moving it to another pool, changes no byte of another's events.
//! * **Mails are apart.** Whether a customer's earlier mail was sent changes nothing about a later one, but that a mail
//!   through another pool says so.
//! * **The ledger is the truth.** Once the copies are taken out, the events that were handed out are those it counts.
//!
//! # What is true to life, and what is not
//!
//! The events have SendGrid's fields, types and oddities: batches of half a minute, some events minutes late, some twice
//! (now and then under a new id), processed after delivered, bounces without the mail's id, a few events that name no
//! customer. What takes hours in life, complaints above all, takes minutes here, so that an hour holds a whole story.
//!
//! The bad customers are as bad as [`Truth`] says, and no smaller than what lets a test convict them within a tenth of
//! their mail: a list with 20 % dead addresses needs more mails to be told from one with 5 % than a list with 30 %, and the
//! mails of one hour tell less than as many on different days. Smaller and milder bad customers exist in life; nobody can
//! find them within the hour, and they do less harm in it.

mod account;
mod character;
mod evidence;
mod fate;
mod ledger;
mod letter;
mod mess;
mod population;
mod queue;
mod recipients;
mod run;
mod scenario;
mod schedule;
mod wording;

use crate::dice;

pub use account::{Account, Placement, Truth};
pub use ledger::Ledger;
pub use recipients::FAILING;
pub use run::{Arrival, Gate, Platform};
pub use scenario::Scenario;
