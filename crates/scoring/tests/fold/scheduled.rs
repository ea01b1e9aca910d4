//! Mail that SendGrid holds until it is due.

use model::{Counter, Event, Millis, Stage, Timestamp, Window};
use scoring::{Effect, Input};

use crate::house::{House, event, id};

/// One event of a mail that was taken at `taken`; only some say for when it was scheduled.
fn happens(house: &mut House, counter: Counter, taken: Timestamp, send_at: Option<Timestamp>) {
    let number = u128::from(house.offset) + 9_000_000;
    let sent_at = Some(send_at.filter(|at| *at <= house.now).unwrap_or(taken));
    let event = Event { sent_at, accepted_at: Some(taken), send_at, ..event(number, counter, house.now) };
    assert_eq!(house.apply(Input::Event(&id("bad"), &event, house.now)), Effect::Counted(counter));
}

/// Who hears when of what was scheduled.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// `processed` comes when the mail is taken, and nothing else says for when it was scheduled.
    WhenTaken,
    /// `processed` comes when it is sent.
    WhenSent,
    /// All events say so.
    Always,
}

/// What becomes of a customer that schedules a thousand mails so far ahead.
fn schedules(ahead: i64, mails: u32, bad: u32, how: Counter, told: Told) -> House {
    let mut house = House::new();
    let (taken, due) = (house.now, house.now + Millis::hours(ahead));
    let said = (ahead > 0).then_some(due);
    if !matches!(told, Told::WhenSent) {
        (0..mails).for_each(|_| happens(&mut house, Counter::Processed, taken, said));
    }
    house.pass(Millis::hours(ahead));
    house.sends("honest", 2_000, 2, Counter::HardBounce);
    if matches!(told, Told::WhenSent) {
        (0..mails).for_each(|_| happens(&mut house, Counter::Processed, taken, said));
    }
    let said = said.filter(|_| matches!(told, Told::Always));
    for number in 0..mails {
        let is_bad = number < bad;
        if !is_bad || how == Counter::SpamReport {
            happens(&mut house, Counter::Delivered, taken, said);
        }
        if is_bad && how != Counter::SpamReport {
            happens(&mut house, how, taken, said);
        }
    }
    house.pass(Millis::minutes(45));
    if how == Counter::SpamReport {
        (0..bad).for_each(|_| happens(&mut house, how, taken, said));
    }
    house.pass(Millis::minutes(5));
    house
}

#[test]
fn who_schedules_mail_is_judged_as_who_sends_it_at_once() {
    for (mails, bad, how) in [
        (1_000, 600, Counter::HardBounce),
        (300, 300, Counter::HardBounce),
        (1_000, 600, Counter::Block),
        (1_000, 60, Counter::SpamReport),
        (1_000, 10, Counter::HardBounce),
    ] {
        let expected = schedules(0, mails, bad, how, Told::WhenTaken).stage("bad");
        assert_eq!(expected > Stage::Watch, bad > 10, "{bad} {how:?}");
        for ahead in [1, 2, 26, 48, 71] {
            for told in [Told::WhenTaken, Told::WhenSent, Told::Always] {
                let mut house = schedules(ahead, mails, bad, how, told);
                assert_eq!(house.stage("bad"), expected, "{bad} {how:?}, {ahead} h ahead, {told:?}");
                let day = house.counts("bad", Window::Day);
                assert_eq!((day[Counter::Processed], day[how]), (mails, bad), "{ahead} h ahead, {told:?}");
            }
        }
    }
}

#[test]
fn mail_that_is_not_due_takes_nothing_from_what_was_sent() {
    let mut house = House::new();
    let now = house.now;
    (0..50).for_each(|_| happens(&mut house, Counter::Processed, now, None));
    let (taken, due) = (house.now, house.now + Millis::hours(71));
    (0..100).for_each(|_| happens(&mut house, Counter::Processed, taken, Some(due)));
    assert_eq!(house.counts("bad", Window::Hour)[Counter::Processed], 50);
    house.pass_quickly(Millis::hours(70));
    assert_eq!(house.counts("bad", Window::Month)[Counter::Processed], 50);
    house.pass_quickly(Millis::hours(1));
    happens(&mut house, Counter::Delivered, taken, None);
    let hour = house.counts("bad", Window::Hour);
    assert_eq!((hour[Counter::Processed], hour[Counter::Delivered]), (100, 1));
}
