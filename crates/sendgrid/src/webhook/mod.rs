//! The event webhook: is the POST genuine, which events are in it, what does each tell.
//!
//! The order of work is fixed: [`Verifier::verify`] over the bytes as they came, then [`split()`], then
//! [`WebhookEvent::parse`] for each element, so that nothing unverified is parsed and one bad element spoils only itself.

mod attribution;
mod digest;
mod event;
mod key;
mod kind;
mod message_id;
mod raw;
mod refusal;
mod signature;
mod split;
mod stream;

pub use attribution::{CustomerRule, NoCustomerRule};
pub use event::{EventError, Pool, WebhookEvent};
pub use key::{KeyError, VerificationKey};
pub use message_id::SendAt;
pub use signature::{SIGNATURE_HEADER, SignatureError, TIMESTAMP_HEADER, Verifier};
pub use split::{BatchError, split};
pub use stream::{Damage, Piece, Splitter};

/// An element of a POST as text, read as [`WebhookEvent::parse`] reads it: U+FFFD stands for bytes that are no text.
pub fn readable(element: &[u8]) -> std::borrow::Cow<'_, str> {
    raw::readable(element)
}
