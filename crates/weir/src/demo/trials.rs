//! What a visitor can try, done by the commands that operators have.

use anyhow::Context;
use model::{CustomerId, Millis, Timestamp};
use serde::Deserialize;
use simulator::platform::{FAILING, Platform};

use super::prompt::Trial;
use crate::cli::operate::{Asking, Author, OperateCommand, Where};
use crate::cli::print;
use crate::cli::see::CustomerOptions;
use crate::cli::steer::{ReleaseOptions, SteerOptions};
use crate::operating::operate;
use crate::rendering::printable_error;
use crate::running_weir::RunningWeir;

/// How long an outage lasts that the visitor does not end.
const OUTAGE: Millis = Millis::hours(24);
/// Who is named as the author of the visitor's commands.
const AUTHOR: &str = "demo";

/// Runs the visitor's trials at one running Weir.
pub(crate) struct Trials {
    url: String,
    weir: RunningWeir,
    /// The customer that the visitor was shown.
    shown: Option<String>,
}

#[derive(Deserialize)]
struct Customers {
    customers: Vec<Customer>,
}

#[derive(Deserialize)]
struct Customer {
    customer: CustomerId,
}

impl Trials {
    /// Trials at the Weir whose operators' API has this URL.
    ///
    /// # Errors
    ///
    /// Where the environment's token for the API makes no sense, or no HTTP client can be made.
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        Ok(Self { url: url.to_owned(), weir: RunningWeir::at(url)?, shown: None })
    }

    /// The URL of the operators' API and of the console.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The letters, and the commands that do the same in another terminal.
    pub(crate) async fn help(&self) -> String {
        let customer = self.worst().await.unwrap_or_else(|_| "CUSTOMER".to_owned());
        let binary = std::env::current_exe().ok().map_or_else(|| "weir".to_owned(), |path| path.display().to_string());
        let provider = FAILING.name();
        format!(
            "Try next: type a letter and Enter\n\n  \
             w  show the worst customer\n  \
             u  undo what Weir did to it\n  \
             m  make {provider} refuse most mail, or accept it again\n\n\
             Or, in another terminal:\n\n  \
             alias weir='{binary}'; export WEIR_ADMIN={}\n  \
             weir customer {customer}\n  \
             weir release {customer} --by me --reason \"a trial\"\n  \
             weir top",
            self.url
        )
    }

    /// Runs a trial, and prints its result or its error. An error does not end the demo.
    pub(crate) async fn run(&mut self, trial: Option<Trial>, platform: &mut Platform, now: Timestamp) {
        let result = match trial {
            Some(Trial::ShowWorst) => self.show_worst().await,
            Some(Trial::Release) => self.release().await,
            Some(Trial::ToggleOutage) => {
                print(&toggle_outage(platform, now));
                Ok(())
            }
            None => {
                print(&self.help().await);
                Ok(())
            }
        };
        if let Err(error) = result {
            print(&printable_error(&error));
        }
    }

    /// The customer that ranks first among those that harm the pools.
    async fn worst(&self) -> anyhow::Result<String> {
        let request = self.weir.get("/v1/customers").query(&[("limit", 1)]);
        let Customers { customers } = self.weir.answer(request).await?;
        let worst = customers.into_iter().next().context("Weir knows no customer yet")?;
        Ok(worst.customer.to_string())
    }

    async fn show_worst(&mut self) -> anyhow::Result<()> {
        let customer = self.worst().await?;
        operate(OperateCommand::Customer(CustomerOptions { customer: customer.clone(), asking: self.asking() }))
            .await?;
        print(&format!("\nIn the console: {}/customers/{customer}", self.url));
        self.shown = Some(customer);
        Ok(())
    }

    /// Releases the customer that was shown, or else the worst.
    async fn release(&mut self) -> anyhow::Result<()> {
        let customer = match self.shown.take() {
            Some(customer) => customer,
            None => self.worst().await?,
        };
        let author = Author { by: Some(AUTHOR.to_owned()), reason: "a visitor tries it".to_owned() };
        let steer = SteerOptions { customer, author, asking: self.asking() };
        operate(OperateCommand::Release(ReleaseOptions { steer, fully: true })).await
    }

    fn asking(&self) -> Asking {
        let at = Where { config: None, admin: Some(self.url.clone()), token_file: None };
        Asking { at, json: false }
    }
}

/// Begins an outage, or ends the one that lasts.
fn toggle_outage(platform: &mut Platform, now: Timestamp) -> String {
    let provider = FAILING.name();
    let (begins, ends) = platform.outage();
    if begins <= now && now < ends {
        platform.set_outage((begins, now));
        format!("Outage over: {provider} accepts mail again.")
    } else {
        platform.set_outage((now, now + OUTAGE));
        format!(
            "Outage: {provider} refuses most mail from now on. Weir should move no good customer for it. m ends it."
        )
    }
}
