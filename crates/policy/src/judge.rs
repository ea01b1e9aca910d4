//! The verdict on a case.

use model::{
    Blame, CustomerId, Evidence, Fleet, Millis, Mode, Phase, PoolName, Provider, ProviderCounts, Stage, Window,
};

use crate::case::{Case, Excused, Mail, Moment};
use crate::incident::Place;
use crate::measure::Measure;
use crate::signal::{Fraction, Trouble};
use crate::tally::Tally;
use crate::{Policy, Rule, Signal, Suspicions};

/// What should become of the customer.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Verdict {
    /// It stays where it is.
    Stay {
        /// Whether every rate is below its exit; only said at a tick.
        calm: bool,
    },
    /// It moves.
    Move(Box<Step>),
}

/// A move, or what would be one.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where to.
    pub to: Stage,
    /// By which rule.
    pub rule: String,
    /// Why.
    pub evidence: Evidence,
}

/// The verdict on a case, and what rules in shadow would have done.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Judgement {
    /// What should become of the customer.
    pub verdict: Verdict,
    /// A rule is over its limit but can't tell yet whose fault it is: keep the mail as it is now, and look again with the
    /// fleet's counts of this moment.
    pub waits: bool,
    /// What rules in shadow say, and all rules while the customer is exempt.
    pub shadow: Vec<Step>,
}

/// The name of the rule by which a customer comes down.
pub const CALM: &str = "calm";

/// What a rule says at a moment.
enum Finding {
    Over(Evidence),
    Waits,
    Nothing,
}

impl Policy {
    /// What should become of the customer of `case`.
    pub fn judge(&self, case: &Case<'_>) -> Judgement {
        let mut desk = Desk { policy: self, case, tallies: Vec::new() };
        let mut beyond: Vec<_> = self.rules_for(case.phase).iter().filter(|rule| case.asks(rule)).collect();
        beyond.sort_by_key(|rule| std::cmp::Reverse(rule.stage));
        let mut judgement = Judgement { verdict: Verdict::Stay { calm: false }, waits: false, shadow: Vec::new() };
        let mut is_open = true;
        for rule in beyond {
            let carried_out = !case.exempt && rule.mode(case.customer, Mode::Enforce) == Mode::Enforce;
            let is_said = if carried_out {
                matches!(judgement.verdict, Verdict::Move(_))
            } else {
                case.shadowed.contains(&rule.name)
            };
            if is_said {
                continue;
            }
            match desk.finding(rule) {
                Finding::Over(evidence) => {
                    let step = Step { to: rule.stage, rule: rule.name.clone(), evidence };
                    if carried_out {
                        judgement.verdict = Verdict::Move(Box::new(step));
                    } else {
                        judgement.shadow.push(step);
                    }
                }
                Finding::Waits => judgement.waits = true,
                Finding::Nothing => continue,
            }
            // What is only said keeps nobody from coming down.
            is_open &= !carried_out;
        }
        if is_open && case.moment == Moment::Tick {
            judgement.verdict = desk.downwards();
        }
        judgement
    }

    /// The rules that hold a customer at `stage`: it comes down once its rates are below the exits of all of these.
    ///
    /// They are those that lead there or beyond. Where none does any more, because the policy has changed, those that lead
    /// farthest of what is left. A rule that is only said holds nobody, unless there is no other.
    pub fn holding(&self, customer: &CustomerId, (phase, stage): (Phase, Stage)) -> Vec<&Rule> {
        let rules = self.rules_for(phase).iter().filter(|rule| !rule.signal.is_caused_at(stage));
        let (mut holding, said): (Vec<_>, Vec<_>) =
            rules.partition(|rule| rule.mode(customer, Mode::Enforce) == Mode::Enforce);
        if holding.is_empty() {
            holding = said;
        }
        let farthest = holding.iter().map(|rule| rule.stage).max().unwrap_or_default();
        holding.retain(|rule| rule.stage >= stage.min(farthest));
        holding
    }

    /// Whether the rule called `name` no longer has anything against the customer.
    pub fn is_calm(&self, case: &Case<'_>, name: &str) -> bool {
        let mut desk = Desk { policy: self, case, tallies: Vec::new() };
        let rule = self.rules_for(case.phase).iter().find(|rule| rule.name == name);
        rule.is_none_or(|rule| Measure::new(rule, desk.tally(rule)).is_calm())
    }

    /// Whose fault it is, if this part of a customer's mail was caught in an incident.
    pub(crate) fn blame(&self, trouble: Trouble, place: Place<'_>, fleet: &Fleet) -> Option<Blame> {
        // In the quarantine pool everybody's mail suffers: that is what it is for.
        let pool = place.pool.filter(|pool| **pool != *self.quarantine());
        self.incident.blame(trouble, Place { pool, ..place }, fleet)
    }

