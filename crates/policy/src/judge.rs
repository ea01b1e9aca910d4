//! One customer's case, and the verdict on it.

use std::fmt;

use model::{Cell, CellCounts, Counts, Evidence, Fleet, Grain, Provider, ProviderCounts, Stage, Timestamp, Window};

use crate::file::Policy;
use crate::measure::Measure;
use crate::rule::{Fraction, Rule, Signal};

/// Which buckets to sum: given a cell and the customer's own counts in it.
pub type Keep<'k> = dyn Fn(Cell, &Counts) -> bool + 'k;

/// A customer's mail over a window, summed over the buckets that the filter keeps.
pub type Mail<'m> = dyn Fn(Window, &Keep<'_>) -> ProviderCounts + 'm;

/// Why the case is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A bad event of this signal has just been counted: only going up is in question.
    Event(Signal),
    /// Time has passed.
    Tick,
}

/// Everything that a verdict rests on.
pub struct Case<'a> {
    /// Why it is looked at.
    pub moment: Moment,
    /// The time of the last tick.
    pub now: Timestamp,
    /// Where the customer stands.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// Since when every rate has been below its exit, if it is.
    pub calm_since: Option<Timestamp>,
    /// The customer's mail, never from before its last release.
    pub mail: &'a Mail<'a>,
    /// The same as it was when the fleet's counts were taken, if it was looked at then. Signals that need the fleet are
    /// judged on this, so that both sides of the comparison saw the same minutes.
    pub settled: Option<&'a Mail<'a>>,
    /// Everyone's mail.
    pub fleet: &'a Fleet,
    /// The latest bad events of a signal, for the evidence.
    pub events: &'a dyn Fn(Signal) -> Vec<String>,
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("moment", &self.moment)
            .field("now", &self.now)
            .field("stage", &self.stage)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// What should become of the customer.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Verdict {
    /// It stays where it is.
    Stay {
        /// Whether every rate is below its exit; only said at a tick.
        calm: bool,
    },
    /// A rule is over its limit but can't tell yet whose fault it is: keep the mail as it is now, and look again with the
    /// fleet's counts of this moment.
    Wait,
    /// It moves.
    Move {
        /// Where to.
        to: Stage,
        /// By which rule.
        rule: String,
        /// Why.
        evidence: Evidence,
    },
}

/// The name of the rule by which a customer comes down.
const CALM: &str = "calm";

impl Policy {
    /// What should become of the customer of `case`.
    pub fn judge(&self, case: &Case<'_>) -> Verdict {
        let mut beyond: Vec<_> =
            self.rules.iter().filter(|rule| rule.stage > case.stage && case.asks(rule.signal)).collect();
        beyond.sort_by_key(|rule| std::cmp::Reverse(rule.stage));
        let over =
            |rule: &&Rule| self.charged_mail(case, rule.signal).filter(|mail| self.measure(case, rule, mail).is_over());
        if let Some((rule, mail)) = beyond.iter().find_map(|rule| over(rule).map(|mail| (*rule, mail))) {
            return self.upwards(case, rule, mail);
        }
        if beyond.iter().any(|rule| rule.signal.needs_the_fleet() && self.measure(case, rule, case.mail).is_over()) {
            return Verdict::Wait;
        }
        match case.moment {
            Moment::Event(_) => Verdict::Stay { calm: false },
            Moment::Tick => self.downwards(case),
        }
    }

    /// The mail on which the customer can be charged for `signal` at this moment.
    fn charged_mail<'a>(&self, case: &Case<'a>, signal: Signal) -> Option<&'a Mail<'a>> {
        if signal.needs_the_fleet() { case.settled } else { Some(case.mail) }
    }

    fn measure<'r>(&self, case: &Case<'_>, rule: &'r Rule, mail: &Mail<'_>) -> Measure<'r> {
        let counts = match rule.signal {
            Signal::HardBounce | Signal::SpamReport => mail(rule.window, &|_, _| true),
            Signal::Block => {
                mail(rule.window, &|cell, own| !self.incident.covers(cell, CellCounts::of(own), case.fleet))
            }
        };
        Measure::new(rule, rule.signal.fraction(&counts))
    }

    fn upwards(&self, case: &Case<'_>, rule: &Rule, mail: &Mail<'_>) -> Verdict {
        let fleet = others(case, mail, rule);
        let evidence = self.measure(case, rule, mail).evidence(rule.enter, fleet, (case.events)(rule.signal));
        Verdict::Move { to: rule.stage, rule: rule.name.clone(), evidence }
    }

    /// One stage down, when all is calm and has been for the dwell time.
    fn downwards(&self, case: &Case<'_>) -> Verdict {
        let holding = self.rules.iter().filter(|rule| rule.stage >= case.stage);
        let measures: Vec<_> = holding.map(|rule| self.measure(case, rule, case.mail)).collect();
        if !measures.iter().all(Measure::is_calm) {
            return Verdict::Stay { calm: false };
        }
        let calm_for = case.calm_since.map(|since| case.now.since(since.max(case.since)));
        let dwelt = matches!((calm_for, self.dwell(case.stage)), (Some(calm), Some(dwell)) if calm >= dwell);
        let nearest = measures.iter().max_by(|a, b| a.pressure().total_cmp(&b.pressure()));
        match nearest {
            Some(nearest) if dwelt => {
                let fleet = others(case, case.mail, nearest.rule);
                let evidence = nearest.evidence(nearest.rule.exit, fleet, Vec::new());
                Verdict::Move { to: case.stage.milder(), rule: CALM.to_owned(), evidence }
            }
            _ => Verdict::Stay { calm: true },
        }
    }

    /// The grains in which incidents are looked for: those of the windows of the rules that need the fleet.
    pub fn incident_grains(&self) -> Vec<Grain> {
        let needing = self.rules.iter().filter(|rule| rule.signal.needs_the_fleet());
        let mut grains: Vec<_> = needing.map(|rule| rule.window.grain()).collect();
        grains.sort();
        grains.dedup();
        grains
    }
}

impl Case<'_> {
    /// Whether this moment puts `signal` in question.
    fn asks(&self, signal: Signal) -> bool {
        match self.moment {
            Moment::Event(bad) => bad == signal,
            Moment::Tick => true,
        }
    }
}

/// The rule's signal over the fleet without the customer.
fn others(case: &Case<'_>, mail: &Mail<'_>, rule: &Rule) -> Fraction {
    let own = mail(rule.window, &|_, _| true);
    let mut others = ProviderCounts::default();
    for provider in Provider::ALL {
        others.add(provider, &case.fleet.provider(rule.window, provider).without(own.provider(provider)));
    }
    rule.signal.fraction(&others)
}
