//! Answers as the API gives them, for the tests of what is shown.

use model::{Millis, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Look, printable};

/// No terminal, at a fixed time.
pub(crate) fn plain() -> Look {
    Look { colours: false, width: None, now: "2026-11-23T12:00:00Z".parse().unwrap() }
}

pub(crate) fn ago(span: Millis) -> Timestamp {
    plain().now - span
}

/// As it is read from an answer.
pub(crate) fn read<T: DeserializeOwned>(answer: Value) -> T {
    serde_json::from_value(printable(answer)).unwrap()
}

pub(crate) fn standing(customer: &str, stage: &str) -> Value {
    json!({
        "customer": customer, "phase": "active", "stage": stage, "since": ago(Millis::hours(3)), "pool": "home",
        "daily_cap": null, "sent_24h": 402, "held": false, "reasons": [],
    })
}

pub(crate) fn decision(customer: &str) -> Value {
    json!({
        "id": "4be10000000000000000000000000000", "customer": customer, "at": ago(Millis::hours(3)),
        "from": "healthy", "to": "quarantined", "mode": "enforce", "rule": "hard-bounce-burst", "blame": "customer",
        "evidence": {
            "signal": "hard_bounce", "window": "1h", "test": "bound", "from": ago(Millis::hours(4)),
            "until": ago(Millis::hours(3)), "counted_after": null, "counted_to": 81234, "numerator": 31,
            "denominator": 402, "rate": 0.0771, "bound": 0.0553, "threshold": 0.05, "weight": 19.2, "needed": 16.1,
            "fleet_rate": 0.009, "events": [],
        },
        "policy": "sha256:00", "offset": {"partition": 3, "offset": 81234},
    })
}

/// A person's order.
pub(crate) fn order(customer: &str) -> Value {
    json!({
        "id": "4be10000000000000000000000000001", "customer": customer, "at": ago(Millis::hours(1)),
        "from": "quarantined", "to": "quarantined", "mode": "enforce", "rule": "command:hold", "evidence": null,
        "reason": "looking into it", "by": "ann", "policy": "sha256:00", "offset": {"partition": 3, "offset": 81240},
    })
}
