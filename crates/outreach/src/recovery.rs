//! What brings a customer down from its stage, by the policy: what a letter may promise.

use std::collections::BTreeMap;

use model::figures::list;
use model::{Decision, DecisionId, Millis, Mode, Phase, Rate, Stage, Standing, Window};
use policy::{Policy, Rule, Signal};
use serde::Serialize;

use crate::letter::{in_words, percent};

/// What is known of a customer's standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(crate) stage: Stage,
    /// The decision that brought it there.
    pub(crate) decision: Option<DecisionId>,
    pub(crate) sent_24h: u32,
    pub(crate) daily_cap: Option<u32>,
    phase: Phase,
    is_held: bool,
    awaits_person: bool,
}

impl Place {
    /// An example: a customer at `stage` that nobody holds and that has few offences.
    pub const fn example(stage: Stage, daily_cap: Option<u32>) -> Self {
        let (phase, is_held, awaits_person) = (Phase::Active, false, false);
        Self { stage, decision: None, sent_24h: 0, daily_cap, phase, is_held, awaits_person }
    }

    /// Mails a day that it may send.
    pub const fn daily_cap(&self) -> Option<u32> {
        self.daily_cap
    }

    /// The place of `standing`.
    pub fn of(standing: &Standing) -> Self {
        Self {
            stage: standing.stage,
            decision: standing.reasons.first().map(|reason| reason.decision.clone()),
            sent_24h: standing.sent_24h,
            daily_cap: standing.daily_cap,
            phase: standing.phase,
            is_held: standing.held && standing.held_until.is_none(),
            awaits_person: standing.awaits_person,
        }
    }
}

/// What brings a customer down from its stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Recovery {
    /// It is healthy: there is nothing to come down from.
    None,
    /// Time in which all rates stay below their exits.
    Time {
        /// The dwell time without earlier offences: it takes at least so long.
        after: String,
        /// Whether time brings it all the way to healthy.
        is_whole: bool,
        /// What has to hold all the while.
        exits: Vec<Exit>,
    },
    /// A person alone.
    Person {
        /// Why no time does.
        why: Why,
    },
    /// The policy in force, or what matters of the customer, is not known here.
    Unknown,
}

/// Why only a person brings a customer down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A person's order holds it.
    Order,
    /// It has so many offences.
    Offences,
    /// The policy gives the stage no dwell time, or no rule by which calm could show.
    Stage,
}

/// A rate below which rules no longer hold a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exit {
    bad_events: String,
    of: String,
    below: String,
    windows: String,
}

impl Recovery {
    /// What brings the customer of `decision` down from the stage it leads to. Offences and holds are unknown without a `place` that
    /// follows the decision, and times without a policy.
    pub fn of(decision: &Decision, policy: Option<&Policy>, place: Option<&Place>) -> Self {
        let to = decision.to;
        let place = place.filter(|place| place.stage == to);
        if to == Stage::Healthy {
            return Self::None;
        }
        if decision.rule == "command:set_stage" || place.is_some_and(|place| place.is_held) {
            return Self::Person { why: Why::Order };
        }
        if to == Stage::Banned {
            return Self::Person { why: Why::Stage };
        }
        if to >= Stage::Throttled && place.is_some_and(|place| place.awaits_person) {
            return Self::Person { why: Why::Offences };
        }
        let Some(policy) = policy.filter(|_| decision.mode == Mode::Enforce) else { return Self::Unknown };
        let ladder = Ladder { decision, policy, phase: place.map(|place| place.phase).unwrap_or_default() };
        let Some(after) = ladder.least_dwell(to) else { return Self::Person { why: Why::Stage } };
        // A person's order may hold the customer; from throttled on, its offences may.
        let is_known = place.is_some() || (to < Stage::Throttled && !decision.rule.starts_with("command:"));
        if !is_known {
            return Self::Unknown;
        }
        let mut below = Stage::ALL.into_iter().filter(|stage| Stage::Healthy < *stage && *stage < to);
        let is_whole = below.all(|stage| ladder.least_dwell(stage).is_some());
        Self::Time { after: span(after), is_whole, exits: ladder.exits(to) }
    }
}

/// The way down that a policy gives the customer of a decision.
struct Ladder<'l> {
    decision: &'l Decision,
    policy: &'l Policy,
    phase: Phase,
}

impl Ladder<'_> {
    fn holding(&self, stage: Stage) -> Vec<&Rule> {
        self.policy.holding(&self.decision.customer, (self.phase, stage))
    }

    /// How long a customer without earlier offences must have been calm at `stage`; `None` where no time brings it down.
    fn least_dwell(&self, stage: Stage) -> Option<Millis> {
        let dwell = self.policy.dwell_of(stage, &[], self.decision.at)?;
        // Bad events of the latest mails are still to come.
        let ripe = self.holding(stage).into_iter().map(|rule| self.policy.maturity(rule.signal)).max()?;
        Some(dwell.max(ripe))
    }

    /// The strictest exit of each signal and window; windows of a signal with the same exit are listed together.
    fn exits(&self, stage: Stage) -> Vec<Exit> {
        let mut strictest: BTreeMap<(Signal, Window), f64> = BTreeMap::new();
        for rule in self.holding(stage) {
            let exit = strictest.entry((rule.signal, rule.window)).or_insert(rule.exit);
            *exit = exit.min(rule.exit);
        }
        let mut alike: BTreeMap<(Signal, String), Vec<&str>> = BTreeMap::new();
        for ((signal, window), exit) in strictest {
            let Some(below) = Rate::new(exit).map(percent) else { continue };
            let window = if window == Window::Hour { "1 hour" } else { in_the_last(window) };
            alike.entry((signal, below)).or_default().push(window);
        }
        let exit = |((signal, below), windows): ((Signal, String), Vec<&str>)| {
            let (bad_events, of) = in_words(signal.name());
            Exit { bad_events: bad_events.to_owned(), of: of.to_owned(), below, windows: list(&windows) }
        };
        alike.into_iter().map(exit).collect()
    }
}

