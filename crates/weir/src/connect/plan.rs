//! What has to be done at SendGrid and in the configuration, from what is there.

use std::collections::BTreeSet;

use model::{CustomerId, CustomerIdError};
use sendgrid::api::{Id, Webhook, WebhookEvent};
use sendgrid::webhook::CustomerRule;

use super::address::{self, Base};
use super::found::UserFound;
use super::receipt::{Before, Receipt, WebhookRecord};
use super::user::User;
use crate::config::ConfiguredSource;

/// The name, for people, of a webhook that Weir makes.
pub(super) const FRIENDLY_NAME: &str = "Weir";

/// What is to be done for each user's webhook, in order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) targets: Vec<Target>,
    /// Each with its target's place.
    pub(super) steps: Vec<(usize, Step)>,
}

/// A user's webhook, and the source that it is to post to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) user: User,
    pub(super) source: String,
    pub(super) url: String,
    pub(super) customer: CustomerRule,
    /// Its id; none while there is none.
    pub(super) id: Option<Id>,
    /// The key that it signs with; none while it does not.
    pub(super) key: Option<String>,
    /// What it reports already.
    pub(super) events: BTreeSet<WebhookEvent>,
    /// How it was; none where Weir makes it.
    pub(super) before: Option<Before>,
    /// Whether a test event has arrived and nothing has changed since.
    pub(super) arrived: bool,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Make the webhook, off: so that nothing is posted that is not signed.
    Create,
    /// Turn signing on, and fetch the key.
    Sign,
    /// Write a source.
    AddSource,
    /// Add the key to a source that is there.
    AddKey,
    /// Have it post every kind of event to its source.
    TurnOn,
}

/// Why there is no plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoPlan {
    #[error("{user} has {found} of the {most} webhooks that its plan allows: remove one at SendGrid first")]
    TooMany { user: User, found: usize, most: u64 },
    #[error("subuser {subuser:?} can't be a customer's name, and so have a source of its own")]
    Customer {
        subuser: String,
        #[source]
        source: CustomerIdError,
    },
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'g> {
    /// Where the receiver is reached.
    pub(super) base: &'g Base,
    pub(super) sources: &'g [ConfiguredSource],
    /// How the account's own events tell their customer.
    pub(super) customer: &'g CustomerRule,
    pub(super) receipt: &'g Receipt,
}

impl Step {
    /// The scope that it needs, where it needs one.
    pub(super) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Create => Some("user.webhooks.event.settings.create"),
            Self::Sign | Self::TurnOn => Some("user.webhooks.event.settings.update"),
            Self::AddSource | Self::AddKey => None,
        }
    }
}

impl Target {
    /// What the receipt says of it, before anything is done.
    pub(super) fn record(&self) -> WebhookRecord {
        WebhookRecord {
            subuser: self.user.subuser().map(str::to_owned),
            source: self.source.clone(),
            url: self.url.clone(),
            id: self.id.as_ref().map(|id| id.as_str().to_owned()),
            before: self.before.clone(),
            arrived: false,
            going: false,
        }
    }
}

impl Plan {
    /// The places of the targets whose test event has still to arrive.
    pub(super) fn untested(&self) -> Vec<usize> {
        let is_changed = |target| self.steps.iter().any(|(place, _)| *place == target);
        let untested = self.targets.iter().enumerate().filter(|(place, target)| !target.arrived || is_changed(*place));
        untested.map(|(place, _)| place).collect()
    }
}

/// Plans for these users.
pub(super) fn plan(users: &[UserFound], ground: Ground<'_>) -> Result<Plan, NoPlan> {
    let mut plan = Plan::default();
    let mut taken: BTreeSet<String> = ground.sources.iter().map(|source| source.name.clone()).collect();
    for found in users {
        let configured = ground.configured(found);
        let names = taken.iter().map(String::as_str).collect();
        let source = configured.map_or_else(|| address::source_name(&found.user, &names), |known| known.name.clone());
        let target = ground.target(found, &source)?;
        let place = plan.targets.len();
        plan.steps.extend(ground.steps(&target, found, configured)?.into_iter().map(|step| (place, step)));
        plan.targets.push(target);
        taken.insert(source);
    }
    Ok(plan)
}

