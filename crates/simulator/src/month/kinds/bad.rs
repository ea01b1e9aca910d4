//! Customers who must be found.

use super::good;
use crate::month::Badness;
use crate::month::chances::Chances;
use crate::month::clock::Clock;
use crate::month::dice::Dice;
use crate::month::nature::{Complaints, Course, Nature};
use crate::month::rhythm::{Campaigns, Rhythm, Season};
use crate::month::scenario::Scenario;

/// What the field accepts: SendGrid asks for hard bounces under 5 %. A list that rots is bad from there on; below it a policy may
/// be stricter, so it is not good either.
const BOUNCE_LIMIT: f64 = 0.05;

pub(super) fn bought_list(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let since = scenario.moment(dice.between(0.0, 0.5));
    let chances = Chances::bought((0.12, 0.30), dice);
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(100.0, 2_000.0)).in_season(Season::From(since));
    Nature::bad(rhythm, chances, Badness::hard_bounces(since, chances.hard_bounce), dice)
}

pub(super) fn complaint_magnet(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let since = scenario.moment(dice.between(0.0, 0.4));
    let chances = Chances { complaint: dice.between(0.02, 0.06), open: 0.02, ..Chances::good(dice) };
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(200.0, 2_000.0)).in_season(Season::From(since));
    Nature::bad(rhythm, chances, Badness::complaints(since, chances.complaint), dice)
}

pub(super) fn late_complaints(scenario: &Scenario, dice: &mut Dice) -> Nature {
    Nature { complaints: Complaints::Late, ..complaint_magnet(scenario, dice) }
}

/// The thief's mail drowns the owner's, which goes on.
pub(super) fn hijacked(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let since = scenario.moment(dice.between(0.3, 0.7));
    let (usual, bought) = (Chances::good(dice), Chances::bought((0.15, 0.30), dice));
    let factor = dice.between(12.0, 20.0);
    let then = bought.mixed(1.0 / factor, usual);
    let rhythm =
        Rhythm::trickle(Clock::Consumers, dice.magnitude(50.0, 500.0)).with_surge(since, scenario.end(), factor);
    let bad = Nature::bad(rhythm, usual, Badness::hard_bounces(since, then.hard_bounce), dice);
    Nature { course: Course::During { usual, span: since..scenario.end(), then }, ..bad }
}

pub(super) fn slow_rot(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let usual = Chances { hard_bounce: 0.01, ..Chances::good(dice) };
    let worst = dice.between(0.08, 0.10);
    let a_day = dice.between(1_500.0, 6_000.0);
    let passes = (BOUNCE_LIMIT - usual.hard_bounce) / (worst - usual.hard_bounce);
    let mails = a_day * f64::from(scenario.days);
    let rise = (worst - usual.hard_bounce) / mails;
    let badness = Badness { rise, ..Badness::hard_bounces(scenario.moment(passes), BOUNCE_LIMIT) };
    let span = scenario.moment(0.0)..scenario.end();
    let bad = Nature::bad(Rhythm::trickle(Clock::Consumers, a_day), usual, badness, dice);
    Nature { course: Course::Rising { usual, span, worst }, ..bad }
}

pub(super) fn slow_drip(dice: &mut Dice) -> Nature {
    let chances = Chances { hard_bounce: dice.between(0.12, 0.20), ..Chances::good(dice) };
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.between(10.0, 30.0));
    Nature::bad(rhythm, chances, Badness::hard_bounces(Scenario::START, chances.hard_bounce), dice)
}

pub(super) fn weekly(dice: &mut Dice) -> Nature {
    let chances = Chances::bought((0.12, 0.25), dice);
    let rhythm = Rhythm::campaigns(good::weekly_campaign(dice));
    Nature::bad(rhythm, chances, Badness::hard_bounces(Scenario::START, chances.hard_bounce), dice)
}

pub(super) fn first_blast(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let day = u32::try_from(Dice::whole(dice.between(0.1, 0.8) * f64::from(scenario.days))).unwrap_or_default();
    let chances = Chances::bought((0.12, 0.30), dice);
    let rhythm = Rhythm::campaigns(Campaigns::Once { day, mails: dice.magnitude(2_000.0, 10_000.0) });
    Nature::bad(rhythm, chances, Badness::hard_bounces(scenario.day(day), chances.hard_bounce), dice)
}

/// The list, its seller's price and the moment are the same for both.
pub(super) fn shared_list(scenario: &Scenario, shared: &mut Dice, dice: &mut Dice) -> Nature {
    let since = scenario.moment(shared.between(0.0, 0.5));
    let chances = Chances::bought((0.12, 0.25), shared);
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(200.0, 1_500.0)).in_season(Season::From(since));
    let bad = Nature::bad(rhythm, chances, Badness::hard_bounces(since, chances.hard_bounce), shared);
    Nature { returning: dice.between(0.02, 0.1), ..bad }
}

/// Of its mail a fifth or so goes to the bought list: so much that hard bounces are as they are meant to be.
pub(super) fn mixture(dice: &mut Dice) -> Nature {
    let (usual, bought) = (Chances::good(dice), Chances::bought((0.28, 0.36), dice));
    let altogether = dice.between(0.07, 0.09);
    let part = (altogether - usual.hard_bounce) / (bought.hard_bounce - usual.hard_bounce);
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(200.0, 1_500.0));
    let badness = Badness::hard_bounces(Scenario::START, altogether);
    Nature::bad(rhythm, usual.mixed(part, bought), badness, dice)
}

pub(super) fn stop_and_go(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let since = scenario.moment(dice.between(0.0, 0.3));
    let chances = Chances::bought((0.12, 0.25), dice);
    let rhythm =
        Rhythm::trickle(Clock::Consumers, dice.magnitude(200.0, 1_500.0)).in_season(Season::Intermittent(since));
    Nature::bad(rhythm, chances, Badness::hard_bounces(since, chances.hard_bounce), dice)
}
