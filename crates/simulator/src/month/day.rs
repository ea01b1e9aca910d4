//! What all customers plan for a day.

use model::{Millis, Timestamp};
use rand_distr::Poisson;

use super::chances::Chances;
use super::dice::Dice;
use super::nature::Nature;
use super::rhythm::{Campaigns, Rhythm};
use super::scenario::Scenario;

/// A mail that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Timestamp,
    /// The customer's place in its part.
    pub(super) place: u32,
    /// Its number among the customer's mails.
    pub(super) number: u32,
    /// Where its chances stand in the day.
    chances: u32,
}

/// A day's mails in the order in which they are due, and the chances of their campaigns.
#[derive(Debug, Default)]
pub(super) struct Day {
    due: Vec<Due>,
    next: usize,
    campaigns: Vec<Chances>,
}

impl Day {
    /// The next mail that is due by `until`, with its chances.
    pub(super) fn next(&mut self, until: Timestamp) -> Option<(Due, Chances)> {
        let due = self.due.get(self.next).copied().filter(|due| due.at <= until)?;
        self.next += 1;
        self.campaigns.get(due.chances as usize).map(|chances| (due, *chances))
    }

    /// Whether all of its mails were handed out.
    pub(super) const fn is_over(&self) -> bool {
        self.next == self.due.len()
    }

    /// Adds what a customer plans for this day; `planned` counts its mails.
    pub(super) fn plan(&mut self, whose: &Whose<'_>, number: u32, planned: &mut u32) {
        let mut dice = Dice::days(whose.scenario.seed, whose.index, number);
        let mut planner = Planner { day: self, whose, planned, dice: &mut dice };
        planner.plan(number);
    }

    /// To be called when everybody has planned.
    pub(super) fn sort(&mut self) {
        self.due.sort_unstable();
    }
}

/// Whose plans they are.
pub(super) struct Whose<'a> {
    pub(super) scenario: &'a Scenario,
    /// Its number among all customers.
    pub(super) index: usize,
    /// Its place in its part.
    pub(super) place: u32,
    pub(super) nature: &'a Nature,
}

struct Planner<'a> {
    day: &'a mut Day,
    whose: &'a Whose<'a>,
    planned: &'a mut u32,
    dice: &'a mut Dice,
}

impl Planner<'_> {
    fn plan(&mut self, number: u32) {
        let begins = self.whose.scenario.day(number);
        let Rhythm { clock, trickle, campaigns, .. } = self.whose.nature.rhythm;
        if trickle > 0.0 {
            for (hour, share) in (0_i64..).zip(clock.hours()) {
                let from = begins + Millis::hours(hour);
                self.burst(from, Millis::hours(1), trickle * clock.day(number) * share);
            }
        }
        let luck = self.dice.between(0.0, 1.0);
        if let Some(mails) = campaigns.on(number, luck) {
            let lasts = if matches!(campaigns, Campaigns::Once { .. }) { (60, 120) } else { (30, 90) };
            let lasts = self.dice.seconds(lasts.0 * 60, lasts.1 * 60);
            let from = begins + self.dice.seconds(7 * 3_600, 20 * 3_600);
            let mails = mails * self.dice.between(0.6, 1.4);
            self.burst(from, lasts, mails);
        }
    }

    /// Mails that belong together, `mails` on average; they stay within the day.
    fn burst(&mut self, from: Timestamp, lasts: Millis, mails: f64) {
        let nature = self.whose.nature;
        let number = Poisson::new(mails * nature.rhythm.strength(from)).map_or(0.0, |number| self.dice.draw(&number));
        if number < 1.0 {
            return;
        }
        let chances = nature.course.chances(from).campaign(nature.spread, self.dice);
        let campaign = u32::try_from(self.day.campaigns.len()).unwrap_or(u32::MAX);
        self.day.campaigns.push(chances);
        for _ in 0..Dice::whole(number) {
            let at = self.dice.moment(from, from + lasts);
            self.day.due.push(Due { at, place: self.whose.place, number: *self.planned, chances: campaign });
            *self.planned += 1;
        }
    }
}
