//! Who may order what, and where a customer may go.

use model::{Cause, Command, Counter, Order, Phase, Role, Sending, Stage};
use scoring::{Effect, Input};

use crate::house::{House, edited, id};

impl House {
    /// A command of somebody with this role.
    fn orders(&mut self, role: Role, customer: &str, order: Order) -> Effect {
        let command = Command { order, reason: "because".to_owned(), by: "ana".to_owned(), role: Some(role) };
        self.apply(Input::Command(&id(customer), command))
    }

    /// What was said of the last command's refusal.
    fn refusal(&self) -> &str {
        let decision = self.decisions.last().unwrap();
        assert_eq!((decision.cause, decision.from), (Some(Cause::Refused), decision.to));
        decision.reason.as_deref().unwrap()
    }
}

#[test]
fn what_an_approver_banned_no_operator_changes() {
    let mut house = House::new();
    let ban = Order::SetStage { stage: Stage::Banned };
    assert_eq!(house.orders(Role::Operator, "bad", ban), Effect::Refused);
    assert_eq!(house.stage("bad"), Stage::Healthy);
    assert_eq!(house.orders(Role::Approver, "bad", ban), Effect::Followed);
    let banned = house.standing("bad");
    let until = house.now + model::Millis::days(1);
    for order in [
        Order::Release { fully: true },
        Order::Release { fully: false },
        Order::SetStage { stage: Stage::Watch },
        Order::Exempt { until },
        Order::Hold { until: Some(until) },
        Order::SetPhase { phase: Phase::Offboarded },
    ] {
        assert_eq!(house.orders(Role::Operator, "bad", order), Effect::Refused, "{order:?}");
        assert!(house.refusal().contains("an approver banned the customer"), "{}", house.refusal());
        assert_eq!(house.standing("bad"), banned);
    }
    assert_eq!(house.orders(Role::Operator, "bad", Order::Note), Effect::Followed);
    assert_eq!(house.orders(Role::Approver, "bad", Order::Release { fully: false }), Effect::Followed);
    assert_eq!(house.stage("bad"), Stage::Suspended, "on probation");
}

#[test]
fn a_customer_goes_where_its_phase_leads_and_sends_what_it_allows() {
    let mut house = House::new();
    for (phase, sending) in [
        (Phase::Applied, Sending::None),
        (Phase::Vetting, Sending::None),
        (Phase::Pilot, Sending::Capped(200)),
        (Phase::Active, Sending::Free),
        (Phase::Offboarded, Sending::None),
    ] {
        assert_eq!(house.orders(Role::Operator, "new", Order::SetPhase { phase }), Effect::Followed, "{phase}");
        let standing = house.standing("new");
        assert_eq!((standing.phase, standing.sending), (phase, sending));
        let told = house.decisions.last().unwrap();
        assert_eq!(told.cause, Some(Cause::Order));
        assert_eq!(told.phase.map(|change| change.to), (phase != Phase::Applied).then_some(phase));
    }
    let order = Order::SetPhase { phase: Phase::Active };
    assert_eq!(house.orders(Role::Approver, "new", order), Effect::Refused);
    assert!(house.refusal().contains("from offboarded it can go to vetting"), "{}", house.refusal());
    let readmit = Order::SetPhase { phase: Phase::Vetting };
    assert_eq!(house.orders(Role::Operator, "new", readmit), Effect::Refused);
    assert_eq!(house.orders(Role::Approver, "new", readmit), Effect::Followed);
}

#[test]
fn a_refused_beginning_makes_no_customer() {
    let mut house = House::new();
    assert_eq!(house.orders(Role::Operator, "new", Order::SetPhase { phase: Phase::Vetting }), Effect::Refused);
    assert!(house.refusal().contains("begin with applied, pilot or active"), "{}", house.refusal());
    let Ok(customer) = scoring::Store::customer(&mut house.store, &id("new"));
    assert!(customer.is_new());
}

#[test]
fn who_is_asked_about_begins_in_the_phase_that_the_gate_gives_and_a_known_customer_stays_as_it_is() {
    for newcomers in [false, true] {
        let policy = edited(&[("newcomers = false", if newcomers { "newcomers = true" } else { "newcomers = false" })]);
        let mut house = House::under(policy);
        house.orders(Role::Operator, "new", Order::Register { phase: Some(Phase::Pilot) });
        assert_eq!((house.standing("new").sending, house.said.len()), (Sending::Capped(200), 2));
        house.orders(Role::Operator, "new", Order::Register { phase: Some(Phase::Active) });
        assert_eq!((house.standing("new").phase, house.said.len()), (Phase::Pilot, 0));
        house.orders(Role::Operator, "free", Order::Register { phase: Some(Phase::Active) });
        house.happens("free", Counter::Processed);
        assert_eq!(house.standing("free").phase, Phase::Active);
        house.orders(Role::Operator, "any", Order::Register { phase: None });
        assert_eq!(house.standing("any").phase, if newcomers { Phase::Pilot } else { Phase::Active });
    }
}

#[test]
fn a_release_by_a_person_is_one_stage_down_unless_it_is_meant_fully() {
    let mut house = House::new();
    house.orders(Role::Operator, "bad", Order::SetStage { stage: Stage::Suspended });
    for expected in [Stage::Quarantined, Stage::Throttled, Stage::Watch, Stage::Healthy, Stage::Healthy] {
        house.orders(Role::Operator, "bad", Order::Release { fully: false });
        assert_eq!((house.stage("bad"), house.standing("bad").held), (expected, false));
    }
    house.orders(Role::Operator, "bad", Order::SetStage { stage: Stage::Suspended });
    house.orders(Role::Operator, "bad", Order::Release { fully: true });
    assert_eq!(house.stage("bad"), Stage::Healthy);
}
