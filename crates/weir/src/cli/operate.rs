//! What an operator can ask of a Weir that runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Millis, Timestamp};

use super::rejects::RejectsOptions;
use super::see::{CustomerOptions, CustomersOptions, DecisionsOptions, TopOptions};
use super::steer::{ExemptOptions, HoldOptions, PhaseOptions, ReleaseOptions, SetStageOptions, SteerOptions};

/// Which Weir is asked, and by whom.
#[derive(Debug, Default, Args)]
pub(crate) struct Where {
    /// The configuration file, which names the operators' API under `[admin]` as `listen`.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where the operators' API is, if not where the configuration says: http://host:port.
    #[arg(long, value_name = "URL", env = "WEIR_ADMIN", visible_alias = "to")]
    pub(crate) admin: Option<String>,
    /// A file that holds the token that says who asks; without it the variable WEIR_TOKEN does.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Which Weir is asked, and how its answer is printed.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Print JSON: a list as one object a line, anything else as one object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who says something, and why: it stands in the history.
#[derive(Debug, Args)]
pub(crate) struct Author {
    /// Who says so. A token names its owner already; with one, this stands beside that name.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperateCommand {
    /// Watch it live in the terminal: stages, the worst customers, decisions as they come, what is held back, the lag.
    Top(TopOptions),
    /// List customers, the worst first.
    Customers(CustomersOptions),
    /// Show all that is known of a customer: where it stands and why, its rates against the limits, its history.
    Customer(CustomerOptions),
    /// List the latest decisions, or follow them as they come.
    Decisions(DecisionsOptions),
    /// Show how the mail fares of each IP pool, window by window.
    Pools(Asking),
    /// Show what all customers' mail does together: by provider and by pool, who weighs most, which limits are near.
    Fleet(Asking),
    /// Leave a customer where it is, for a time or until it is released: no rule moves it.
    Hold(HoldOptions),
    /// Take a customer one stage down, as a rule would, or fully back to healthy, with windows that begin now; ends a hold.
    Release(ReleaseOptions),
    /// Put a customer to a stage and hold it there.
    SetStage(SetStageOptions),
    /// Put a customer into another phase of its life.
    Phase(PhaseOptions),
    /// Let no rule move a customer up for a time; what rules would do is still said.
    Exempt(ExemptOptions),
    /// Write something into a customer's history, and leave the customer as it is.
    Note(SteerOptions),
    /// See how enforcement is, stop it, and let it go on.
    #[command(subcommand)]
    Enforce(EnforceCommand),
    /// List what awaits a person's approval.
    Approvals(Asking),
    /// Approve what awaits approval about a customer.
    Approve(AnswerOptions),
    /// Reject it: the customer is left as it is until its next decision.
    Reject(AnswerOptions),
    /// Take back all that a rule decided since a time: its customers go back to where they stood before.
    Undo(UndoOptions),
    /// List, look at and replay rejects: signed input from SendGrid that Weir could not read.
    Rejects(RejectsOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnforceCommand {
    /// Say how enforcement is: its modes, whether it is paused, who is held back and why.
    Status(Asking),
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
    pub(crate) asking: Asking,
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
    pub(crate) asking: Asking,
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
    pub(crate) asking: Asking,
}

pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    let ago = text.parse::<Millis>().map(|ago| crate::clock::system()() - ago);
    ago.or_else(|_| text.parse()).map_err(|_| {
        "write a moment as RFC 3339 has it, 2025-02-23T08:40:10Z, or how long ago: \"90m\", \"2h\", \"3d\"".to_owned()
    })
}
