//! What was seen last: a bounded memory that forgets the oldest first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use foldhash::fast::RandomState;

/// At most so many keys, each with a value.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    /// Keys are digests of what strangers choose: the seed is this process's own, so that they can't be made to collide here.
    by_key: HashMap<K, V, RandomState>,
    /// The keys, oldest first.
    order: VecDeque<K>,
    most: usize,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    /// Empty, with room for `most` keys.
    pub(crate) fn new(most: usize) -> Self {
        Self { by_key: HashMap::default(), order: VecDeque::new(), most }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.by_key.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.by_key.get_mut(key)
    }

    /// Remembers `value` for a key that has none yet; one that has keeps its own, and its age.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.by_key.contains_key(&key) {
            return;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
        self.by_key.insert(key, value);
        self.order.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_what_is_seen_again_grows_no_younger() {
        let mut recent = Recent::new(2);
        [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd')].into_iter().for_each(|(key, value)| recent.insert(key, value));
        assert_eq!([1, 2, 3].map(|key| recent.get(&key).copied()), [None, Some('b'), Some('d')]);
        assert_eq!((recent.by_key.len(), recent.order.len()), (2, 2));
    }
}
