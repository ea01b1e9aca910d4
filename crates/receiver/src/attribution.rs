//! Which customer an event belongs to.

use std::borrow::Cow;

use model::CustomerId;
use sendgrid::webhook::WebhookEvent;

/// How a source's events tell their customer.
///
/// An event that tells none, or one that can't be a [`CustomerId`], goes to the source's own customer for such
/// ([`CustomerId::unattributed`]): it is stored and counted, never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerRule {
    /// By the custom argument of this name. The best way: it is on nearly every event. It must not be a name that
    /// SendGrid uses itself, since SendGrid's value then stands in its place.
    CustomArg(String),
    /// By the first category with this prefix; what follows it is the customer.
    CategoryPrefix(String),
    /// By the name of the pool. SendGrid tells it on `processed` events only, so all others of the source are
    /// unattributed: it counts what a customer sends, not what becomes of it.
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
        name.filter(|name| may_be_told(name))
    }
}

/// Whether mail may say that it is of `name`. Weir's own names for what nobody sent are never judged, so mail that could
/// choose one would escape.
fn may_be_told(name: &str) -> bool {
    const RESERVED: &str = "unattributed:";
    CustomerId::check(name).is_ok() && !name.starts_with(RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mail_can_claim_a_name_that_is_never_judged() {
        let reserved = CustomerId::unattributed("main");
        assert!(reserved.is_unattributed() && !may_be_told(reserved.as_str()));
        assert!(may_be_told("acme") && !may_be_told("") && !may_be_told("a\u{7}b"));
    }
}
