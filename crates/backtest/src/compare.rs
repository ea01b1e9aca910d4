//! Whom a policy finds, and how two policies differ in it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use model::{CustomerId, Millis, Stage};

use crate::FOUND;
use crate::outcome::{Made, Run};

/// A customer that was found.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'r> {
    /// The first decision that held it back.
    pub first: &'r Made,
    /// The strictest stage that it reached.
    pub strictest: Stage,
}

/// The customers that `run` found; not those that rules in shadow would have found.
pub fn findings(run: &Run) -> BTreeMap<&CustomerId, Finding<'_>> {
    let mut found: BTreeMap<&CustomerId, Finding<'_>> = BTreeMap::new();
    for made in run.moves().filter(|made| made.decision.to >= FOUND) {
        let (customer, to) = (&made.decision.customer, made.decision.to);
        let finding = found.entry(customer).or_insert(Finding { first: made, strictest: to });
        finding.strictest = finding.strictest.max(to);
    }
    found
}

/// How two runs differ about one customer.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'r> {
    /// Whom they differ about.
    pub customer: &'r CustomerId,
    /// What differs.
    pub kind: Kind<'r>,
}

/// What differs.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'r> {
    /// Only the first run found the customer.
    OnlyFirst(Finding<'r>),
    /// Only the second run did.
    OnlySecond(Finding<'r>),
    /// Both did, at different times or up to different stages.
    Both(Finding<'r>, Finding<'r>),
}

impl Difference<'_> {
    /// How much later the second run found the customer; negative where it was earlier.
    pub fn later(&self) -> Option<Millis> {
        match self.kind {
            Kind::Both(a, b) => Some(b.first.decision.at.since(a.first.decision.at)),
            Kind::OnlyFirst(_) | Kind::OnlySecond(_) => None,
        }
    }
}

/// Where two runs differ, by customer.
pub fn differences<'r>(first: &'r Run, second: &'r Run) -> Vec<Difference<'r>> {
    let (a, b) = (findings(first), findings(second));
    let mut differences = Vec::new();
    for (customer, finding) in &a {
        let kind = match b.get(customer) {
            None => Kind::OnlyFirst(*finding),
            Some(other) if differ(finding, other) => Kind::Both(*finding, *other),
            Some(_) => continue,
        };
        differences.push(Difference { customer, kind });
    }
    let new = b.iter().filter(|(customer, _)| !a.contains_key(*customer));
    differences.extend(new.map(|(customer, finding)| Difference { customer, kind: Kind::OnlySecond(*finding) }));
    differences.sort_by_key(|difference| difference.customer);
    differences
}

fn differ(a: &Finding<'_>, b: &Finding<'_>) -> bool {
    a.first.decision.at != b.first.decision.at || a.strictest != b.strictest
}

/// How many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Found by the first run only.
    pub only_first: usize,
    /// Found by the second run only.
    pub only_second: usize,
    /// Found by the second run earlier than by the first.
    pub earlier: usize,
    /// Found by the second run later than by the first.
    pub later: usize,
    /// Found at the same time, and led to another stage in the end.
    pub otherwise: usize,
}

impl Tally {
    /// Counts `differences`.
    pub fn of(differences: &[Difference<'_>]) -> Self {
        let mut tally = Self::default();
        for difference in differences {
            let slot = match (&difference.kind, difference.later().map(|later| later.cmp(&Millis::ZERO))) {
                (Kind::OnlyFirst(_), _) => &mut tally.only_first,
                (Kind::OnlySecond(_), _) => &mut tally.only_second,
                (Kind::Both(..), Some(Ordering::Less)) => &mut tally.earlier,
                (Kind::Both(..), Some(Ordering::Greater)) => &mut tally.later,
                (Kind::Both(..), _) => &mut tally.otherwise,
            };
            *slot += 1;
        }
        tally
    }
}
