//! Letters of everything that may be told: what the templates are tried with.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    CustomerId, Decision, DecisionId, Evidence, Mode, Offset, PartitionId, Position, Provider, Rate, SetAside, Stage,
    Test, Timestamp, Window,
};

use crate::digest::{Digest, Entry};
use crate::force::Force;
use crate::letter::{Audience, Circumstances, CustomerTold, Letter};
use crate::recovery::Place;

/// The names that a letter has.
pub(crate) fn names() -> BTreeSet<String> {
    members(letters().first().map(|(_, letter)| letter))
}

/// The names that a digest has.
pub(crate) fn names_of_digests() -> BTreeSet<String> {
    members(digests().first())
}

fn members(value: Option<&impl serde::Serialize>) -> BTreeSet<String> {
    let json = value.and_then(|value| serde_json::to_value(value).ok());
    json.as_ref().and_then(|json| json.as_object()).map(|json| json.keys().cloned().collect()).unwrap_or_default()
}

/// Digests of everything that may be told.
pub fn digests() -> [Digest; 4] {
    let some = |text: &str| Some(text.to_owned());
    let full = Entry {
        customer: "example".to_owned(),
        stage: Stage::Quarantined,
        since: "2026-09-21 14:38 UTC".to_owned(),
        in_force: Some(Stage::Throttled),
        held_reason: some("a person has to approve it"),
        harm: some("about 1,200"),
        bad_events: some("hard bounces"),
        at_least: some("5.53 %"),
        limit: some("5.00 %"),
        fleet_rate: some("0.90 %"),
        written_to: some("2026-09-21 14:40 UTC"),
        console: some("https://weir.example.com/customers/example"),
    };
    let bare = Entry {
        in_force: None,
        held_reason: None,
        harm: None,
        bad_events: None,
        at_least: None,
        limit: None,
        fleet_rate: None,
        written_to: None,
        console: None,
        ..full.clone()
    };
    [
        Digest::example(false, (vec![full.clone(), bare.clone()], vec![full, bare.clone()]), 3),
        Digest::example(true, (Vec::new(), vec![bare.clone()]), 0),
        Digest::example(false, (Vec::new(), vec![bare]), 0),
        Digest::example(false, (Vec::new(), Vec::new()), 0),
    ]
}

/// An example of a decision to `to`, by this signal's rule, or by a person where there is none.
pub fn decision(to: Stage, signal: Option<&str>) -> Option<Decision> {
    let at = Timestamp::from_seconds(1_790_001_500);
    let evidence = match signal {
        Some(signal) => Some(evidence(signal, at)?),
        None => None,
    };
    Some(Decision {
        id: DecisionId::from_bits(0x94dc_9696_69d7_c6f2),
        customer: CustomerId::new("example").ok()?,
        at,
        from: if to == Stage::Healthy { Stage::Watch } else { Stage::Healthy },
        to,
        cause: None,
        phase: None,
        pilot_step: None,
        sending: None,
        mode: Mode::Enforce,
        rule: signal
            .map_or_else(|| "command:set_stage".to_owned(), |signal| format!("{}-fire", signal.replace('_', "-"))),
        blame: None,
        reason: signal.is_none().then(|| "spoke to them on the phone".to_owned()),
        by: signal.is_none().then(|| "ann".to_owned()),
        evidence,
        policy: "sha256:0".to_owned(),
        offset: Position { partition: PartitionId::new(0), offset: Offset::new(1) },
    })
}

fn evidence(signal: &str, at: Timestamp) -> Option<Evidence> {
    let rate = |rate| Rate::new(rate);
    let aside =
        SetAside { provider: Provider::Microsoft, from: at, until: at, mails: 120, blame: model::Blame::Provider };
    Some(Evidence {
        signal: signal.to_owned(),
        window: Window::Day,
        test: Test::Bound,
        from: at,
        until: at,
        counted_after: None,
        counted_to: Offset::new(1),
        numerator: 310,
        denominator: 4_020,
        rate: rate(0.0771)?,
        bound: rate(0.0553)?,
        threshold: rate(0.05)?,
        weight: 20.0,
        needed: 12.0,
        fleet_rate: rate(0.009)?,
        set_aside: vec![aside],
        events: vec!["Ym91bmNlLTAtMQ".to_owned()],
    })
}

/// What brings a customer down to where a decision leads: its own calm, and each order of a person.
const EASED: [&str; 4] = [policy::CALM, "command:release", "command:undo", "command:set_stage"];

/// Each stage's templates with each signal, each cause, and each that may have come of it, by the template's name.
pub(crate) fn letters() -> Vec<(String, Letter)> {
    let signals =
        policy::Signal::ALL.map(|signal| Some(signal.name())).into_iter().chain([Some("of a later version"), None]);
    let forces = [
        Force::InForce { daily_cap: Some(1_000) },
        Force::InForce { daily_cap: None },
        Force::AwaitsApproval("a person has to approve it".to_owned()),
        Force::HeldBack("enforcement is paused".to_owned()),
        Force::Shadow,
        Force::Undecided,
    ];
    let policy = policy::Policy::parse(policy::DEFAULT).ok().map(Arc::new);
    let mut letters = Vec::new();
    for (turn, signal) in signals.enumerate() {
        for decision in Stage::ALL.into_iter().filter_map(|to| decision(to, signal)) {
            // Each signal pairs outcomes and causes differently: all pairs occur, without the cost of all triples.
            let variants = variants(&decision).into_iter().cycle().skip(turn);
            for ((number, force), decision) in forces.iter().enumerate().zip(variants) {
                let earlier_moves = u32::try_from(number % 3).unwrap_or_default();
                let told = [CustomerTold::WhenInForce, CustomerTold::Off, CustomerTold::NoContact];
                let circumstances = |audience| Circumstances {
                    comes_into_force: matches!(force, Force::InForce { .. }) && turn % 2 == 1,
                    earlier_moves,
                    customer_told: *told.get(number % 3).unwrap_or(&CustomerTold::Off),
                    console: url::Url::parse("https://weir.example.com").ok().filter(|_| number % 3 > 0),
                    policy: policy.clone().filter(|_| turn % 4 < 3),
                    place: Some(Place::example(decision.to, None)).filter(|_| turn % 3 < 2),
                    ..Circumstances::new(audience, force.clone())
                };
                for audience in [Audience::Success, Audience::Customer] {
                    letters.push((audience.template(decision.to), Letter::new(&decision, &circumstances(audience))));
                }
            }
        }
    }
    letters
}

