//! The console's pages, over a real log and a real listener.

mod activity;
mod browser;
mod customer;
mod customers;
mod decision;
mod errors;
mod feed;
mod login;
mod overview;
mod policy;
mod pools;
mod rejects;
