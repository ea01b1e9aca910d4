//! Everything that has SendGrid's shape.
//!
//! - [`webhook`]: the event webhook's signature, the batch in a POST's body, and the events in it.
//! - [`api`]: a typed client for the calls that steer subusers, IPs and pools.
//!
//! What SendGrid documents, what was only observed, and what it leaves open is said where it matters.

pub mod api;
pub mod webhook;
