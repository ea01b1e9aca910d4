//! Letters of everything that may be told: what the templates are tried with.

use std::collections::BTreeSet;

use model::{
    CustomerId, Decision, DecisionId, Evidence, Mode, Offset, PartitionId, Position, Provider, Rate, SetAside, Stage,
    Test, Timestamp, Window,
};

use crate::digest::{Digest, Entry};
use crate::force::Force;
use crate::letter::{Audience, Circumstances, CustomerTold, Letter};

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
pub fn digests() -> [Digest; 3] {
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
        Digest::example(vec![full.clone(), bare.clone()], vec![full, bare.clone()], 3),
        Digest::example(Vec::new(), vec![bare], 0),
        Digest::example(Vec::new(), Vec::new(), 0),
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

/// Each stage's templates with each signal and each that may have come of it, by the template's name.
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
    let mut letters = Vec::new();
    for (signal, to) in signals.flat_map(|signal| Stage::ALL.map(|to| (signal, to))) {
        let Some(mut decision) = decision(to, signal) else { continue };
        for (force, earlier_moves) in forces.iter().zip([0, 1, 2].into_iter().cycle()) {
            for audience in [Audience::Success, Audience::Customer] {
                let told = [CustomerTold::WhenInForce, CustomerTold::Off, CustomerTold::NoContact];
                let customer_told = *told.get(earlier_moves as usize).unwrap_or(&CustomerTold::Off);
                let console = url::Url::parse("https://weir.example.com").ok();
                let console = console.filter(|_| earlier_moves > 0);
                let force = force.clone();
                let circumstances = Circumstances { audience, force, earlier_moves, customer_told, console };
                letters.push((audience.template(to), Letter::new(&decision, &circumstances)));
            }
            if let Some(evidence) = &mut decision.evidence {
                evidence.test = if evidence.test == Test::Bound { Test::Budget } else { Test::Bound };
                evidence.set_aside.clear();
            }
            decision.from = if decision.to == Stage::Banned { Stage::Suspended } else { Stage::Banned };
        }
    }
    letters
}
