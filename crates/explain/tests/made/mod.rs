//! Events and decisions made by hand.

use std::sync::Arc;

use model::{
    Counter, CustomerId, Decision, DecisionId, Digest, Event, EventKind, Evidence, Mode, Offset, PartitionId, Position,
    Provider, Rate, Stage, Test, Timestamp, Window,
};
use policy::Policy;

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

pub(crate) fn policy() -> Arc<Policy> {
    Arc::new(Policy::parse(policy::DEFAULT).unwrap())
}

pub(crate) fn acme() -> CustomerId {
    CustomerId::new("acme").unwrap()
}

/// The `number`th event, of mail to Microsoft.
pub(crate) fn event(number: u128, counter: Counter, at: Timestamp) -> Event<'static> {
    Event {
        kind: EventKind::Counted(counter),
        facet: None,
        at,
        sent_at: None,
        provider: Provider::Microsoft,
        pool: None,
        id: "an-event",
        id_digest: Digest(number << 1),
        content_digest: Digest(number << 1 | 1),
        accepted_at: None,
        send_at: None,
    }
}

/// Of the mail sent from [`START`] to before `until`, so many were bad.
pub(crate) fn evidence(signal: &str, until: Timestamp, (numerator, denominator): (u32, u32)) -> Evidence {
    Evidence {
        signal: signal.to_owned(),
        window: Window::Hour,
        test: Test::Bound,
        from: START,
        until,
        counted_after: None,
        counted_to: Offset::new(1_000),
        numerator,
        denominator,
        rate: Rate::of(numerator, denominator),
        bound: Rate::new(0.055).unwrap(),
        threshold: Rate::new(0.05).unwrap(),
        weight: 14.95,
        needed: 11.52,
        fleet_rate: Rate::new(0.009).unwrap(),
        set_aside: Vec::new(),
        events: vec!["an-event".to_owned()],
    }
}

/// The customer's move to quarantine by the record at `offset`.
pub(crate) fn decision(rule: &str, at: Timestamp, offset: u64, evidence: Option<Evidence>) -> Decision {
    Decision {
        id: DecisionId::from_bits(offset.into()),
        customer: acme(),
        at,
        from: Stage::Healthy,
        to: Stage::Quarantined,
        cause: None,
        phase: None,
        pilot_step: None,
        sending: None,
        mode: Mode::Enforce,
        rule: rule.to_owned(),
        blame: None,
        evidence,
        reason: None,
        by: None,
        policy: policy().digest().to_owned(),
        offset: Position { partition: PartitionId::new(0), offset: Offset::new(offset) },
    }
}
