//! What makes up a customer: what only the simulator knows.

use std::ops::Range;

use model::{Millis, Provider, Timestamp};

use super::Badness;
use super::chances::{Chances, Spread};
use super::dice::Dice;
use super::recipients::Recipients;
use super::rhythm::Rhythm;

/// What makes up a customer.
#[derive(Clone, Debug)]
pub(super) struct Nature {
    pub(super) recipients: Recipients,
    pub(super) rhythm: Rhythm,
    pub(super) course: Course,
    pub(super) spread: Spread,
    pub(super) complaints: Complaints,
    /// The share of its mail that goes to somebody to whom it sent before.
    pub(super) returning: f64,
    pub(super) badness: Option<Badness>,
}

/// How its chances change over time.
#[derive(Clone, Debug)]
pub(super) enum Course {
    /// Not at all.
    Steady(Chances),
    /// Not at all; the mails with these numbers bounce, and no others.
    Dead(Chances, Vec<u32>),
    /// For a while they are others.
    During { usual: Chances, span: Range<Timestamp>, then: Chances },
    /// Hard bounces rise evenly.
    Rising { usual: Chances, span: Range<Timestamp>, worst: f64 },
}

/// When complaints come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaints {
    /// Hours after the mail, some of them days: half of them within three hours.
    Usual,
    /// Two to four days after the mail.
    Late,
}

impl Nature {
    /// A good customer of this rhythm, with chances that do not change.
    pub(super) fn good(rhythm: Rhythm, chances: Chances, dice: &mut Dice) -> Self {
        Self {
            recipients: Recipients::random(dice),
            rhythm,
            course: Course::Steady(chances),
            spread: Spread::random(dice),
            complaints: Complaints::Usual,
            returning: dice.between(0.2, 0.5),
            badness: None,
        }
    }

    /// The same, but bad; it seldom sends to anybody twice.
    pub(super) fn bad(rhythm: Rhythm, chances: Chances, badness: Badness, dice: &mut Dice) -> Self {
        let good = Self::good(rhythm, chances, dice);
        Self { returning: dice.between(0.02, 0.1), badness: Some(badness), ..good }
    }
}

impl Nature {
    /// To whom its mail with this number goes, and who has the mailbox.
    ///
    /// The address is that number, where it never wrote to them before, or that of the mail that did. A customer that is held
    /// back tries again and again with those whom it has.
    pub(super) fn recipient(&self, number: u32, restrained: bool, dice: &mut Dice) -> (u32, Provider) {
        let returning = if restrained { (self.returning * 3.0).min(0.6) } else { self.returning };
        let (returns, earlier) = (dice.chance(returning), dice.number(0, number as usize));
        let address = if returns { u32::try_from(earlier).unwrap_or(number) } else { number };
        (address, self.recipients.provider(dice))
    }
}

impl Course {
    /// The average chances of mail that is sent at this moment.
    pub(super) fn chances(&self, at: Timestamp) -> Chances {
        match self {
            Self::Steady(chances) | Self::Dead(chances, _) => *chances,
            Self::During { usual, span, then } => *if span.contains(&at) { then } else { usual },
            Self::Rising { usual, span, worst } => {
                let way = Dice::way(span.start, at, span.end);
                Chances { hard_bounce: usual.hard_bounce * (1.0 - way) + worst * way, ..*usual }
            }
        }
    }

    /// Whether it is settled that this mail bounces or does not.
    pub(super) fn settled(&self, number: u32) -> Option<bool> {
        match self {
            Self::Dead(_, dead) => Some(dead.contains(&number)),
            Self::Steady(_) | Self::During { .. } | Self::Rising { .. } => None,
        }
    }
}

impl Complaints {
    /// How long after its delivery a mail is complained of.
    pub(super) fn after(self, dice: &mut Dice) -> Millis {
        match self {
            Self::Usual => {
                let delay = rand_distr::Normal::new(libm::log(3.0), 1.3).map(|delay| dice.draw(&delay));
                let hours = delay.map_or(3.0, libm::exp);
                Dice::share(hours.min(24.0 * 10.0), Millis::hours(1))
            }
            Self::Late => dice.millis(Millis::days(2).get(), Millis::days(4).get()),
        }
    }
}
