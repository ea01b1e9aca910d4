//! How events are told: late, twice, out of order, without their customer.

use model::{Millis, Timestamp};

use super::dice::Dice;
use super::fate::{Happening, What};
use super::letter::{Letter, Line};
use super::queue::Count;
use super::wording;

/// One thing that happened, and the copies in which it is told, the first one first.
pub(super) struct Telling {
    pub(super) count: Count,
    /// When it is posted, and the JSON.
    pub(super) first: (Timestamp, String),
    pub(super) copies: Vec<(Timestamp, String)>,
}

/// How long an event waits for its batch. SendGrid posts after half a minute at the latest, and a server with much to tell
/// far sooner.
const BATCH: Millis = Millis::seconds(8);

/// Tells what happened to a mail that was sent at `sent`; `number` is that of the happening among the mail's.
pub(super) fn tell(
    letter: &Letter<'_>,
    (sent, number): (Timestamp, usize),
    happening: &Happening,
    dice: &mut Dice,
) -> Telling {
    let Happening { after, what } = *happening;
    let at = sent + after;
    let late_bounce = what == What::LateBounce;
    // Bounces by the return path lose their custom arguments now and then; very few others do.
    let anonymous = dice.chance(if late_bounce { 0.1 } else { 0.0003 });
    let mut own = String::with_capacity(320);
    let facet = wording::write(what, &letter.ip(), &mut own, dice);
    let mut line =
        Line { name: wording::name(what), at, number, copy: 0, without_message: late_bounce, anonymous, own: &own };
    let event = letter.event(&line);
    let posted = at + waits(dice);
    let mut copies = Vec::new();
    if dice.chance(0.01) {
        copies.push((posted + again(dice), event.clone()));
    }
    if dice.chance(0.003) {
        line.copy = 1;
        copies.push((posted + again(dice), letter.event(&line)));
    }
    let count = Count { counter: what.counter(), facet, attributed: !anonymous };
    Telling { count, first: (posted, event), copies }
}

/// Two in a hundred come minutes late.
fn waits(dice: &mut Dice) -> Millis {
    let batch = dice.millis(300, BATCH.get());
    if dice.chance(0.02) { batch + dice.seconds(60, 300) } else { batch }
}

fn again(dice: &mut Dice) -> Millis {
    dice.seconds(5, 240)
}
