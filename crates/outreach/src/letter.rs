//! What is known of a decision, for the templates to tell. Never a recipient's address.

use std::sync::Arc;

use model::figures::thousands;
use model::{CustomerId, Decision, Evidence, Rate, Stage, Test, Timestamp};
use policy::Policy;
use serde::{Deserialize, Serialize};

use crate::force::Force;
use crate::recovery::{Place, Recovery, in_the_last};

/// To whom something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The platform's own people.
    Success,
    /// The customer itself.
    Customer,
}

impl Audience {
    /// The name in JSON, and of the folder of its templates.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Customer => "customer",
        }
    }

    /// The template that tells it of `stage`.
    pub fn template(self, stage: Stage) -> String {
        format!("{}/{}", self.name(), stage.name())
    }
}

/// Whether the customer itself is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerTold {
    /// It is written to as soon as the stage is in force.
    WhenInForce,
    /// Weir does not write to customers.
    Off,
    /// No address is known.
    NoContact,
}

/// What templates are filled with; docs/outreach.md describes each member.
#[derive(Clone, Debug, Serialize)]
pub struct Letter {
    customer: String,
    from: Stage,
    to: Stage,
    direction: &'static str,
    at: String,
    decision: String,
    rule: Option<String>,
    command: Option<String>,
    by: Option<String>,
    reason: Option<String>,
    cause: Cause,
    state: &'static str,
    comes_into_force: bool,
    held_reason: Option<String>,
    daily_cap: Option<String>,
    earlier_moves: u32,
    customer_told: CustomerTold,
    evidence: Option<Figures>,
    mend: String,
    recovery: Recovery,
    console: Option<String>,
}

/// What brought a decision about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Cause {
    /// A rule, by the customer's figures.
    Figures,
    /// A person who took back what a rule did: it does not count against the customer.
    Undo,
    /// A person who released the customer.
    Release,
    /// Any other order of a person.
    Order,
}

impl Cause {
    fn of(decision: &Decision) -> Self {
        match decision.rule.strip_prefix("command:") {
            None => Self::Figures,
            Some("undo") => Self::Undo,
            Some("release") => Self::Release,
            Some(_) => Self::Order,
        }
    }
}

/// The evidence, as it is read.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    signal: String,
    bad_events: String,
    of: String,
    window: &'static str,
    since: String,
    until: String,
    numerator: String,
    denominator: String,
    rate: String,
    at_least: String,
    limit: String,
    fleet_rate: String,
    /// Whether the limit is one of all customers together.
    is_for_all: bool,
    set_aside: Option<String>,
    events: Vec<String>,
}

/// What a letter is made from, beside its decision.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// To whom it goes.
    pub audience: Audience,
    /// What has come of the decision.
    pub force: Force,
    /// Whether this is the second message about the decision: the first said that it is not in force, and now it is.
    pub comes_into_force: bool,
    /// Decisions before it that nobody was told of.
    pub earlier_moves: u32,
    /// Whether the customer is told.
    pub customer_told: CustomerTold,
    /// Where the operators' pages are.
    pub console: Option<url::Url>,
    /// The policy in force, where it is known.
    pub policy: Option<Arc<Policy>>,
    /// Where the customer stands, where that is known.
    pub place: Option<Place>,
}

impl Circumstances {
    /// The circumstances of a first message to `audience`, with nothing known beside `force`.
    pub const fn new(audience: Audience, force: Force) -> Self {
        let customer_told = CustomerTold::Off;
        let (comes_into_force, earlier_moves) = (false, 0);
        Self {
            audience,
            force,
            comes_into_force,
            earlier_moves,
            customer_told,
            console: None,
            policy: None,
            place: None,
        }
    }

    /// Mails a day that the customer may send behind `decision`.
    fn daily_cap(&self, decision: &Decision) -> Option<u32> {
        if let Force::InForce { daily_cap } = self.force {
            return daily_cap;
        }
        match self.place.as_ref().filter(|place| place.stage == decision.to) {
            Some(place) => place.daily_cap,
            None => self.policy.as_ref()?.daily_cap(decision.to),
        }
    }
}

