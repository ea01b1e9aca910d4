//! What can be asked to be shown of a Weir that runs.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use model::{Phase, Stage};

use super::operate::{Asking, Where};

#[derive(Debug, Args)]
pub(crate) struct CustomersOptions {
    /// Only those at this stage.
    #[arg(long, value_parser = stages())]
    pub(crate) stage: Option<Stage>,
    /// Only those in this phase of their life.
    #[arg(long, value_parser = phases())]
    pub(crate) phase: Option<Phase>,
    /// Only those that send through this pool.
    #[arg(long, value_name = "POOL")]
    pub(crate) pool: Option<String>,
    /// Only those whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// At most so many; 0 is all.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct CustomerOptions {
    /// The customer, by the platform's name for it.
    pub(crate) customer: String,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct DecisionsOptions {
    /// Go on as decisions come, until Ctrl-C. Where Weir can't be reached it is tried again, and goes on where it was.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Only those about this customer.
    #[arg(long, value_name = "CUSTOMER")]
    pub(crate) customer: Option<String>,
    /// Only those of this rule; a person's are `command:hold` and the like.
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// How many of the latest; with --follow, how many of them before those that come.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Only those after this cursor, all of them.
    #[arg(long, value_name = "CURSOR", conflicts_with = "cursor_file")]
    pub(crate) after: Option<String>,
    /// Go on after the cursor in this file, where it is there, and keep in it how far it came: nothing is shown twice, and nothing
    /// is missed between two runs.
    #[arg(long, value_name = "FILE")]
    pub(crate) cursor_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct TopOptions {
    /// Print one frame as text, and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// How often it looks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) every: u64,
    #[command(flatten)]
    pub(crate) at: Where,
}

/// The stages by their names.
pub(super) fn stages() -> impl TypedValueParser<Value = Stage> {
    let names = PossibleValuesParser::new(Stage::ALL.map(Stage::name));
    names.try_map(|name| Stage::ALL.into_iter().find(|stage| stage.name() == name).ok_or("no such stage"))
}

/// The phases by their names.
pub(super) fn phases() -> impl TypedValueParser<Value = Phase> {
    let names = PossibleValuesParser::new(Phase::ALL.map(Phase::name));
    names.try_map(|name| Phase::ALL.into_iter().find(|phase| phase.name() == name).ok_or("no such phase"))
}
