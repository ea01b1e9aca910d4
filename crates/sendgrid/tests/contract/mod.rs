//! The client against SendGrid's own OpenAPI documents: a mock server that holds every request against them, and answers as
//! they say.
//!
//! The documents are read from the folder that `SENDGRID_OAI` names, or from `../shared/sendgrid-oai` beside the checkout; where
//! neither is there, the suite says so and passes.

mod accepted;
mod asked;
mod documents;
mod mock;
mod on_behalf_of;
mod patches;
mod prism;
mod proxy;
mod refused;
mod rows;
mod stage;
mod table;
