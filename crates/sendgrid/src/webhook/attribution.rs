//! Which customer an event belongs to.

use std::borrow::Cow;
use std::str::FromStr;

use model::{CustomerId, CustomerIdError};

use super::WebhookEvent;

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
    pub fn customer<'e>(&'e self, event: &'e WebhookEvent<'_>) -> Option<Cow<'e, str>> {
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

/// Why a text is no [`CustomerRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCustomerRule {
    /// None of the ways.
    #[error("write custom_arg:NAME, category_prefix:PREFIX, pool or fixed:CUSTOMER")]
    Unknown,
    /// `fixed:` and what can't be a customer's name.
    #[error("the fixed customer can't be one")]
    Fixed(#[from] CustomerIdError),
}

impl FromStr for CustomerRule {
    type Err = NoCustomerRule;

    /// `custom_arg:NAME`, `category_prefix:PREFIX`, `pool` or `fixed:CUSTOMER`; the prefix may hold colons itself.
    fn from_str(text: &str) -> Result<Self, NoCustomerRule> {
        match text.split_once(':') {
            Some(("custom_arg", name)) if !name.is_empty() => Ok(Self::CustomArg(name.to_owned())),
            Some(("category_prefix", prefix)) if !prefix.is_empty() => Ok(Self::CategoryPrefix(prefix.to_owned())),
            Some(("fixed", customer)) => Ok(Self::Fixed(CustomerId::new(customer)?)),
            None if text == "pool" => Ok(Self::Pool),
            _ => Err(NoCustomerRule::Unknown),
        }
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

    #[test]
    fn a_rule_is_read_from_a_short_text() {
        let rule = |text: &str| text.parse::<CustomerRule>();
        assert_eq!(rule("custom_arg:customer_id"), Ok(CustomerRule::CustomArg("customer_id".to_owned())));
        assert_eq!(rule("category_prefix:customer:"), Ok(CustomerRule::CategoryPrefix("customer:".to_owned())));
        assert_eq!(rule("pool"), Ok(CustomerRule::Pool));
        assert_eq!(rule("fixed:acme"), Ok(CustomerRule::Fixed(CustomerId::new("acme").unwrap())));
        for text in ["", "customer_id", "custom_arg:", "category_prefix:", "pool:x", "fixed:"] {
            assert!(rule(text).is_err(), "{text}");
        }
    }
}
