//! What can be asked about tokens.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token: printed once, with what the configuration is to say of it.
    New(NewOptions),
}

#[derive(Debug, Args)]
pub(crate) struct NewOptions {
    /// Whose it is: what the log calls whoever shows it.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What its holder may do: a viewer looks, an operator steers customers and enforcement, an approver also answers what awaits
    /// approval, bans, and puts policies in force.
    #[arg(long, value_name = "ROLE", value_parser = ["viewer", "operator", "approver"])]
    pub(crate) role: String,
}
