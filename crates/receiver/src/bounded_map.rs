//! A map of limited size that forgets its oldest keys first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use foldhash::fast::RandomState;

/// A map that holds the newest keys, up to a limit.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    /// Strangers choose what the keys are digests of. A seed per process keeps them from constructing collisions.
    by_key: HashMap<K, V, RandomState>,
    /// The keys, oldest first.
    order: VecDeque<K>,
    most: usize,
}

impl<K: Copy + Eq + Hash, V> BoundedMap<K, V> {
    /// Creates an empty map for at most `most` keys.
    pub(crate) fn new(most: usize) -> Self {
        Self { by_key: HashMap::default(), order: VecDeque::new(), most }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.by_key.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.by_key.get_mut(key)
    }

    /// Inserts `value` unless the key is present. A key that is present keeps its value and its age.
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
    fn the_oldest_key_is_forgotten_first_even_if_it_was_inserted_again() {
        let mut recent = BoundedMap::new(2);
        [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd')].into_iter().for_each(|(key, value)| recent.insert(key, value));
        assert_eq!([1, 2, 3].map(|key| recent.get(&key).copied()), [None, Some('b'), Some('d')]);
        assert_eq!((recent.by_key.len(), recent.order.len()), (2, 2));
    }
}