/// A window as it is read.
pub(crate) const fn in_the_last(window: Window) -> &'static str {
    match window {
        Window::Hour => "hour",
        Window::Day => "24 hours",
        Window::Week => "7 days",
        Window::Month => "30 days",
    }
}

/// A span by the largest unit that it is a whole number of; up to three days in hours.
fn span(span: Millis) -> String {
    const UNITS: [(i64, i64, &str); 3] = [(86_400_000, 4, "day"), (3_600_000, 1, "hour"), (60_000, 1, "minute")];
    let ms = span.get();
    let unit = UNITS.into_iter().find(|(unit, least, _)| ms % unit == 0 && ms / unit >= *least);
    let (unit, _, name) = unit.unwrap_or((1_000, 0, "second"));
    let number = ms.div_euclid(unit);
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;

    fn policy(changed: &[(&str, &str)]) -> Policy {
        let text = changed.iter().fold(policy::DEFAULT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        Policy::parse(&text).unwrap()
    }

    fn place(stage: Stage) -> Place {
        Place::example(stage, None)
    }

    fn by_rule(to: Stage) -> Decision {
        crate::example(to, Some("hard_bounce")).unwrap()
    }

    fn at(to: Stage, policy: &Policy) -> Recovery {
        Recovery::of(&by_rule(to), Some(policy), Some(&place(to)))
    }

    #[test]
    fn a_stage_without_a_dwell_time_is_a_persons_and_one_with_it_is_left_by_time() {
        let standard = policy(&[]);
        assert_eq!(at(Stage::Healthy, &standard), Recovery::None);
        for stage in [Stage::Suspended, Stage::Banned] {
            assert_eq!(at(stage, &standard), Recovery::Person { why: Why::Stage }, "{stage}");
        }
        for (stage, least) in
            [(Stage::Watch, "48 hours"), (Stage::Throttled, "48 hours"), (Stage::Quarantined, "72 hours")]
        {
            let Recovery::Time { after, is_whole: true, exits } = at(stage, &standard) else { panic!("{stage}") };
            assert_eq!(after, least, "{stage}: complaints take 48 h to come");
            assert!(!exits.is_empty());
        }
        let eased = policy(&[("# [stage.suspended] without", "[stage.suspended]\ndwell = \"30 d\"\n#")]);
        let Recovery::Time { after, is_whole, .. } = at(Stage::Suspended, &eased) else { panic!() };
        assert_eq!((after.as_str(), is_whole), ("30 days", true));
    }

    #[test]
    fn a_way_that_ends_before_healthy_is_not_called_whole() {
        let stuck = policy(&[("[stage.throttled]\ndwell = \"24 h\"", "[stage.throttled]")]);
        assert!(matches!(at(Stage::Quarantined, &stuck), Recovery::Time { is_whole: false, .. }));
        assert_eq!(at(Stage::Throttled, &stuck), Recovery::Person { why: Why::Stage });
    }

    #[test]
    fn holds_and_offences_leave_it_to_a_person_and_what_is_unknown_promises_nothing() {
        let standard = policy(&[]);
        let known = place(Stage::Throttled);
        let of = |decision: &Decision, place: Option<&Place>| Recovery::of(decision, Some(&standard), place);
        let decision = by_rule(Stage::Throttled);
        let held = Place { is_held: true, ..known.clone() };
        assert_eq!(of(&decision, Some(&held)), Recovery::Person { why: Why::Order });
        let offended = Place { awaits_person: true, ..known.clone() };
        assert_eq!(of(&decision, Some(&offended)), Recovery::Person { why: Why::Offences });
        assert_eq!(of(&decision, None), Recovery::Unknown);
        assert_eq!(of(&decision, Some(&place(Stage::Watch))), Recovery::Unknown, "a standing before the decision");
        assert_eq!(Recovery::of(&decision, None, Some(&known)), Recovery::Unknown);
        let ordered = crate::example(Stage::Throttled, None).unwrap();
        assert_eq!(of(&ordered, None), Recovery::Person { why: Why::Order });
        assert!(matches!(of(&by_rule(Stage::Watch), None), Recovery::Time { .. }));
    }

    /// Whatever the policy says, a letter promises easing by time only where the policy brings a customer without other offences
    /// down, and no sooner.
    #[test]
    fn what_is_promised_is_what_the_policy_does() {
        for dwell in [None, Some("12 h"), Some("10 d")] {
            for stage in ["watch", "throttled", "quarantined"] {
                let named = format!(
                    "[stage.{stage}]\ndwell = \"{}\"",
                    if stage == "watch" {
                        "6 h"
                    } else if stage == "throttled" {
                        "24 h"
                    } else {
                        "72 h"
                    }
                );
                let with = dwell.map_or_else(
                    || format!("[stage.{stage}]"),
                    |dwell| format!("[stage.{stage}]\ndwell = \"{dwell}\""),
                );
                let policy = policy(&[(&named, &with)]);
                for to in Stage::ALL {
                    let dwell = policy.dwell_of(to, &[Timestamp::default()], Timestamp::default());
                    match at(to, &policy) {
                        Recovery::None => assert_eq!(to, Stage::Healthy),
                        Recovery::Time { .. } => assert!(dwell.is_some(), "{to}"),
                        Recovery::Person { .. } => assert!(dwell.is_none(), "{to}"),
                        Recovery::Unknown => panic!("{to}"),
                    }
                }
            }
        }
    }
}
