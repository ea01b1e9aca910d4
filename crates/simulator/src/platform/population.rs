//! Who the customers are.

use model::{CustomerId, Timestamp};

use super::character::{Chances, Character, Course};
use super::dice::Dice;
use super::evidence::{BOUNCES, COMPLAINTS, convicting_share};
use super::recipients::Recipients;
use super::{Account, Placement, Scenario, Truth};

/// A customer, and what only the simulator knows of it.
pub(super) struct Customer {
    pub(super) account: Account,
    pub(super) character: Character,
    /// When its mails are due, in order.
    pub(super) schedule: Vec<Timestamp>,
}

/// What a kind of customer is like: how its mail fares, how much it plans, and from when on it is bad.
struct Nature {
    course: Course,
    mails: usize,
    bad_from: Timestamp,
}

/// The customers of a scenario: bad ones of each kind first, then the small, then the others by Zipf's law.
pub(super) fn populate(scenario: &Scenario) -> Vec<Customer> {
    (0..scenario.customers).map(|index| customer(scenario, index)).collect()
}

/// The kind of each customer by its place, and which of its kind it is.
///
/// Complaint magnets are fewer than the other bad ones, because each is so large.
fn truth_of(index: usize, customers: usize) -> (Truth, usize) {
    let share = |thousandths: usize| (customers * thousandths / 1_000).max(1);
    let kinds = [
        (Truth::BoughtList, share(25)),
        (Truth::ComplaintMagnet, share(10)),
        (Truth::Hijacked, share(25)),
        (Truth::RottingList, share(25)),
        (Truth::SmallGood, share(300)),
    ];
    let mut before = 0;
    for (truth, number) in kinds {
        if index < before + number {
            return (truth, index - before);
        }
        before += number;
    }
    (Truth::Good, index - before)
}

fn customer(scenario: &Scenario, index: usize) -> Customer {
    let mut dice = Dice::customers(scenario.seed, index);
    let (truth, rank) = truth_of(index, scenario.customers);
    let recipients = Recipients::random(&mut dice);
    let Nature { course, mails, bad_from } = nature(scenario, (truth, rank), &recipients, &mut dice);
    let id = CustomerId::new(&format!("customer-{index:03}")).unwrap_or_else(|_| CustomerId::unattributed("simulator"));
    let placement = match index % 5 {
        0..3 => Placement::Subuser(id.as_str().to_owned()),
        3 => Placement::DedicatedIps(vec![dedicated_ip(index)]),
        _ => Placement::Route,
    };
    let account = Account { id, truth, placement, planned_mails: mails, bad_from };
    let lists_categories = dice.chance(0.5);
    let group = dice.chance(0.4).then(|| 14_000 + index);
    let character = Character { recipients, course, lists_categories, group };
    let schedule = super::schedule::of(scenario, &account, &mut dice);
    Customer { account, character, schedule }
}

fn dedicated_ip(index: usize) -> String {
    format!("198.51.{}.{}", 100 + index / 250, 1 + index % 250)
}

fn nature(scenario: &Scenario, (truth, rank): (Truth, usize), recipients: &Recipients, dice: &mut Dice) -> Nature {
    let usual = usual(dice);
    match truth {
        Truth::Good => good(scenario, usual, rank),
        Truth::SmallGood => small(scenario, usual, dice),
        Truth::BoughtList => bought(scenario, dice),
        Truth::ComplaintMagnet => magnet(scenario, usual, recipients, dice),
        Truth::RottingList => rotting(scenario, usual, dice),
        Truth::Hijacked => hijacked(scenario, usual, dice),
    }
}

/// A good customer's chances.
fn usual(dice: &mut Dice) -> Chances {
    Chances {
        hard_bounce: dice.between(0.002, 0.015),
        block: dice.between(0.001, 0.005),
        complaint: dice.between(0.0, 0.0003),
        open: dice.between(0.15, 0.35),
        drop: dice.between(0.0, 0.004),
    }
}

/// A bought list's. The better of the bad are rarer: they need much mail to be found out, and there is room for a few only.
fn sold(least: f64, dice: &mut Dice) -> Chances {
    Chances {
        hard_bounce: dice.between(least, 0.30).max(dice.between(least, 0.30)),
        block: dice.between(0.03, 0.07),
        complaint: dice.between(0.005, 0.015),
        open: 0.05,
        drop: dice.between(0.005, 0.02),
    }
}

/// Zipf's law with exponent 1: the second sends half as much as the first. The harmonic number of some 200 is about 6.
fn good(scenario: &Scenario, usual: Chances, rank: usize) -> Nature {
    let mails = (scenario.good_mails / 6 / (rank + 1)).max(60);
    Nature { course: Course::Steady(usual), mails, bad_from: scenario.end() }
}

/// One in three has one to three dead addresses.
fn small(scenario: &Scenario, usual: Chances, dice: &mut Dice) -> Nature {
    let mails = dice.number(4, 60);
    let dead = if dice.chance(0.35) { dice.number(1, 4) } else { 0 };
    let dead = (0..dead).map(|_| dice.number(0, mails)).collect();
    Nature { course: Course::Few(usual, dead), mails, bad_from: scenario.end() }
}

fn bought(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let chances = sold(0.20, dice);
    let mails = convicting_share(0.06, chances.hard_bounce, BOUNCES).max(1_000);
    let bad_from = scenario.moment(dice.between(0.0, 0.2));
    Nature { course: Course::Steady(chances), mails, bad_from }
}

fn magnet(scenario: &Scenario, usual: Chances, recipients: &Recipients, dice: &mut Dice) -> Nature {
    let complaint = dice.between(0.08, 0.11).max(dice.between(0.08, 0.11));
    let chances = Chances { complaint, open: 0.08, ..usual };
    let reporting = convicting_share(0.055, complaint, COMPLAINTS);
    let mails = Dice::whole(Dice::float(reporting) / recipients.reporting().max(0.1)).max(4_000);
    Nature { course: Course::Steady(chances), mails, bad_from: scenario.moment(dice.between(0.0, 0.1)) }
}

fn rotting(scenario: &Scenario, usual: Chances, dice: &mut Dice) -> Nature {
    let chances = Chances { hard_bounce: 0.01, ..usual };
    let worst = dice.between(0.20, 0.26);
    // What is sent before it is at its worst does not speak for it, and hardly against it.
    let mails = convicting_share(0.3, worst, BOUNCES).max(1_500);
    let to = scenario.moment(2.0 / 3.0);
    let passes = (BOUNCES.rate - chances.hard_bounce) / (worst - chances.hard_bounce);
    let bad_from = scenario.moment(passes * 2.0 / 3.0);
    Nature { course: Course::Rot { chances, from: scenario.start, to, worst }, mails, bad_from }
}

fn hijacked(scenario: &Scenario, usual: Chances, dice: &mut Dice) -> Nature {
    let after = sold(0.25, dice);
    let mails = convicting_share(0.033, after.hard_bounce, BOUNCES).max(1_500);
    let bad_from = scenario.moment(dice.between(0.25, 0.45));
    Nature { course: Course::Turn { before: usual, at: bad_from, after }, mails, bad_from }
}
