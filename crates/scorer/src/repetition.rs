//! What a fold says again whose state is behind what was published, or was made under another policy.

use log::Published;
use model::Offset;

use crate::store::RocksStore;

/// How a fold goes on from its state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repetition {
    /// What it says is new.
    Over,
    /// Up to there it says the very same as was said before, by the same numbers: what is on its topic already is known by
    /// its number and left out.
    Same(Published),
    /// Up to there it may say something else than was said before, by other numbers: the state was begun anew, perhaps on a
    /// log that retention has cut, or the policy is another. It says nothing up to there, and then where every customer
    /// stands, so that the topic of the standings agrees with the state.
    Other(Option<Published>),
}

impl Repetition {
    /// Of `store`, under the policy with this digest, where outputs are on their topics up to `published`.
    pub(crate) fn of(store: &mut RocksStore, policy: &str, published: Option<Published>) -> Self {
        let is_new = store.next_offset() == Offset::ZERO;
        if is_new && published.is_none() {
            store.policies_mut().all_said(policy);
        }
        if store.policies().said_under() != Some(policy) {
            // It stays another repetition until it has ended, also where a record brings the first policy back.
            store.policies_mut().say_all_later();
            return Self::Other(published);
        }
        published.map_or(Self::Over, Self::Same)
    }

    /// Whether the record at `offset` is the first that is new.
    pub(crate) fn ends_before(self, offset: Offset) -> bool {
        match self {
            Self::Over => false,
            Self::Same(published) => offset > published.said_at,
            Self::Other(published) => published.is_none_or(|published| offset > published.said_at),
        }
    }

    /// What was published when it began.
    pub(crate) const fn published(self) -> Option<Published> {
        match self {
            Self::Over => None,
            Self::Same(published) => Some(published),
            Self::Other(published) => published,
        }
    }

    /// Whether it may say something else than before.
    pub(crate) const fn is_other(self) -> bool {
        matches!(self, Self::Other(_))
    }
}
