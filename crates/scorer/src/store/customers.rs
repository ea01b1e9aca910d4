//! Customers in a write-back cache before RocksDB.
//!
//! A customer that was touched stays in memory, changed, until the next commit writes it; after a commit the cache is cut
//! back to its bound, those first that were not touched for the longest time. Between commits it can grow only by the
//! customers that the records between them touch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::CustomerId;
use rocksdb::{DB, Direction, IteratorMode, WriteBatch};
use scoring::Customer;

use super::{Place, keys};
use crate::Error;

#[derive(Debug)]
pub(super) struct Customers {
    cache: HashMap<CustomerId, Slot>,
    /// Who was handed out to be changed since the last commit.
    changed: Vec<CustomerId>,
    bound: usize,
    /// Counts commits, from 1.
    generation: u64,
    attended: BTreeSet<CustomerId>,
    /// Changes of `attended` since the last commit.
    attention: BTreeMap<CustomerId, bool>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Slot {
    customer: Customer,
    /// The generation in which it was last handed out to be changed.
    touched: u64,
}

impl Customers {
    pub(super) fn load(db: &DB, place: &Place, bound: usize) -> Result<Self, Error> {
        let mut attended = BTreeSet::new();
        for entry in db.iterator_cf(keys::cf(db, keys::ATTENDED, place)?, IteratorMode::Start) {
            let (key, _) = entry.map_err(place.failed("reading who is looked at"))?;
            attended.insert(customer_id(&key, place)?);
        }
        Ok(Self {
            cache: HashMap::new(),
            changed: Vec::new(),
            bound,
            generation: 1,
            attended,
            attention: BTreeMap::new(),
            buffer: Vec::new(),
        })
    }

    pub(super) fn get(&mut self, db: &DB, place: &Place, id: &CustomerId) -> Result<&mut Customer, Error> {
        if !self.cache.contains_key(id) {
            let customer = read(db, place, id)?.unwrap_or_default();
            self.cache.insert(id.clone(), Slot { customer, touched: 0 });
        }
        // It is there now, if it was not before.
        let slot = self.cache.get_mut(id).ok_or_else(|| place.unreadable("a customer left the cache"))?;
        if slot.touched != self.generation {
            slot.touched = self.generation;
            self.changed.push(id.clone());
        }
        Ok(&mut slot.customer)
    }

    pub(super) fn peek(&self, db: &DB, place: &Place, id: &CustomerId) -> Result<Option<Customer>, Error> {
        match self.cache.get(id) {
            Some(slot) => Ok(Some(slot.customer.clone())),
            None => read(db, place, id),
        }
    }

    /// The first `limit` customers behind `name`; who they are follows from the records alone, not from what is in memory.
    pub(super) fn behind(
        &self,
        (db, place): (&DB, &Place),
        name: &str,
        limit: usize,
    ) -> Result<Vec<CustomerId>, Error> {
        let is_behind = |id: &&CustomerId| id.as_str() > name;
        // All others are on disk.
        let mut fresh: Vec<_> = self.changed.iter().filter(is_behind).collect();
        if fresh.len() > limit {
            fresh.select_nth_unstable(limit);
            fresh.truncate(limit);
        }
        let mut found: BTreeSet<_> = fresh.into_iter().cloned().collect();
        let from = IteratorMode::From(name.as_bytes(), Direction::Forward);
        // One more than wanted: the first may be the one named.
        for entry in db.iterator_cf(keys::cf(db, keys::CUSTOMERS, place)?, from).take(limit.saturating_add(1)) {
            let (key, _) = entry.map_err(place.failed("listing customers"))?;
            let id = customer_id(&key, place)?;
            if is_behind(&&id) {
                found.insert(id);
            }
        }
        Ok(found.into_iter().take(limit).collect())
    }

    pub(super) fn attend(&mut self, id: &CustomerId, wanted: bool) {
        if self.attended.contains(id) == wanted {
            return;
        }
        if wanted {
            self.attended.insert(id.clone());
        } else {
            self.attended.remove(id);
        }
        self.attention.insert(id.clone(), wanted);
    }

    pub(super) fn attended(&self) -> Vec<CustomerId> {
        self.attended.iter().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.cache.len()
    }

    /// Puts what changed since the last commit into `batch`.
    pub(super) fn write(&mut self, batch: &mut WriteBatch, db: &DB, place: &Place) -> Result<(), Error> {
        let cf = keys::cf(db, keys::CUSTOMERS, place)?;
        // RocksDB takes keys in their order faster than at random.
        self.changed.sort_unstable();
        for id in std::mem::take(&mut self.changed) {
            let Some(slot) = self.cache.get(&id) else { continue };
            self.buffer.clear();
            self.buffer = slot
                .customer
                .encode(std::mem::take(&mut self.buffer))
                .map_err(|error| place.unreadable(format!("customer can't be written: {error}")))?;
            batch.put_cf(cf, id.as_str(), &self.buffer);
        }
        let cf = keys::cf(db, keys::ATTENDED, place)?;
        for (id, wanted) in std::mem::take(&mut self.attention) {
            if wanted {
                batch.put_cf(cf, id.as_str(), []);
            } else {
                batch.delete_cf(cf, id.as_str());
            }
        }
        Ok(())
    }

    /// Everything is on disk now: cuts the cache back to its bound.
    pub(super) fn committed(&mut self) {
        let last = self.generation;
        self.generation += 1;
        if self.cache.len() <= self.bound {
            return;
        }
        // Half the bound is left free, so that this walk over the whole cache is made seldom.
        let kept = self.bound / 2;
        let mut touched: Vec<u64> = self.cache.values().map(|slot| slot.touched).collect();
        touched.sort_unstable_by(|a, b| b.cmp(a));
        let oldest_kept = touched.get(kept).copied().unwrap_or(last);
        self.cache.retain(|_, slot| slot.touched > oldest_kept);
    }

    pub(super) fn size_at_rest(&self, db: &DB, place: &Place) -> Result<(u64, u64), Error> {
        let (mut bytes, mut customers) = (0, 0);
        for entry in db.iterator_cf(keys::cf(db, keys::CUSTOMERS, place)?, IteratorMode::Start) {
            let (key, value) = entry.map_err(place.failed("measuring customers"))?;
            bytes += (key.len() + value.len()) as u64;
            customers += 1;
        }
        Ok((bytes, customers))
    }
}

fn customer_id(key: &[u8], place: &Place) -> Result<CustomerId, Error> {
    let id = std::str::from_utf8(key).ok().and_then(|text| CustomerId::new(text).ok());
    id.ok_or_else(|| place.unreadable("a customer id is no text"))
}

fn read(db: &DB, place: &Place, id: &CustomerId) -> Result<Option<Customer>, Error> {
    let cf = keys::cf(db, keys::CUSTOMERS, place)?;
    let Some(bytes) = db.get_pinned_cf(cf, id.as_str()).map_err(place.failed("reading a customer"))? else {
        return Ok(None);
    };
    let customer = Customer::decode(&bytes);
    customer.map(Some).map_err(|error| place.unreadable(format!("a customer's state: {error}")))
}