/// The same decision as it leads up, as a limit of all together leads up, and as it leads down by each cause.
fn variants(decision: &Decision) -> Vec<Decision> {
    let mut budget = decision.clone();
    if let Some(evidence) = &mut budget.evidence {
        (evidence.test, evidence.set_aside) = (Test::Budget, Vec::new());
    }
    let eased = EASED.map(|rule| Decision {
        from: Stage::Banned.max(decision.to),
        rule: rule.to_owned(),
        evidence: decision.evidence.clone().filter(|_| rule == policy::CALM),
        reason: Some("a false alarm".to_owned()).filter(|_| rule != policy::CALM),
        by: Some("ann".to_owned()).filter(|_| rule != policy::CALM),
        ..decision.clone()
    });
    [decision.clone(), budget].into_iter().chain(eased).collect()
}

/// An example of a letter.
#[derive(Clone, Debug)]
pub struct Example {
    /// The template's name.
    pub template: String,
    /// What distinguishes it from the template's other examples.
    pub case: &'static str,
    /// What the template is filled with.
    pub letter: Letter,
}

/// Letters of every template under the standard policy: by each cause, and for customer success with each state of enforcement.
pub fn as_they_go_out() -> Vec<Example> {
    let mut examples = Vec::new();
    for audience in [Audience::Success, Audience::Customer] {
        for to in Stage::ALL {
            let causes =
                causes(to).into_iter().map(|(case, decision)| (case, decision, Force::InForce { daily_cap: None }));
            let outcomes = outcomes(to).into_iter().filter(|_| audience == Audience::Success);
            examples.extend(causes.chain(outcomes).filter_map(|(case, decision, force)| {
                Some(Example {
                    template: audience.template(to),
                    case,
                    letter: in_order(audience, (case, &decision?), force),
                })
            }));
        }
    }
    examples
}

/// What leads to a stage.
fn causes(to: Stage) -> Vec<(&'static str, Option<Decision>)> {
    let signal = if to == Stage::Suspended { "spam_report" } else { "hard_bounce" };
    let up = [("a rule", decision(to, Some(signal))), ("a person's order", decision(to, None))];
    let down = EASED.into_iter().zip(["calm", "a release", "a false alarm, taken back", "a person's order, down"]);
    let down = down.map(|(rule, case)| {
        let given = decision(to, Some("hard_bounce").filter(|_| rule == policy::CALM));
        let reason = (rule == "command:undo").then(|| "a false alarm: the list was imported twice".to_owned());
        (
            case,
            given.map(|given| Decision {
                from: stricter(to),
                rule: rule.to_owned(),
                reason: reason.or(given.reason),
                ..given
            }),
        )
    });
    // Nothing is stricter than a ban, and no rule leads to healthy or to a ban.
    let up = up.into_iter().filter(|(case, _)| to > Stage::Healthy && (*case != "a rule" || to < Stage::Banned));
    up.chain(down.filter(|_| to < Stage::Banned)).collect()
}

/// What may have come of a decision to a stage.
fn outcomes(to: Stage) -> Vec<(&'static str, Option<Decision>, Force)> {
    let held = || "enforcement is paused".to_owned();
    let forces = [
        ("it waits for an approval", Force::AwaitsApproval("a person has to approve it".to_owned())),
        ("it is held back", Force::HeldBack(held())),
        ("it comes into force", Force::InForce { daily_cap: None }),
        ("in shadow", Force::Shadow),
        ("not carried out yet", Force::Undecided),
    ];
    forces.map(|(case, force)| (case, decision(to, Some("block")), force)).into()
}

fn stricter(stage: Stage) -> Stage {
    Stage::ALL.into_iter().find(|other| *other > stage).unwrap_or(stage)
}

/// A letter of a platform that writes to its customers, under the standard policy.
fn in_order(audience: Audience, (case, decision): (&str, &Decision), force: Force) -> Letter {
    let policy = policy::Policy::parse(policy::DEFAULT).ok().map(Arc::new);
    let daily_cap = policy.as_ref().and_then(|policy| policy.daily_cap(decision.to));
    let force = match force {
        Force::InForce { .. } => Force::InForce { daily_cap },
        force => force,
    };
    let circumstances = Circumstances {
        comes_into_force: case == "it comes into force",
        customer_told: CustomerTold::WhenInForce,
        console: url::Url::parse("https://weir.example.com").ok(),
        policy,
        place: Some(Place::example(decision.to, daily_cap)),
        ..Circumstances::new(audience, force)
    };
    Letter::new(decision, &circumstances)
}
