//! What the operators' API answers, over a real log and a real listener.

mod access;
mod accounts;
mod customers;
mod decisions;
mod elsewhere;
mod headers;
mod operating;
mod policy;
mod reading;
mod readings;
pub(crate) mod rejects;
