//! A SendGrid that behaves like the real one, as far as Weir can see.
//!
//! - The API: [`SendGrid`] serves a [`World`] of subusers, IPs and pools on a port of this machine, with SendGrid's own
//!   shapes of answers and refusals, its rate limits, and [`Faults`] on request. What a call changes decides through
//!   which pool a customer's next mail leaves ([`World::gate`]).
//! - The webhook: a [`Poster`] signs a batch and posts it until it is taken; a [`Feed`] makes batches of events and keeps
//!   several connections busy.
//!
//! - What became of mail: whoever plays the platform tells it ([`World::tell`]), and statistics and suppressions show it.
//!
//! [`World`] remembers every call, and of every moment what promises are held against: the fewest IPs that a subuser had,
//! pools that were emptied, the time that an IP spent in two pools, and calls that no client makes which obeys. At a call that
//! is caught ([`SendGrid::catch`]) its client can be killed.
//!
//! SendGrid's own clients, documents and libraries are held against its shapes: `docs/sendgrid-api.md` says how. Its
//! behaviour over time is published nowhere.
//!
//! # Not here
//!
//! A move takes effect at once for mail; only what is read may be late ([`Faults::stale`]). Mail is not sent through this
//! API, and mail's events go to webhooks only through a [`Poster`] ([`World::poster`]). Nothing is bought or made that
//! costs: IPs, subusers, domains. Suppressions can't be deleted. What Weir makes no use of is left out: alerts,
//! templates, contacts, engagement scores, logs.

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
mod scopes;
mod server;
mod signer;
mod snapshot;
mod telling;
mod test_event;
mod trap;
mod user;
mod world;

pub use budget::Budget;
pub use credits::Credits;
pub use faults::Faults;
pub use feed::{Batching, Feed, Tally};
pub use poster::{Clock, Posted, Poster, PosterError, Retries};
pub use record::Call;
pub use scopes::Scopes;
pub use server::{Options, SendGrid, SendGridError};
pub use signer::{Signer, SignerError};
pub use trap::Moment;
pub use world::{HOME, QUARANTINE, World};
