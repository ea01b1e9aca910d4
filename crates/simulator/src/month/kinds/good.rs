//! Customers who must be left alone.

use model::Provider;

use super::Rank;
use crate::month::chances::Chances;
use crate::month::clock::Clock;
use crate::month::dice::Dice;
use crate::month::nature::{Course, Nature};
use crate::month::recipients::Recipients;
use crate::month::rhythm::{Campaigns, Rhythm};
use crate::month::scenario::Scenario;

/// What all of them send in 30 days, for each of them.
const MAILS_EACH: f64 = 700.0;
/// Nobody sends less in 30 days.
const FEWEST_MAILS: f64 = 60.0;

/// Zipf's law with exponent 1: the second sends half as much as the first. Two thirds of it go out in campaigns.
pub(super) fn zipf(Rank { rank, of }: Rank, dice: &mut Dice) -> Nature {
    let harmonic = libm::log(Dice::float(of)) + 0.577;
    let of_first = MAILS_EACH * Dice::float(of) / harmonic.max(1.0);
    let mails = (of_first / Dice::float(rank + 1)).max(FEWEST_MAILS);
    let chance = (mails / 300.0 / 30.0).clamp(2.0 / 30.0, 0.7);
    let campaigns = Campaigns::Now { chance, mails: mails * 2.0 / 3.0 / 30.0 / chance };
    let rhythm = Rhythm { campaigns, ..Rhythm::trickle(Clock::Consumers, mails / 3.0 / 30.0) };
    Nature::good(rhythm, Chances::good(dice), dice)
}

/// Few enough mails that one bounce looks like many.
pub(super) fn small(dice: &mut Dice) -> Nature {
    let mails = dice.magnitude(4.0, 60.0);
    let number = if dice.chance(1.0 / 3.0) { dice.number(1, 4) } else { 0 };
    let dead = (0..number).map(|_| u32::try_from(dice.number(0, Dice::whole(mails))).unwrap_or_default()).collect();
    let chances = Chances::good(dice);
    let good = Nature::good(Rhythm::trickle(Clock::Consumers, mails / 30.0), chances, dice);
    Nature { course: Course::Dead(chances, dead), ..good }
}

/// A newsletter.
pub(super) fn weekly(dice: &mut Dice) -> Nature {
    let campaigns = weekly_campaign(dice);
    Nature::good(Rhythm::campaigns(campaigns), Chances::good(dice), dice)
}

/// A campaign on one working day of the week.
pub(super) fn weekly_campaign(dice: &mut Dice) -> Campaigns {
    Campaigns::Weekly { weekday: dice.pick([0, 1, 2, 3, 4]), mails: dice.magnitude(1_000.0, 5_000.0) }
}

/// A sale: three days of ten times the mail, to customers of years ago as well.
pub(super) fn seasonal_peak(scenario: &Scenario, dice: &mut Dice) -> Nature {
    let begins = u32::try_from(dice.number(scenario.days as usize / 3, scenario.days as usize * 2 / 3)).unwrap_or(0);
    let span = scenario.day(begins)..scenario.day(begins + 3);
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(60.0, 400.0)).with_surge(span.start, span.end, 10.0);
    let usual = Chances::good(dice);
    let then = Chances { hard_bounce: dice.between(0.02, 0.03), ..usual };
    Nature { course: Course::During { usual, span, then }, ..Nature::good(rhythm, usual, dice) }
}

/// Companies' servers greylist, and their mailboxes are full.
pub(super) fn soft_bounces(dice: &mut Dice) -> Nature {
    let rhythm = Rhythm::trickle(Clock::Offices, dice.magnitude(50.0, 1_000.0));
    let chances = Chances { trouble: dice.between(0.05, 0.12), deferral: 0.2, ..Chances::good(dice) };
    Nature::good(rhythm, chances, dice)
}

/// Mail that somebody waits for.
pub(super) fn transactional(dice: &mut Dice) -> Nature {
    let rhythm = Rhythm::trickle(Clock::Machines, dice.magnitude(20.0, 2_000.0));
    let chances = Chances {
        hard_bounce: dice.between(0.001, 0.004),
        complaint: dice.between(0.0, 0.00005),
        ..Chances::good(dice)
    };
    Nature::good(rhythm, chances, dice)
}

/// Three in four or so of its recipients are with one of the providers that have outages, and it sends all day.
pub(super) fn outage_hit(Rank { rank, .. }: Rank, dice: &mut Dice) -> Nature {
    let rhythm = Rhythm::trickle(Clock::Machines, dice.magnitude(200.0, 2_000.0));
    let failing = [Provider::Microsoft, Provider::Yahoo, Provider::Gmail][rank % 3];
    let recipients = Recipients::mostly(failing, 0.7, dice);
    Nature { recipients, ..Nature::good(rhythm, Chances::good(dice), dice) }
}

/// It sends every day, so on that of the listing, too.
pub(super) fn listed_pool(dice: &mut Dice) -> Nature {
    let rhythm = Rhythm::trickle(Clock::Consumers, dice.magnitude(100.0, 1_000.0));
    Nature::good(rhythm, Chances::good(dice), dice)
}
