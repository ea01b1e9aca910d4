//! When mail is sent.

use model::Timestamp;

use super::dice::Dice;
use super::{Account, Scenario, Truth};

/// The moments at which a customer's mails are due, in order.
pub(super) fn of(scenario: &Scenario, account: &Account, dice: &mut Dice) -> Vec<Timestamp> {
    let (start, end, mails) = (scenario.start, scenario.end(), account.planned_mails);
    let mut moments = match account.truth {
        Truth::Good => campaigns(scenario, mails, dice),
        Truth::SmallGood => anywhere(start, end, mails, dice),
        Truth::RottingList => steady(start, end, mails, dice),
        Truth::BoughtList | Truth::ComplaintMagnet => steady(account.bad_from, end, mails, dice),
        Truth::Hijacked => {
            // The thief sends 20 to 30 times as fast as the owner.
            let before = Dice::way(start, account.bad_from, end);
            let owners = Dice::float(mails) * before / (1.0 - before) / dice.between(20.0, 30.0);
            let mut moments = anywhere(start, account.bad_from, Dice::whole(owners), dice);
            moments.extend(steady(account.bad_from, end, mails, dice));
            moments
        }
    };
    moments.sort_unstable();
    moments
}

/// A third of the mail trickles, the rest goes out in up to four campaigns of some minutes.
fn campaigns(scenario: &Scenario, mails: usize, dice: &mut Dice) -> Vec<Timestamp> {
    let number = dice.number(1, 5);
    let of_each = mails * 2 / 3 / number;
    let mut moments = anywhere(scenario.start, scenario.end(), mails - of_each * number, dice);
    for _ in 0..number {
        let begins = dice.between(0.0, 0.9);
        let (from, to) = (scenario.moment(begins), scenario.moment(begins + dice.between(0.03, 0.1)));
        moments.extend(anywhere(from, to, of_each, dice));
    }
    moments
}

fn anywhere(from: Timestamp, to: Timestamp, mails: usize, dice: &mut Dice) -> Vec<Timestamp> {
    (0..mails).map(|_| dice.moment(from, to)).collect()
}

/// One in each of as many equal stretches of time.
fn steady(from: Timestamp, to: Timestamp, mails: usize, dice: &mut Dice) -> Vec<Timestamp> {
    let span = to.since(from);
    let of_all = |number: f64| from + Dice::share(number / Dice::float(mails), span);
    (0..mails).map(|number| of_all(Dice::float(number) + dice.between(0.0, 1.0))).collect()
}
