//! What SendGrid does to the account or to a subuser is said, each change once, and counts as nobody's mail.

use model::{AccountStatus, AccountStatusChange, Counter, CustomerId, Event, EventKind, Millis};
use scoring::{Effect, Input, Said};

use crate::house::{House, event, id};

fn change(house: &House, number: u128, status: AccountStatus, age: Millis) -> Event<'static> {
    let kind = EventKind::AccountStatusChange(status);
    Event { kind, pool: None, ..event(number, Counter::Processed, house.now - age) }
}

fn applied(house: &mut House, customer: &CustomerId, event: &Event<'_>) -> Effect {
    let now = house.now;
    house.apply(Input::Event(customer, event, now))
}

#[test]
fn a_change_is_said_once_of_a_customer_as_of_the_account() {
    let mut house = House::new();
    for (number, customer) in [(901, id("acme")), (902, CustomerId::unattributed("main"))] {
        let event = change(&house, number, AccountStatus::Banned, Millis::minutes(1));
        assert_eq!(applied(&mut house, &customer, &event), Effect::NotCounted);
        let (status, at) = (AccountStatus::Banned, event.at);
        let said = AccountStatusChange { customer: customer.clone(), status, at, event: "an-event".to_owned() };
        assert_eq!(house.said[0], Said::AccountStatus(said));
        let is_known = matches!(&house.said[1..], [Said::Standing(standing)] if standing.customer == customer);
        assert_eq!(is_known, !customer.is_unattributed(), "a customer has a page from here on: {:?}", house.said);
        assert_eq!(applied(&mut house, &customer, &event), Effect::Duplicate);
        assert!(house.said.is_empty());
    }
    assert!(house.decisions.is_empty());
}

#[test]
fn a_change_that_comes_late_is_said_under_the_same_key() {
    let mut house = House::new();
    let event = change(&house, 903, AccountStatus::Suspended, Millis::hours(100));
    let mut keys = Vec::new();
    for _ in 0..2 {
        assert_eq!(applied(&mut house, &id("acme"), &event), Effect::NotCounted);
        let [Said::AccountStatus(change), ..] = &house.said[..] else { panic!("{:?}", house.said) };
        keys.push(change.key());
    }
    assert_eq!(keys[0], keys[1]);
    let future = change(&house, 904, AccountStatus::Active, Millis::hours(-2));
    assert_eq!(applied(&mut house, &id("acme"), &future), Effect::Future, "it would stay the latest for long");
}
