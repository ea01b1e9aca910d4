//! How a customer's mail fares: what only the simulator knows.

use model::Timestamp;

use super::dice::Dice;
use super::recipients::Recipients;

/// Chances of what becomes of a mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    pub(super) hard_bounce: f64,
    pub(super) block: f64,
    /// Of delivered mail, at providers that report complaints.
    pub(super) complaint: f64,
    /// That a person opens it.
    pub(super) open: f64,
    /// That the recipient is on SendGrid's list of those not to be tried again.
    pub(super) drop: f64,
}

/// How the chances change over time.
#[derive(Clone, Debug)]
pub(super) enum Course {
    /// Not at all.
    Steady(Chances),
    /// Not at all, and these of its mails bounce.
    Few(Chances, Vec<usize>),
    /// At once.
    Turn { before: Chances, at: Timestamp, after: Chances },
    /// Hard bounces rise evenly, and stay at their worst.
    Rot { chances: Chances, from: Timestamp, to: Timestamp, worst: f64 },
}

/// What makes up a customer.
#[derive(Clone, Debug)]
pub(super) struct Character {
    pub(super) recipients: Recipients,
    pub(super) course: Course,
    /// Whether it names its category alone or in a list.
    pub(super) lists_categories: bool,
    /// Its unsubscribe group, if it uses them.
    pub(super) group: Option<usize>,
}

impl Character {
    /// The chances of its mail with this number, sent at this moment.
    pub(super) fn chances(&self, number: usize, at: Timestamp) -> Chances {
        match &self.course {
            Course::Steady(chances) => *chances,
            Course::Few(chances, dead) => {
                let hard_bounce = if dead.contains(&number) { 1.0 } else { 0.0 };
                Chances { hard_bounce, ..*chances }
            }
            Course::Turn { before, at: turn, after } => *if at < *turn { before } else { after },
            Course::Rot { chances, from, to, worst } => {
                let way = Dice::way(*from, at, *to);
                Chances { hard_bounce: chances.hard_bounce * (1.0 - way) + worst * way, ..*chances }
            }
        }
    }
}