    /// The hours of a customer's mail since its last release that were caught in an incident, by what the fleet knows now.
    /// What it sent before, the fleet's counts hold too, so that the comparison is of the `whole`.
    pub fn excused_hours(
        &self,
        (mail, whole): (&Mail<'_>, &Mail<'_>),
        pool: Option<&PoolName>,
        (fleet, suspicions): (&Fleet, &Suspicions),
    ) -> Vec<Excused> {
        let mut caught = Vec::new();
        whole(Window::Day, &mut |cell, counts| {
            let is_hit = |trouble: &Trouble| trouble.befell(counts) && suspicions.cover(*trouble, cell);
            for trouble in Trouble::ALL.into_iter().filter(is_hit) {
                let place = Place { cell, own: counts, pool };
                if let Some(blame) = self.blame(trouble, place, fleet) {
                    caught.push((cell, trouble, blame));
                }
            }
        });
        let mut hours = Vec::new();
        mail(Window::Day, &mut |cell, counts| {
            let of_cell = caught.iter().filter(|(caught, ..)| *caught == cell);
            hours.extend(of_cell.map(|(_, trouble, blame)| Excused {
                hour: cell.bucket,
                provider: cell.provider,
                trouble: *trouble,
                blame: *blame,
                counts: *counts,
            }));
        });
        hours
    }
}

/// A case with the tallies made so far: rules of the same signal and window share one.
struct Desk<'d> {
    policy: &'d Policy,
    case: &'d Case<'d>,
    tallies: Vec<((Signal, Window), Tally)>,
}

impl Desk<'_> {
    fn tally(&mut self, rule: &Rule) -> &Tally {
        let wanted = (rule.signal, rule.window);
        let at = self.tallies.iter().position(|(key, _)| *key == wanted).unwrap_or_else(|| {
            let tally = Tally::of(self.policy, self.case, self.case.mail, wanted);
            self.tallies.push((wanted, tally));
            self.tallies.len() - 1
        });
        &self.tallies[at].1
    }

    fn finding(&mut self, rule: &Rule) -> Finding {
        let (policy, case) = (self.policy, self.case);
        let now = Measure::new(rule, self.tally(rule));
        let is_over = now.is_over();
        if !is_over && case.settled.is_none() {
            return Finding::Nothing;
        }
        let waits = now.may_be_an_incident();
        if is_over && !waits {
            return Finding::Over(now.against(case, policy.others(case, rule)));
        }
        if waits && let Some(evidence) = self.finding_then(rule) {
            return Finding::Over(evidence);
        }
        if is_over { Finding::Waits } else { Finding::Nothing }
    }

    /// What the rule said when the fleet's counts were taken.
    fn finding_then(&self, rule: &Rule) -> Option<Evidence> {
        let (mail, counted_to) = self.case.settled?;
        let case = &Case { mail, counted_to, ..*self.case };
        let tally = Tally::of(self.policy, case, mail, (rule.signal, rule.window));
        let then = Measure::new(rule, &tally);
        then.is_over().then(|| then.against(case, self.policy.others(case, rule)))
    }

    /// One stage down, when all is calm and has been for the dwell time.
    fn downwards(&mut self) -> Verdict {
        let (policy, case) = (self.policy, self.case);
        let mut nearest: Option<(f64, &Rule)> = None;
        let mut maturity = Millis::ZERO;
        for rule in policy.holding(case.customer, (case.phase, case.stage)) {
            let measure = Measure::new(rule, self.tally(rule));
            if !measure.is_calm() {
                return Verdict::Stay { calm: false };
            }
            maturity = maturity.max(policy.maturity(rule.signal));
            if nearest.is_none_or(|(pressure, _)| measure.pressure() > pressure) {
                nearest = Some((measure.pressure(), rule));
            }
        }
        let calm_for = case.calm_since.map(|since| case.now.since(since.max(case.since)));
        // Calm that is younger than the complaints of its own mail proves nothing.
        let dwell = policy.dwell_of(case.stage, case.offences, case.since).map(|dwell| dwell.max(maturity));
        let dwelt = matches!((calm_for, dwell), (Some(calm), Some(dwell)) if calm >= dwell);
        match nearest {
            Some((_, rule)) if dwelt => {
                let fleet = policy.others(case, rule);
                let evidence = Measure::new(rule, self.tally(rule)).in_favour(case, fleet);
                Verdict::Move(Box::new(Step { to: case.stage.milder(), rule: CALM.to_owned(), evidence }))
            }
            _ => Verdict::Stay { calm: true },
        }
    }
}

impl Policy {
    /// The rule's signal over the fleet without the customer.
    fn others(&self, case: &Case<'_>, rule: &Rule) -> Fraction {
        let mut own = ProviderCounts::default();
        (case.whole)(rule.window, &mut |cell, counts| own.add(cell.provider, counts));
        let others = Provider::ALL.map(|provider| {
            let counts = case.fleet.provider(rule.window, provider).without(own.provider(provider));
            rule.signal.fraction(provider, &counts)
        });
        others.into_iter().fold(Fraction::default(), Fraction::plus)
    }
}
