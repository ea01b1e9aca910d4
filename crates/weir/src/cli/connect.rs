//! What can be asked about connecting SendGrid.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use model::Millis;
use sendgrid::webhook::CustomerRule;

use crate::connect::address::Base;

#[derive(Debug, Args)]
pub(crate) struct ConnectOptions {
    /// Where the Internet reaches the receiver, without /webhooks/…: SendGrid will post there.
    #[arg(long, value_name = "URL", required_unless_present = "check")]
    pub(crate) url: Option<Base>,
    /// The configuration file, which says where the API key is, and into which the sources are written.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG", default_value = "weir.toml")]
    pub(crate) config: PathBuf,
    /// Connect this subuser, too, with a webhook and a source of its own: no event tells whose subuser's it is. May be repeated.
    #[arg(long = "subuser", value_name = "NAME", conflicts_with = "all_subusers")]
    pub(crate) subusers: Vec<String>,
    /// Connect every subuser.
    #[arg(long)]
    pub(crate) all_subusers: bool,
    /// How the account's own events tell their customer: custom_arg:NAME, category_prefix:PREFIX, pool, or fixed:CUSTOMER. A
    /// subuser's are all its own.
    #[arg(long, value_name = "HOW", default_value = "custom_arg:customer_id")]
    pub(crate) customer: CustomerRule,
    /// The pool of healthy customers, where the policy does not say it yet.
    #[arg(long, value_name = "POOL")]
    pub(crate) home_pool: Option<String>,
    /// The pool of quarantined customers, where there is no policy file yet.
    #[arg(long, value_name = "POOL")]
    pub(crate) quarantine_pool: Option<String>,
    /// How long to wait for test events.
    #[arg(long, value_name = "SPAN", default_value = "60s")]
    pub(crate) wait: Millis,
    /// Where the operators' API of a Weir is that runs elsewhere: http://host:port. Test events then arrive there.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// Only have test events sent for what is connected, and wait for them.
    #[arg(long)]
    pub(crate) check: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Don't ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

impl ConnectOptions {
    /// How long to wait for test events.
    pub(crate) fn longest_wait(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.wait.get()).unwrap_or_default())
    }
}

#[derive(Debug, Args)]
pub(crate) struct DisconnectOptions {
    /// The configuration file that was connected.
    #[arg(long, value_name = "FILE", env = "WEIR_CONFIG", default_value = "weir.toml")]
    pub(crate) config: PathBuf,
    /// Undo the rest although none of the webhooks that were connected is there any more.
    #[arg(long)]
    pub(crate) forget: bool,
    /// Show what would be undone, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Don't ask.
    #[arg(long)]
    pub(crate) yes: bool,
}
