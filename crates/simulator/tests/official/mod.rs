//! The simulated SendGrid against what SendGrid itself publishes: its clients for Node and Python make every call of Weir's,
//! its OpenAPI documents are held against every answer, and its libraries check the signatures.
//!
//! `make setup-sendgrid` installs the clients, and Prism, which knows the documents. The documents are read from the folder
//! that `SENDGRID_OAI` names, or from `../shared/sendgrid-oai` beside the checkout; where neither is there, what needs them
//! says so and passes.

#[path = "../../../sendgrid/tests/contract/asked.rs"]
mod asked;
#[path = "../../../sendgrid/tests/contract/documents.rs"]
#[expect(dead_code, reason = "the contract suite asks more of the documents")]
mod documents;
#[path = "../../../sendgrid/tests/contract/patches.rs"]
mod patches;
#[path = "../../../sendgrid/tests/contract/prism.rs"]
mod prism;

mod answer;
mod calls;
mod client;
mod receiver;
mod scenario;
mod signatures;
mod stage;
mod strict;