impl<'g> Ground<'g> {
    /// The source that is there for a user: rather one whose webhook is there, too.
    fn configured(&self, found: &UserFound) -> Option<&'g ConfiguredSource> {
        let of_user = || self.sources.iter().filter(|source| source.subuser.as_deref() == found.user.subuser());
        let is_posted_to = |source: &&ConfiguredSource| {
            let url = self.base.of_source(&source.name);
            found.webhooks.iter().any(|webhook| webhook.url == url)
        };
        // The account's own sources are many things; that of a subuser says whose it is.
        let by_name = |source: &&ConfiguredSource| source.subuser.is_some() || source.name == address::OWN_SOURCE;
        of_user().find(is_posted_to).or_else(|| of_user().find(by_name))
    }

    fn target(&self, found: &UserFound, source: &str) -> Result<Target, NoPlan> {
        let url = self.base.of_source(source);
        let webhook = self.webhook_of(found, &url);
        let posting_here = self.receipt.of(&found.user).rfind(|record| record.url == url);
        let customer = match found.user.subuser() {
            None => self.customer.clone(),
            Some(subuser) => CustomerRule::Fixed(
                CustomerId::new(subuser).map_err(|source| NoPlan::Customer { subuser: subuser.to_owned(), source })?,
            ),
        };
        Ok(Target {
            user: found.user.clone(),
            source: source.to_owned(),
            customer,
            id: webhook.map(|webhook| webhook.id.clone()),
            key: webhook.and_then(|webhook| webhook.public_key.clone()),
            events: webhook.map(|webhook| webhook.events.clone()).unwrap_or_default(),
            before: webhook.and_then(|webhook| self.before(&found.user, webhook)),
            arrived: posting_here.is_none_or(|record| record.arrived),
            url,
        })
    }

    /// The webhook that posts to this address; or the one that Weir made for another.
    fn webhook_of<'f>(&self, found: &'f UserFound, url: &str) -> Option<&'f Webhook> {
        let made = |webhook: &&Webhook| {
            let mut made = self.receipt.of(&found.user).filter(|record| record.before.is_none());
            made.any(|record| record.id.as_deref() == Some(webhook.id.as_str()))
        };
        found.webhooks.iter().find(|webhook| webhook.url == url).or_else(|| found.webhooks.iter().find(made))
    }

    /// How a webhook was before Weir came; none for one that Weir made. One that was about to be made when Weir was
    /// interrupted is known by its name.
    fn before(&self, user: &User, webhook: &Webhook) -> Option<Before> {
        let by_id = |record: &&WebhookRecord| record.id.as_deref() == Some(webhook.id.as_str());
        let is_named = webhook.friendly_name.as_deref() == Some(FRIENDLY_NAME);
        let begun = |record: &&WebhookRecord| record.id.is_none() && record.url == webhook.url && is_named;
        let record = self.receipt.of(user).find(by_id).or_else(|| self.receipt.of(user).find(begun));
        record.map_or_else(|| Some(Before::of(webhook)), |record| record.before.clone())
    }

    fn steps(
        &self,
        target: &Target,
        found: &UserFound,
        configured: Option<&ConfiguredSource>,
    ) -> Result<Vec<Step>, NoPlan> {
        let webhook = target.id.as_ref().and_then(|id| found.webhooks.iter().find(|webhook| webhook.id == *id));
        let mut steps = Vec::new();
        if webhook.is_none() {
            let count = found.webhooks.len();
            if let Some(most) = found.most.filter(|most| u64::try_from(count).is_ok_and(|count| count >= *most)) {
                return Err(NoPlan::TooMany { user: found.user.clone(), found: count, most });
            }
            steps.push(Step::Create);
        }
        if target.key.is_none() {
            steps.push(Step::Sign);
        }
        match configured {
            None => steps.push(Step::AddSource),
            Some(source) if !target.key.as_ref().is_some_and(|key| source.keys.contains(key)) => {
                steps.push(Step::AddKey);
            }
            Some(_) => {}
        }
        if !webhook.is_some_and(|webhook| webhook.enabled && webhook.url == target.url && reports_all(webhook)) {
            steps.push(Step::TurnOn);
        }
        Ok(steps)
    }
}

/// Whether it reports all that Weir needs. Changes of the account's status are asked for, but SendGrid's documents don't say
/// that they can be.
fn reports_all(webhook: &Webhook) -> bool {
    let asked_for = |event: &WebhookEvent| *event != WebhookEvent::AccountStatusChange;
    WebhookEvent::ALL.iter().filter(|event| asked_for(event)).all(|event| webhook.events.contains(event))
}
