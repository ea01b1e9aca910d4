//! What can be asked of outreach.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::operate::Where;

#[derive(Debug, Subcommand)]
pub(crate) enum OutreachCommand {
    /// Write Weir's own templates into a folder, to be edited; what is there is left as it is.
    Templates {
        /// The folder.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Show what would be said, and send nothing: of an example, of a customer's latest decision, or of one decision.
    Preview(PreviewOptions),
}

#[derive(Debug, Args)]
pub(crate) struct PreviewOptions {
    /// The template: success/STAGE, customer/STAGE or digest/weekly. With a decision, customer or success alone will do.
    #[arg(long, value_name = "NAME", default_value = "success")]
    pub(crate) template: String,
    /// Of this customer's latest decision.
    #[arg(long, value_name = "ID")]
    pub(crate) customer: Option<String>,
    /// Of this decision.
    #[arg(long, value_name = "ID", conflicts_with = "customer")]
    pub(crate) decision: Option<String>,
    /// Of an example with this signal.
    #[arg(long, value_name = "NAME", default_value = "hard_bounce", conflicts_with_all = ["customer", "decision"])]
    pub(crate) signal: String,
    /// Show the page instead of the text.
    #[arg(long)]
    pub(crate) html: bool,
    #[command(flatten)]
    pub(crate) at: Where,
}
