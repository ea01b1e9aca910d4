//! Whom to call: the customers that are restrained, or should be, those first whose restraint keeps most harm from the others.

use std::collections::BTreeMap;

use model::figures::thousands;
use model::{CaseView, CustomerId, Stage, Timestamp};
use serde::Serialize;

use crate::book::{Book, How};
use crate::calendar::WEEK;
use crate::channel::Line;
use crate::harm::{Harm, Ledger, whole};
use crate::letter::{in_words, minute, page_of, percent};

/// So many are named of each kind.
const NAMED: usize = 20;

/// What the digest's template is filled with; docs/outreach.md describes each member.
#[derive(Clone, Debug, Serialize)]
pub struct Digest {
    /// Whether the enforcer changes nothing at all.
    shadow: bool,
    since: String,
    until: String,
    in_force: Vec<Entry>,
    more_in_force: usize,
    not_in_force: Vec<Entry>,
    more_not_in_force: usize,
}

/// A customer to call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) customer: String,
    pub(crate) stage: Stage,
    pub(crate) since: String,
    /// What is in force, where that is another stage.
    pub(crate) in_force: Option<Stage>,
    pub(crate) held_reason: Option<String>,
    pub(crate) harm: Option<String>,
    pub(crate) bad_events: Option<String>,
    pub(crate) at_least: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) fleet_rate: Option<String>,
    pub(crate) written_to: Option<String>,
    pub(crate) console: Option<String>,
}

/// What a digest is made from.
pub(crate) struct Sources<'w> {
    pub(crate) books: &'w BTreeMap<CustomerId, Book>,
    pub(crate) cases: &'w BTreeMap<CustomerId, (CaseView, Timestamp)>,
    pub(crate) console: Option<&'w url::Url>,
    /// Whether the enforcer changes nothing at all.
    pub(crate) is_shadow: bool,
}

impl Digest {
    /// Whether the enforcer changes nothing at all.
    pub(crate) const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The digest of the week that ends at `until`.
    pub(crate) fn new(sources: &Sources<'_>, until: Timestamp) -> Self {
        let since = until - WEEK;
        let (mut in_force, mut not_in_force) = (Vec::new(), Vec::new());
        for (customer, book) in sources.books {
            let ledger = &book.ledger;
            let is_restrained = ledger.lasting().is_some();
            let Some((stage, at)) = place(ledger) else { continue };
            let harm = if is_restrained { ledger.avoided(since, until) } else { ledger.unrestrained(WEEK) };
            let list = if is_restrained { &mut in_force } else { &mut not_in_force };
            list.push((harm, at, customer, stage));
        }
        let entry = |(harm, at, customer, stage): &(Option<Harm>, Timestamp, &CustomerId, Stage)| {
            sources.entry(customer, (*stage, *at), *harm)
        };
        let name = |list: &mut Vec<(Option<Harm>, Timestamp, &CustomerId, Stage)>| {
            let weight = |harm: &Option<Harm>| harm.map_or(-1.0, |harm| harm.weight);
            list.sort_by(|a, b| weight(&b.0).total_cmp(&weight(&a.0)).then(b.3.cmp(&a.3)).then(a.2.cmp(b.2)));
            (list.iter().take(NAMED).map(entry).collect(), list.len().saturating_sub(NAMED))
        };
        let (in_force, more_in_force) = name(&mut in_force);
        let (not_in_force, more_not_in_force) = name(&mut not_in_force);
        let (since, until, shadow) = (minute(since), minute(until), sources.is_shadow);
        Self { shadow, since, until, in_force, more_in_force, not_in_force, more_not_in_force }
    }

    /// One of these.
    pub(crate) fn example(shadow: bool, (in_force, not_in_force): (Vec<Entry>, Vec<Entry>), more: usize) -> Self {
        let until = Timestamp::from_seconds(1_790_001_500);
        let (since, until) = (minute(until - WEEK), minute(until));
        Self { shadow, since, until, in_force, more_in_force: more, not_in_force, more_not_in_force: more }
    }
}

/// Where a customer is that someone should call: where it was put last, or, where that is not known, what is in force.
fn place(ledger: &Ledger) -> Option<(Stage, Timestamp)> {
    let in_force = ledger.lasting().map(|spell| (spell.stage, spell.from));
    let place = ledger.decided.map(|place| (place.stage, place.at)).or(in_force);
    place.filter(|(stage, _)| *stage > Stage::Watch)
}

impl Sources<'_> {
    fn entry(&self, customer: &CustomerId, (stage, since): (Stage, Timestamp), harm: Option<Harm>) -> Entry {
        let (book, case) = (self.books.get(customer), self.cases.get(customer).map(|(case, _)| case));
        let ledger = book.map(|book| &book.ledger);
        let charge = ledger.and_then(|ledger| ledger.charge.as_ref());
        let in_force = ledger.and_then(Ledger::lasting).map(|spell| spell.stage);
        let told = book.and_then(|book| book.lines.get(&Line::CustomerMail)?.told.as_ref());
        let told = told.filter(|told| told.how == How::Delivered && told.stage > Stage::Watch);
        Entry {
            customer: customer.to_string(),
            stage,
            since: minute(since),
            in_force: in_force.filter(|in_force| *in_force != stage),
            held_reason: case.and_then(|case| case.held.as_ref()).map(|held| held.reason.clone()),
            harm: harm.map(about),
            bad_events: charge.map(|charge| in_words(&charge.signal).0.to_owned()),
            at_least: charge.map(|charge| percent(charge.at_least)),
            limit: charge.map(|charge| percent(charge.limit)),
            fleet_rate: charge.map(|charge| percent(charge.fleet_rate)),
            written_to: told.map(|told| minute(told.at)),
            console: self.console.map(|console| page_of(console, customer)),
        }
    }
}

/// An estimate to two digits: more would pretend to know more.
fn about(harm: Harm) -> String {
    let events = harm.events;
    if events < 1.0 {
        return "fewer than 1".to_owned();
    }
    let unit = 10_f64.powf((events.log10().floor() - 1.0).max(0.0));
    format!("about {}", thousands(whole((events / unit).round() * unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_has_two_digits() {
        let told = |events| about(Harm { events, weight: 0.0 });
        assert_eq!(
            [0.2, 1.4, 37.0, 1_249.0, 98_765.4].map(told),
            ["fewer than 1", "about 1", "about 37", "about 1,200", "about 99,000"]
        );
    }
}
