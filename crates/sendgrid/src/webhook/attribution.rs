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
    /// By the name of the pool. SendGrid tells it on `processed` events only; all others of the source name nobody, so that what
    /// becomes of a customer's mail is only known where the receiver joins it by the mail's ids.
    Pool,
    /// All events are this customer's: a subuser with a webhook of its own.
    Fixed(CustomerId),
}

/// What SendGrid calls its own fields. A custom argument of such a name vanishes where SendGrid writes the field.
const RESERVED_ARGS: [&str; 40] = [
    "asm_group_id",
    "attempt",
    "bounce_classification",
    "category",
    "cert_err",
    "email",
    "event",
    "ip",
    "marketing_campaign_id",
    "marketing_campaign_name",
    "marketing_campaign_split_id",
    "marketing_campaign_version",
    "mc_stats",
    "newsletter",
    "phase_id",
    "pool",
    "post_type",
    "reason",
    "response",
    "send_at",
    "sg_content_type",
    "sg_event_id",
    "sg_machine_open",
    "sg_message_id",
    "sg_template_id",
    "sg_template_name",
    "sg_user_id",
    "singlesend_id",
    "singlesend_name",
    "smtp-id",
    "status",
    "template_hash",
    "template_id",
    "template_version_id",
    "timestamp",
    "tls",
    "type",
    "url",
    "url_offset",
    "useragent",
];

impl CustomerRule {
    /// The rule, where it can tell customers.
    ///
    /// # Errors
    ///
    /// [`NoCustomerRule`] where by it no event would ever be a customer's, or no customer would ever be judged.
    pub fn check(self) -> Result<Self, NoCustomerRule> {
        match &self {
            Self::CustomArg(name) if name.trim().is_empty() => Err(NoCustomerRule::EmptyArg),
            Self::CustomArg(name) if RESERVED_ARGS.contains(&name.trim()) => {
                Err(NoCustomerRule::Reserved(name.trim().to_owned()))
            }
            Self::CategoryPrefix(prefix) if prefix.trim().is_empty() => Err(NoCustomerRule::EmptyPrefix),
            Self::Fixed(customer) if !may_be_told(customer.as_str()) => {
                Err(NoCustomerRule::NeverJudged(customer.as_str().to_owned()))
            }
            _ => Ok(self),
        }
    }

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
    /// A custom argument without a name.
    #[error(
        "custom_arg has an empty name; write the name of the argument that holds the customer, for example \"customer_id\""
    )]
    EmptyArg,
    /// A custom argument that is called as one of SendGrid's fields.
    #[error(
        "custom_arg = {0:?} is the name of a field of SendGrid's own, which replaces the argument; choose another name, for example \"customer_id\""
    )]
    Reserved(String),
    /// A prefix that every category has.
    #[error(
        "category_prefix is empty, so that every category would be a customer; write what stands before the customer, for example \"customer:\""
    )]
    EmptyPrefix,
    /// A name under which nobody is judged.
    #[error("customer {0:?} would never be judged: the prefix \"unattributed:\" is Weir's own; choose another name")]
    NeverJudged(String),
    /// `fixed:` and what can't be a customer's name.
    #[error(transparent)]
    Fixed(#[from] CustomerIdError),
}

impl FromStr for CustomerRule {
    type Err = NoCustomerRule;

    /// `custom_arg:NAME`, `category_prefix:PREFIX`, `pool` or `fixed:CUSTOMER`; the prefix may hold colons itself.
    fn from_str(text: &str) -> Result<Self, NoCustomerRule> {
        match text.split_once(':') {
            Some(("custom_arg", name)) => Self::CustomArg(name.to_owned()).check(),
            Some(("category_prefix", prefix)) => Self::CategoryPrefix(prefix.to_owned()).check(),
            Some(("fixed", customer)) => Self::Fixed(CustomerId::new(customer)?).check(),
            None if text == "pool" => Ok(Self::Pool),
            _ => Err(NoCustomerRule::Unknown),
        }
    }
}

/// Whether mail may say that it is of `name`. Weir's own names for what nobody sent are never judged, so mail that could
/// choose one would escape. U+FFFD stands for bytes that were no text: the names of two customers could read alike.
fn may_be_told(name: &str) -> bool {
    const RESERVED: &str = "unattributed:";
    CustomerId::check(name).is_ok() && !name.starts_with(RESERVED) && !name.contains('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mail_can_claim_a_name_that_is_never_judged() {
        let reserved = CustomerId::unattributed("main");
        assert!(reserved.is_unattributed() && !may_be_told(reserved.as_str()));
        assert!(may_be_told("acme") && !may_be_told("") && !may_be_told("a\u{7}b") && !may_be_told("a\u{fffd}b"));
    }

    #[test]
    fn a_rule_is_read_from_a_short_text() {
        let rule = |text: &str| text.parse::<CustomerRule>();
        assert_eq!(rule("custom_arg:customer_id"), Ok(CustomerRule::CustomArg("customer_id".to_owned())));
        assert_eq!(rule("category_prefix:customer:"), Ok(CustomerRule::CategoryPrefix("customer:".to_owned())));
        assert_eq!(rule("pool"), Ok(CustomerRule::Pool));
        assert_eq!(rule("fixed:acme"), Ok(CustomerRule::Fixed(CustomerId::new("acme").unwrap())));
        for text in ["", "customer_id", "custom_arg:", "category_prefix:", "pool:x", "fixed:", "fixed:unattributed:x"] {
            assert!(rule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_field_of_sendgrids_own_names_a_customer() {
        for name in RESERVED_ARGS {
            let error = CustomerRule::CustomArg(name.to_owned()).check().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let padded = CustomerRule::CustomArg(" email ".to_owned()).check();
        assert_eq!(padded, Err(NoCustomerRule::Reserved("email".to_owned())));
    }
}
