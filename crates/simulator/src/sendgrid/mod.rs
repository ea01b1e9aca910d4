//! A SendGrid that behaves like the real one, as far as Weir can see.
//!
//! - The API: [`SendGrid`] serves a [`World`] of subusers, IPs and pools on a port of this machine, with SendGrid's own
//!   shapes of answers and refusals, its rate limits, and [`Faults`] on request. What a call changes decides through
//!   which pool a customer's next mail leaves ([`World::gate`]).
//! - The webhook: a [`Poster`] signs a batch and posts it until it is taken; a [`Feed`] makes batches of events and keeps
//!   several connections busy.
//!
//! # Not here
//!
//! Moves take effect at once for mail; the real ones may take a minute. Sending mail, webhook settings, suppressions, statistics
//! and the newer `/v3/send_ips` calls are left out: Weir does not use them.

mod api;
mod budget;
mod connections;
mod credits;
mod door;
mod faults;
mod feed;
mod gate;
mod history;
mod past;
mod poster;
mod record;
mod server;
mod signer;
mod snapshot;
mod world;

pub use budget::Budget;
pub use credits::Credits;
pub use faults::Faults;
pub use feed::{Batching, Feed, Tally};
pub use poster::{Clock, Posted, Poster, PosterError, Retries};
pub use record::Call;
pub use server::{Options, SendGrid, SendGridError};
pub use signer::{Signer, SignerError};
pub use world::{HOME, QUARANTINE, World};
