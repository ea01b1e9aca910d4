//! Which customer an event belongs to.

use std::borrow::Cow;

use model::CustomerId;
use sendgrid::webhook::WebhookEvent;

/// How a source's events tell their customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRule {
    /// By the custom argument of this name. The best way: it is on nearly every event.
    CustomArg(String),
    /// By the category with this prefix; what follows it is the customer.
    CategoryPrefix(String),
    /// By the name of the pool. SendGrid tells it on `processed` events only; all others are not attributed.
    Pool,
    /// All events are this customer's: a subuser with a webhook of its own.
    Fixed(CustomerId),
}

impl CustomerRule {
    /// The customer's name, where the event tells one that can be a name.
    pub(crate) fn customer<'e>(&'e self, event: &'e WebhookEvent<'_>) -> Option<Cow<'e, str>> {
        let name = match self {
            Self::CustomArg(name) => event.arg(name),
            Self::CategoryPrefix(prefix) => {
                event.categories.iter().find_map(|category| category.strip_prefix(prefix.as_str())).map(Cow::Borrowed)
            }
            Self::Pool => event.pool.as_ref().map(|pool| Cow::Borrowed(pool.name.as_ref())),
            Self::Fixed(customer) => Some(Cow::Borrowed(customer.as_str())),
        };
        name.filter(|name| CustomerId::check(name).is_ok())
    }
}
