//! A rule in plain words.

use std::collections::BTreeSet;

use model::figures::{count, list, thousands};
use model::{CustomerId, Grain, Stage, Timestamp};

use super::units::{percent, span};
use crate::conviction::{MOST_TRIED, Sending};
use crate::rule::Method;
use crate::{Base, Policy, Rule, Signal, Slice};

/// By how many times the limit the rates exceed it for which the mails are told.
const TIMES: [f64; 3] = [2.0, 4.0, 8.0];

/// For how many mails the bad events are told.
const MAILS: [u32; 3] = [100, 1_000, 10_000];

/// More customers than this are counted, not named.
const NAMED: usize = 5;

impl Policy {
    pub(super) fn rule_in_words(&self, rule: &Rule) -> Vec<String> {
        let mut sentences = vec![rule.subject(), self.consequence(rule)];
        match rule.method {
            Method::Bound { spread } => sentences.extend(rule.enough_hits(spread)),
            Method::Sequential { .. } => sentences.extend(rule.enough_mails()),
        }
        if rule.minimum > 1 {
            let minimum = thousands(rule.minimum);
            sentences.push(format!("Fewer than {minimum} {} never convict.", bad_events(rule.signal)));
        }
        let own_doing = |stage: &Stage| rule.signal.is_caused_at(*stage);
        if let Some(stage) = Stage::ALL.into_iter().find(own_doing) {
            let why = if stage < Stage::Quarantined {
                "Weir's caps bring them about"
            } else {
                "the quarantine pool brings them about"
            };
            sentences.push(format!("From {stage} on it asks nothing: {why}."));
        }
        sentences.extend(rule.carried_out.in_words());
        sentences
    }

    fn consequence(&self, rule: &Rule) -> String {
        let (stage, enter, exit) = (rule.stage, percent(rule.enter), percent(rule.exit));
        let window = span(rule.window.span());
        // Calm younger than the bad events of its own mail proves nothing.
        let dwell = self.dwell_of(stage, &[], Timestamp::default()).map(|dwell| dwell.max(self.maturity(rule.signal)));
        let holds = match dwell {
            Some(dwell) => {
                format!("holds until the rate of the last {window} has been below {exit} for {}", span(dwell))
            }
            None => "holds until a person brings the customer down".to_owned(),
        };
        format!("Leads to {stage} when the true rate is above {enter}; {holds}.")
    }
}

impl Rule {
    fn subject(&self) -> String {
        let (signal, window) = (in_full(self.signal), span(self.window.span()));
        match self.method {
            Method::Bound { .. } => format!("Looks at {signal}, in all mail of the last {window}."),
            Method::Sequential { .. } => {
                let by = many(self.window.grain());
                format!(
                    "Looks at {signal}, in the stretch of the last {window} that speaks most against the customer (by {by})."
                )
            }
        }
    }

    /// How many mails convict at some rates above the limit.
    fn enough_mails(&self) -> Vec<String> {
        let worse = TIMES.into_iter().map(|times| self.enter * times).filter(|rate| *rate < 1.0);
        let rates: Vec<_> = worse.chain([1.0]).collect();
        let (bucket, window) = (one(self.window.grain()), span(self.window.span()));
        let [spread, at_once] = [Sending::Spread, Sending::AtOnce].map(|sending| self.told(&rates, sending));
        vec![
            format!("Mail sent evenly, some 50 every {bucket} or over all of the {window}, convicts at {spread}."),
            format!("Mail sent all within the same {bucket} convicts at {at_once}."),
        ]
    }

    fn told(&self, rates: &[f64], sending: Sending) -> String {
        let tell = |rate: &f64| {
            let rate_of = percent(*rate);
            match self.convicting_rate(*rate, sending) {
                Some(own) => format!("{rate_of} after about {} mails", thousands(own.mails)),
                None => format!("{rate_of} not even by {} {}", thousands(MOST_TRIED), bad_events(self.signal)),
            }
        };
        list(&rates.iter().map(tell).collect::<Vec<_>>())
    }

    /// How many bad events of some numbers of mails convict.
    fn enough_hits(&self, spread: u32) -> Vec<String> {
        let signal = bad_events(self.signal);
        let tell = |mails: u32| match self.convicting_hits(mails, Sending::Spread) {
            Some(hits) => format!("{} of {} mails", thousands(hits), thousands(mails)),
            None => format!("not even all of {} mails", thousands(mails)),
        };
        let mut sentences = vec![format!("Enough {signal} to convict: {}.", list(&MAILS.map(tell)))];
        if spread > 1 {
            let of = many(self.window.grain());
            sentences.push(format!("They must lie in at least {spread} different {of}: one bad import is one cause."));
        }
        sentences
    }
}

impl Slice {
    /// For whom the rule is carried out, if not for all.
    fn in_words(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Nobody => Some("In shadow: it is only said, and moves nobody.".to_owned()),
            Self::Share(share) => {
                let share = percent(*share);
                Some(format!("Carried out for about {share} of the customers; for the others it is only said."))
            }
            Self::These(customers) => {
                Some(format!("Carried out for {} only; for the others it is only said.", named(customers)))
            }
        }
    }
}

fn named(customers: &BTreeSet<CustomerId>) -> String {
    if customers.is_empty() {
        return "nobody".to_owned();
    }
    if customers.len() > NAMED {
        return count(customers.len(), "customer", "customers");
    }
    list(&customers.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// A signal's bad events, in the plural.
pub(super) const fn bad_events(signal: Signal) -> &'static str {
    match signal {
        Signal::HardBounce => "hard bounces",
        Signal::InvalidAddress => "invalid addresses",
        Signal::Block => "blocks",
        Signal::ReputationBlock => "reputation blocks",
        Signal::SoftBounce => "soft bounces",
        Signal::Deferral => "deferred mails",
        Signal::SpamReport => "complaints",
        Signal::Unsubscribe => "unsubscribes",
    }
}

/// A signal: bad events of mails.
pub(super) fn in_full(signal: Signal) -> String {
    let base = match signal.base() {
        Base::Attempted => "mails attempted",
        Base::Delivered => "mails delivered",
        Base::DeliveredReporting => "mails delivered to providers that report complaints",
    };
    format!("{} of {base}", bad_events(signal))
}

const fn one(grain: Grain) -> &'static str {
    match grain {
        Grain::FiveMinutes => "five minutes",
        Grain::Hour => "hour",
        Grain::Day => "day",
    }
}

const fn many(grain: Grain) -> &'static str {
    match grain {
        Grain::FiveMinutes => "five minutes",
        Grain::Hour => "hours",
        Grain::Day => "days",
    }
}
