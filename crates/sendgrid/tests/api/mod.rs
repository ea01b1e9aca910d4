//! The client's promises, over real sockets.

mod ids;
mod keeping_to_limits;
mod page_of_calls;
mod pages;
mod repeating;
mod secrets;
mod server;
