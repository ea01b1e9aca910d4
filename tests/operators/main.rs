//! What operators see and do: the real binary, asked by its own command line, over a simulated SendGrid. Also what Weir tells by
//! mail and in a chat, and that nothing it says shows a secret.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod approvals;
mod attacks;
#[path = "../../crates/outreach/tests/telling/chat.rs"]
mod chat;
mod commands;
mod config;
mod connect;
mod demo;
mod following;
mod house;
#[path = "../../crates/outreach/tests/telling/mail_server.rs"]
mod mail_server;
mod outreach;
mod process;
mod replies;
mod runbooks;
mod secrets;
mod security;
mod tokens;
mod top;
