//! What the log tells of a partition's customers beside events: for a state that is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use log::{Log, Start, Topic};
use model::{CustomerId, PartitionId, Phase, Profile, Stage, Standing};
use scoring::{Fold, Store};

use crate::Error;

/// How long the log is waited for at most, before it is asked whether all was read.
const WAIT: Duration = Duration::from_millis(100);

/// What was said last of a customer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Recalled {
    /// Its profile.
    Profile(Box<Profile>),
    /// Its standing, where no version wrote a profile.
    Standing(Box<Standing>),
}

impl Recalled {
    /// Puts the customer there.
    pub(crate) fn put_into<S: Store>(self, fold: &mut Fold, store: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Profile(profile) => fold.adopt(store, *profile),
            Self::Standing(standing) => fold.adopt_standing(store, *standing),
        }
    }
}

/// Reads what was said last of each customer of the partition of whom there is anything to tell.
///
/// # Errors
///
/// Those of the log.
pub(crate) fn recall(log: &dyn Log, id: PartitionId) -> Result<Vec<Recalled>, Error> {
    let mut recalled = BTreeMap::new();
    read(log, Topic::Standings, id, |standing: Standing| {
        if says_anything(&standing) {
            recalled.insert(standing.customer.clone(), Recalled::Standing(Box::new(standing)));
        } else {
            recalled.remove(&standing.customer);
        }
    })?;
    let mut profiles: BTreeMap<CustomerId, Recalled> = BTreeMap::new();
    read(log, Topic::Profiles, id, |profile: Profile| {
        profiles.insert(profile.customer.clone(), Recalled::Profile(Box::new(profile)));
    })?;
    recalled.append(&mut profiles);
    tracing::info!(partition = %id, customers = recalled.len(), "read what persons ordered and rules decided");
    Ok(recalled.into_values().collect())
}

/// Whether it says anything but that the customer sends as everybody does.
fn says_anything(standing: &Standing) -> bool {
    standing.stage != Stage::Healthy
        || standing.phase != Phase::Active
        || standing.held
        || standing.exempt_until.is_some()
}

/// Reads a partition of a compacted topic from its beginning to the end that it has now.
fn read<T: serde::de::DeserializeOwned>(
    log: &dyn Log,
    topic: Topic,
    id: PartitionId,
    mut take: impl FnMut(T),
) -> Result<(), Error> {
    let mut tail = log.tail_of(topic, id, Start::Earliest).map_err(Error::log("reading where customers stood"))?;
    while !tail.caught_up() {
        for stored in tail.next(WAIT).map_err(Error::log("reading where customers stood"))? {
            match serde_json::from_slice(&stored.record.value) {
                Ok(value) => take(value),
                Err(error) => {
                    let (topic, offset) = (topic.name(), stored.position.offset);
                    tracing::error!(topic, partition = %id, %offset, %error, "unreadable; what it says of its customer is lost");
                }
            }
        }
    }
    Ok(())
}
