//! What can be asked about signed input that made no sense.

use clap::{Args, Subcommand};
use model::Timestamp;

use super::operate::{Asking, Author, since};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RejectsOptions {
    #[command(subcommand)]
    pub(crate) command: Option<RejectsCommand>,
    #[command(flatten)]
    pub(crate) list: ListOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RejectsCommand {
    /// List rejects, the newest first.
    List(ListOptions),
    /// Show all of a reject; it may hold recipients' addresses.
    Show {
        /// The reject's id, as the list shows it.
        id: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Read rejects again, and count what is readable by now; what was replayed before counts once.
    Replay(ReplayOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Only those of this source.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Only those that came since a moment (2025-02-23T08:40:10Z) or how long ago (2h).
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(crate) since: Option<Timestamp>,
    /// At most so many; 0 is all.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayOptions {
    /// The rejects' ids, as the list shows them.
    #[arg(value_name = "ID", required_unless_present = "source")]
    pub(crate) ids: Vec<String>,
    /// All rejects of this source that came since --since.
    #[arg(long, value_name = "SOURCE", requires = "since", conflicts_with = "ids")]
    pub(crate) source: Option<String>,
    /// Since when: a moment (2025-02-23T08:40:10Z) or how long ago (2h).
    #[arg(long, value_name = "WHEN", value_parser = since, requires = "source")]
    pub(crate) since: Option<Timestamp>,
    /// Not those that came at this moment or later.
    #[arg(long, value_name = "WHEN", value_parser = since, requires = "source")]
    pub(crate) until: Option<Timestamp>,
    /// Only say what would be found.
    #[arg(long, requires = "source")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) asking: Asking,
}