impl Letter {
    /// A letter about `decision`. To customers it names no rule, no person and no person's reason.
    pub fn new(decision: &Decision, circumstances: &Circumstances) -> Self {
        let Circumstances { audience, force, comes_into_force, earlier_moves, customer_told, console, policy, place } =
            circumstances;
        let for_success = |text: &str| (*audience == Audience::Success).then(|| text.to_owned());
        let command = decision.rule.strip_prefix("command:");
        Self {
            customer: decision.customer.to_string(),
            from: decision.from,
            to: decision.to,
            direction: if decision.to > decision.from { "up" } else { "down" },
            at: minute(decision.at),
            decision: decision.id.to_string(),
            rule: for_success(&decision.rule).filter(|_| command.is_none()),
            command: command.and_then(for_success),
            by: decision.by.as_deref().and_then(for_success),
            reason: decision.reason.as_deref().and_then(for_success),
            cause: Cause::of(decision),
            state: force.name(),
            comes_into_force: *comes_into_force,
            held_reason: force.held_reason().and_then(for_success),
            daily_cap: circumstances.daily_cap(decision).map(thousands),
            earlier_moves: *earlier_moves,
            customer_told: *customer_told,
            evidence: decision.evidence.as_ref().map(Figures::of),
            mend: mend(decision.evidence.as_ref()).to_owned(),
            recovery: Recovery::of(decision, policy.as_deref(), place.as_ref()),
            console: for_success("").and(console.as_ref()).map(|console| page_of(console, &decision.customer)),
        }
    }

    /// Whether the decision changes nothing at SendGrid, because it is in shadow.
    pub(crate) fn is_shadow(&self) -> bool {
        self.state == Force::Shadow.name()
    }

    #[cfg(test)]
    pub(crate) fn customer(&self) -> &str {
        &self.customer
    }
}

/// The template in `mend/` that says what helps.
fn mend(evidence: Option<&Evidence>) -> &'static str {
    let Some(evidence) = evidence else { return "person" };
    policy::Signal::named(&evidence.signal).map_or("other", policy::Signal::name)
}

/// The customer's page.
pub(crate) fn page_of(console: &url::Url, customer: &CustomerId) -> String {
    let mut base = console.clone();
    base.set_query(None);
    base.set_fragment(None);
    format!("{}{}", base.as_str().trim_end_matches('/'), customer.page_path())
}

impl Figures {
    fn of(evidence: &Evidence) -> Self {
        let (bad_events, of) = in_words(&evidence.signal);
        let aside: u64 = evidence.set_aside.iter().map(|aside| u64::from(aside.mails)).sum();
        Self {
            signal: evidence.signal.clone(),
            bad_events: bad_events.to_owned(),
            of: of.to_owned(),
            window: in_the_last(evidence.window),
            since: minute(evidence.from),
            until: minute(evidence.until),
            numerator: thousands(evidence.numerator),
            denominator: thousands(evidence.denominator),
            rate: percent(evidence.rate),
            at_least: percent(evidence.bound),
            limit: percent(evidence.threshold),
            fleet_rate: percent(evidence.fleet_rate),
            is_for_all: evidence.test == Test::Budget,
            set_aside: (aside > 0).then(|| thousands(aside)),
            events: evidence.events.iter().filter(|id| !id.contains('@')).cloned().collect(),
        }
    }
}

pub(crate) fn in_words(signal: &str) -> (&str, &str) {
    let (attempted, delivered) = ("mails attempted", "mails delivered");
    match signal {
        "hard_bounce" => ("hard bounces", attempted),
        "invalid_address" => ("mails to addresses that do not exist", attempted),
        "block" => ("blocks", attempted),
        "reputation_block" => ("blocks for reputation, content or frequency", attempted),
        "soft_bounce" => ("soft bounces", attempted),
        "deferral" => ("deferred mails", attempted),
        "spam_report" => ("complaints", "mails delivered to providers that report complaints"),
        "unsubscribe" => ("unsubscribes", delivered),
        other => (other, "mails"),
    }
}

pub(crate) fn percent(rate: Rate) -> String {
    let rate = rate.get() * 100.0;
    if rate > 0.0 && rate < 0.1 { format!("{rate:.3} %") } else { format!("{rate:.2} %") }
}

/// A moment to the minute, in UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_leads_to_the_page_that_the_console_has_for_its_customer() {
        for (console, name, expected) in [
            ("https://weir.example.com", "acme.com", "https://weir.example.com/customers/acme.com"),
            ("https://example.com/weir/?a=b#c", "..", "https://example.com/weir/customers/~.."),
            ("https://example.com/weir", "a/b](x)", "https://example.com/weir/customers/a%2Fb%5D%28x%29"),
        ] {
            let console = url::Url::parse(console).unwrap();
            assert_eq!(page_of(&console, &CustomerId::new(name).unwrap()), expected);
        }
    }
}
