//! The figures of the scorecard.

use std::sync::Arc;

use model::{CustomerId, Evidence, Timestamp};
use policy::Policy;
use serde::Serialize;
use simulator::month::{Customer, Kind, Scenario};

use crate::outcome::{Outcome, good_months, is_caught};
use crate::weir::Decided;
use crate::{Move, Quantiles, Rival, rivals, theory, weir};

/// How a policy did, and what rules of fixed percentages would have done.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many customers there were.
    pub customers: usize,
    /// How many days.
    pub days: u32,
    /// The policy file's digest.
    pub policy: String,
    /// Records that Weir folded.
    pub records: u64,
    /// The good customers altogether: Weir first, then the rivals.
    pub totals: Vec<Totals>,
    /// By kind.
    pub kinds: Vec<KindScore>,
    /// The good customers that Weir touched, and why.
    pub touches: Vec<Touch>,
}

/// A good customer that was throttled or worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Touch {
    /// Whom it concerned.
    pub customer: CustomerId,
    /// What it really is.
    pub kind: Kind,
    /// When, first.
    pub at: Timestamp,
    /// By which rule.
    pub rule: String,
    /// On what evidence.
    pub evidence: Option<Evidence>,
}

/// What a watcher did to the good customers altogether.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// Whose figures they are.
    pub watcher: &'static str,
    /// Good customers that were throttled or worse.
    pub touched: usize,
    /// The same per 10,000 customers and 30 days.
    pub touched_per_10000_months: f64,
}

/// How customers of a kind fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindScore {
    /// Which.
    pub kind: Kind,
    /// Whether it must be left alone.
    pub good: bool,
    /// How many there were.
    pub customers: usize,
    /// The fewest mails from which the policy's best rule could know them: the median.
    pub fewest_mails: Option<f64>,
    /// Under Weir.
    pub weir: Score,
    /// Under the rivals, in their order.
    pub rivals: Vec<Score>,
}

/// How customers of a kind fared under a watcher. Figures of mails and time are of those that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// How many were throttled or worse while they were bad.
    pub found: usize,
    /// How many were throttled or worse while they were good.
    pub touched: usize,
    /// How often one was moved up to watch.
    pub watched: u32,
    /// Mails sent, since it was bad, when it was found.
    pub mails: Option<Quantiles>,
    /// Those mails as a multiple of the fewest from which anybody could know.
    pub ratio: Option<Quantiles>,
    /// Hours from its first mail since it was bad until it was found.
    pub hours: Option<Quantiles>,
}

/// Whether Weir did better than a rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beaten {
    /// It did at least as well.
    Yes,
    /// It did not, but the rival touches too many good customers to be of use.
    Unusable,
    /// It did not.
    No,
}

/// A rival that touches more good customers than this, of 10,000 in 30 days, is of no use.
const USABLE: f64 = 1.0;

/// One customer, with what each watcher made of it: Weir first.
pub(crate) struct Case {
    pub(crate) customer: Customer,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) fewest: Option<f64>,
}

/// Runs `policy` and the rivals over `scenario`; `day` is told each day that is over.
pub fn score(policy: &Arc<Policy>, scenario: &Scenario, day: &mut dyn FnMut(u32)) -> Scorecard {
    let parts = weir::watch(policy, scenario, day);
    let records = parts.iter().map(|part| part.records).sum();
    let mut cases = Vec::with_capacity(scenario.customers);
    let mut touches = Vec::new();
    for (part, rivals) in parts.into_iter().zip(rivals::watch(scenario)) {
        for (place, customer) in part.month.customers().iter().enumerate() {
            let decided = &part.decided[place];
            let own = Outcome::of(customer, &decided.iter().map(|decided| decided.step).collect::<Vec<Move>>());
            touches.extend(touch(customer, decided).filter(|_| own.touched));
            let others = rivals.iter().map(|moves| Outcome::of(customer, moves[place].as_slice()));
            let outcomes = std::iter::once(own).chain(others).collect();
            cases.push(Case { outcomes, fewest: theory::least(policy, customer), customer: customer.clone() });
        }
    }
    Scorecard {
        seed: scenario.seed,
        customers: scenario.customers,
        days: scenario.days,
        policy: policy.digest().to_owned(),
        records,
        totals: totals(&cases, scenario),
        kinds: Kind::ALL.into_iter().filter_map(|kind| kind_score(kind, &cases)).collect(),
        touches,
    }
}

