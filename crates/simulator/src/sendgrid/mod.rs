//! A SendGrid that behaves like the real one, as far as Weir can see.

mod answers;
mod api;
mod poster;
mod server;
mod signer;
mod world;

pub use poster::{Clock, Posted, Poster, PosterError, Retries};
pub use server::{SendGrid, SendGridError};
pub use signer::{Signer, SignerError};
pub use world::{Call, Credits, Faults, HOME, QUARANTINE, World};
