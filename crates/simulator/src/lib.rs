//! A synthetic platform of known good and bad customers, and a SendGrid that behaves like the real one.
//!
//! - [`platform`]: who sends what, with a known truth about each customer. Pure and seeded: the same seed gives the same
//!   events, byte for byte, and what is done to one customer changes no other's.
//! - [`month`]: the same idea over weeks and for thousands of customers, as counted events instead of JSON: for judging
//!   policies. Pure and seeded as well.
//! - [`sendgrid`]: posts signed batches with retries, and serves the API that moves customers between pools, with state,
//!   so that a customer that was moved really sends through the other pool.
//!
//! For the demo, the tests, the benches, and for judging policies.

mod addresses;
mod dice;
pub mod month;
pub mod platform;
pub mod sendgrid;
