//! What a Weir that runs can be told to do with a customer.

use clap::Args;
use model::{Millis, Stage, Timestamp};

use super::operate::{Asking, Author};
use super::see::stages;

#[derive(Debug, Args)]
pub(crate) struct SteerOptions {
    /// The customer, by the platform's name for it.
    pub(crate) customer: String,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct SetStageOptions {
    /// The customer, by the platform's name for it.
    pub(crate) customer: String,
    /// The stage. `banned` is an approver's to say.
    #[arg(value_parser = stages())]
    pub(crate) stage: Stage,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct ExemptOptions {
    /// The customer, by the platform's name for it.
    pub(crate) customer: String,
    /// Until when: a moment (2025-02-23T08:40:10Z) or for how long from now (3d).
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub(crate) until: Timestamp,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

fn until(text: &str) -> Result<Timestamp, String> {
    let ahead = text.parse::<Millis>().map(|span| crate::clock::system()() + span);
    ahead.or_else(|_| text.parse()).map_err(|_| {
        "write a moment as RFC 3339 has it, 2025-02-23T08:40:10Z, or how long from now: \"90m\", \"2h\", \"3d\""
            .to_owned()
    })
}
