//! What a Weir that runs can be told to do with a customer.

use clap::Args;
use model::{Millis, Phase, Stage, Timestamp};

use super::operate::{Asking, Author};
use super::see::{phases, stages};

/// Whom it is done to, who does it and why, and which Weir is asked.
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
pub(crate) struct HoldOptions {
    #[command(flatten)]
    pub(crate) steer: SteerOptions,
    /// Until when: a moment (2025-02-23T08:40:10Z) or for how long from now (3d); without it, until it is released.
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub(crate) until: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseOptions {
    #[command(flatten)]
    pub(crate) steer: SteerOptions,
    /// Back to healthy at once, instead of one stage down.
    #[arg(long)]
    pub(crate) fully: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PhaseOptions {
    #[command(flatten)]
    pub(crate) steer: SteerOptions,
    /// The phase: applied, vetting, pilot, active or offboarded.
    #[arg(value_parser = phases())]
    pub(crate) phase: Phase,
}

#[derive(Debug, Args)]
pub(crate) struct SetStageOptions {
    #[command(flatten)]
    pub(crate) steer: SteerOptions,
    /// The stage. `banned` is an approver's to say.
    #[arg(value_parser = stages())]
    pub(crate) stage: Stage,
}

#[derive(Debug, Args)]
pub(crate) struct ExemptOptions {
    #[command(flatten)]
    pub(crate) steer: SteerOptions,
    /// Until when: a moment (2025-02-23T08:40:10Z) or for how long from now (3d).
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub(crate) until: Timestamp,
}

fn until(text: &str) -> Result<Timestamp, String> {
    let ahead = text.parse::<Millis>().map(|span| crate::clock::system()() + span);
    ahead.or_else(|_| text.parse()).map_err(|_| {
        "write a moment as RFC 3339 has it, 2025-02-23T08:40:10Z, or how long from now: \"90m\", \"2h\", \"3d\""
            .to_owned()
    })
}
