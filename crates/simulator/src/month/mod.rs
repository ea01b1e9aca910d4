//! Weeks in the life of thousands of customers of known kinds, as events that the fold takes without parsing anything.
//!
//! A [`Scenario`] is a seed and a size; a [`Month`] is that scenario as it runs, or one part of it, so that threads can share
//! the work. What the customers do, and what becomes of each mail, follows from the seed alone.
//!
//! # Laws
//!
//! * **The same seed gives the same events**, however the run is cut into steps and parts.
//! * **Customers are apart.** What is done to one changes no event of another's.
//! * **Mails are apart.** What becomes of a mail does not depend on which others left, but that mail to an address that
//!   bounced or complained before is dropped, and that mail through another pool says so.
//!
//! # What is true to life, and what is not
//!
//! A good customer's campaigns differ: each has bounce and complaint rates of its own, drawn around the customer's
//! (beta-distributed, see `chances`), because each goes to another part of a list of another age. Complaints come hours and
//! days after the mail. Providers have outages, one pool's IPs get onto a blocklist ([`Scenario::incidents`]), and that is
//! nobody's fault. There are no repeated events and none without a customer; the hour platform has those.

mod arrival;
mod chances;
mod clock;
mod customer;
mod day;
mod fate;
mod incident;
mod kind;
mod kinds;
mod nature;
mod population;
mod queue;
mod recipients;
mod rhythm;
mod run;
mod scenario;

use crate::dice;

pub use arrival::Arrival;
pub use customer::{Badness, Customer};
pub use incident::{Incident, Place};
pub use kind::Kind;
pub use run::{Gate, Month, Tally};
pub use scenario::Scenario;
