//! What goes wrong for everybody: providers' outages, and a pool whose IPs are listed.

use model::{Millis, Provider, Timestamp};

use super::dice::Dice;
use super::scenario::Scenario;

/// A time at which mail goes wrong through no fault of its sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// Mail sent from here ...
    pub from: Timestamp,
    /// ... to before here ...
    pub until: Timestamp,
    /// ... to or from here ...
    pub place: Place,
    /// ... goes wrong with this chance, from 0 to 1.
    pub share: f64,
    pub(super) effect: Effect,
}

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a provider.
    Provider(Provider),
    /// In a pool.
    Pool(&'static str),
}

/// What becomes of the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Most is blocked, the rest is deferred.
    Refused,
    /// It bounces as if nobody lived there.
    Unknown,
    /// It is blocked for the IP's reputation.
    Listed,
}

/// The pools in which customers are at home.
pub(super) const HOMES: [&str; 3] = ["good-1", "good-2", "good-3"];
/// The one that is listed.
pub(super) const LISTED: &str = HOMES[1];

impl Scenario {
    /// What goes wrong for everybody: an outage of some hours at Microsoft, one at Yahoo, an hour during which Gmail says
    /// that its mailboxes do not exist, and a day on which a pool is blocked.
    pub fn incidents(&self) -> Vec<Incident> {
        let mut dice = Dice::everybodys(self.seed);
        let refused = |dice: &mut Dice| (dice.between(2.0, 6.0), dice.between(0.6, 0.75), Effect::Refused);
        let outages = [
            (0.25, Place::Provider(Provider::Microsoft), refused(&mut dice)),
            (0.5, Place::Provider(Provider::Yahoo), refused(&mut dice)),
            (0.75, Place::Provider(Provider::Gmail), (1.0, dice.between(0.6, 0.75), Effect::Unknown)),
            (0.4, Place::Pool(LISTED), (24.0, dice.between(0.3, 0.6), Effect::Listed)),
        ];
        let incident = |(way, place, (hours, share, effect))| {
            let day = u32::try_from(Dice::whole(f64::from(self.days) * way)).unwrap_or_default();
            let from = self.day(day) + dice.seconds(9 * 3_600, 12 * 3_600);
            Incident { from, until: from + Dice::share(hours, Millis::hours(1)), place, share, effect }
        };
        outages.map(incident).into()
    }
}

impl Incident {
    /// Whether it concerns a mail that leaves through `pool`.
    pub(super) fn concerns(&self, provider: Provider, pool: &str, at: Timestamp) -> bool {
        let there = match self.place {
            Place::Provider(failing) => failing == provider,
            Place::Pool(listed) => listed == pool,
        };
        there && (self.from..self.until).contains(&at)
    }
}