/// The first move of a customer to throttled or worse.
fn touch(customer: &Customer, decided: &[Decided]) -> Option<Touch> {
    let Decided { step, rule, evidence } = decided.iter().find(|decided| is_caught(decided.step.to))?.clone();
    Some(Touch { customer: customer.id.clone(), kind: customer.kind, at: step.at, rule, evidence })
}

fn totals(cases: &[Case], scenario: &Scenario) -> Vec<Totals> {
    let months: f64 = cases.iter().map(|case| good_months(&case.customer, scenario)).sum();
    let watchers = std::iter::once("weir").chain(Rival::ALL.map(|rival| rival.name));
    let total = |(place, watcher): (usize, &'static str)| {
        let touched = cases.iter().filter(|case| case.outcomes[place].touched).count();
        Totals { watcher, touched, touched_per_10000_months: float(touched) * 10_000.0 / months.max(f64::MIN_POSITIVE) }
    };
    watchers.enumerate().map(total).collect()
}

fn kind_score(kind: Kind, cases: &[Case]) -> Option<KindScore> {
    let cases: Vec<_> = cases.iter().filter(|case| case.customer.kind == kind).collect();
    let watchers = cases.first()?.outcomes.len();
    let mut scores = (0..watchers).map(|watcher| watcher_score(watcher, &cases));
    Some(KindScore {
        kind,
        good: kind.is_good(),
        customers: cases.len(),
        fewest_mails: Quantiles::of(cases.iter().filter_map(|case| case.fewest).collect()).map(|fewest| fewest.median),
        weir: scores.next()?,
        rivals: scores.collect(),
    })
}

fn watcher_score(watcher: usize, cases: &[&Case]) -> Score {
    let outcomes = || cases.iter().map(|case| case.outcomes[watcher]);
    let found = || cases.iter().filter_map(|case| Some((case, case.outcomes[watcher].found?)));
    let ratio = found().filter_map(|(case, (mails, _))| Some(f64::from(mails) / case.fewest?));
    Score {
        found: found().count(),
        touched: outcomes().filter(|outcome| outcome.touched).count(),
        watched: outcomes().map(|outcome| outcome.watched).sum(),
        mails: Quantiles::of(found().map(|(_, (mails, _))| f64::from(mails)).collect()),
        ratio: Quantiles::of(ratio.collect()),
        hours: Quantiles::of(found().map(|(_, (_, after))| hours(after)).collect()),
    }
}

impl Scorecard {
    /// Whether Weir did at least as well as the rival with this number on customers of this kind: found as many of the bad
    /// from no more mails, touched no more of the good.
    pub fn beaten(&self, kind: &KindScore, rival: usize) -> Option<Beaten> {
        let other = kind.rivals.get(rival)?;
        let median = |score: &Score| score.mails.map_or(f64::INFINITY, |mails| mails.median);
        let better = if kind.good {
            kind.weir.touched <= other.touched
        } else {
            kind.weir.found >= other.found && median(&kind.weir) <= median(other)
        };
        let unusable = self.totals.get(rival + 1).is_some_and(|totals| totals.touched_per_10000_months > USABLE);
        Some(match (better, unusable && !kind.good) {
            (true, _) => Beaten::Yes,
            (false, true) => Beaten::Unusable,
            (false, false) => Beaten::No,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody simulates 2^53 customers")]
fn float(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "a scenario has far fewer than 2^53 milliseconds")]
fn hours(span: model::Millis) -> f64 {
    span.get() as f64 / model::Millis::hours(1).get() as f64
}
