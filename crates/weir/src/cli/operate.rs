//! What an operator can ask of a Weir that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Millis, Timestamp};

/// Which Weir is asked.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The configuration file, which names the operators' API under `[admin]` as `listen`.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where the operators' API is, if not where the configuration says: http://host:port.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
}

/// Who says something, and why: it stands in the history.
#[derive(Debug, Args)]
pub(crate) struct Author {
    /// Who says so.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnforceCommand {
    /// Say how enforcement is: its modes, whether it is paused, who is held back and why.
    Status(Where),
    /// Stop all enforcement, within a second and until it is resumed: no call that changes anything is made.
    Pause(SwitchOptions),
    /// Let enforcement go on: what was decided meanwhile is carried out.
    Resume(SwitchOptions),
}

#[derive(Debug, Args)]
pub(crate) struct SwitchOptions {
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct AnswerOptions {
    /// The customer, as `weir approvals` shows it.
    pub(crate) customer: String,
    /// The decision that was looked at; without it, whichever waits.
    #[arg(long, value_name = "ID")]
    pub(crate) decision: Option<String>,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct UndoOptions {
    /// The rule, as decisions and reasons name it.
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: String,
    /// Since when its decisions are taken back: a moment (2025-02-23T08:40:10Z) or how long ago (2h).
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(crate) since: Timestamp,
    /// Only say whom it concerns.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) author: Author,
    #[command(flatten)]
    pub(crate) at: Where,
}

fn since(text: &str) -> Result<Timestamp, String> {
    let ago = text.parse::<Millis>().map(|ago| crate::clock::system()() - ago);
    ago.or_else(|_| text.parse()).map_err(|_| {
        "write a moment as RFC 3339 has it, 2025-02-23T08:40:10Z, or how long ago: \"90m\", \"2h\", \"3d\"".to_owned()
    })
}
