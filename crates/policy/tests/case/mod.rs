//! A customer's case, made by hand.

use model::{Counter, Counts, CustomerId, Fleet, FleetCounts, Offset, Phase, Provider, Stage, Timestamp, Window};
use policy::{Case, Judgement, Mail, Moment, Policy};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// What `policy` makes of a healthy customer with this mail, on a platform where nobody else has any trouble.
pub(crate) fn judged(policy: &Policy, moment: Moment, phase: Phase, mail: &Mail<'_>) -> Judgement {
    let mut others = Counts::ZERO;
    others[Counter::Processed] = 1_000;
    others[Counter::Delivered] = 1_000;
    let day = FleetCounts { providers: [(Provider::Other, others)].into(), ..FleetCounts::default() };
    let fleet = Fleet { windows: [(Window::Day, day)].into(), ..Fleet::default() };
    policy.judge(&Case {
        moment,
        customer: &CustomerId::new("a").unwrap(),
        now: NOW,
        phase,
        stage: Stage::Healthy,
        since: NOW,
        calm_since: None,
        offences: &[],
        exempt: false,
        pool: None,
        shadowed: &[],
        mail,
        whole: mail,
        released: None,
        counted_to: Offset::new(0),
        // Whoever has to wait for the fleet is judged on the same mail.
        settled: Some((mail, Offset::new(0))),
        excused: &[],
        fleet: &fleet,
        suspicions: &policy.suspicions(&fleet),
        events: &|_| Vec::new(),
    })
}
