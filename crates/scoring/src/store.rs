//! What the fold needs of whoever keeps its customers.

use model::{CustomerId, Digest, Timestamp};

use crate::Customer;

/// An hour of events, counted from the Unix epoch: duplicates are remembered and forgotten by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(u32);

impl Hour {
    /// The hour numbered `number`.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The hour that holds `at`.
    pub const fn of(at: Timestamp) -> Self {
        Self(model::Bucket::of(model::Grain::Hour, at).get())
    }

    /// The hour's number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Keeps a partition's customers and the digests of what was seen.
///
/// What the fold asks and answers does not depend on how a store keeps things: every store gives the same answers.
pub trait Store {
    /// What can go wrong.
    type Error;

    /// The customer, new where it was never seen. Changes made through the reference are kept.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    fn customer(&mut self, id: &CustomerId) -> Result<&mut Customer, Self::Error>;

    /// Remembers both digests under `hour`; whether neither was there.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    fn is_first(&mut self, hour: Hour, digests: [Digest; 2]) -> Result<bool, Self::Error>;

    /// Forgets the digests of all hours before `hour`.
    ///
    /// # Errors
    ///
    /// Where the store can't be read.
    fn forget_before(&mut self, hour: Hour) -> Result<(), Self::Error>;

    /// Whether the customer is to be looked at when time passes.
    fn attend(&mut self, id: &CustomerId, wanted: bool);

    /// The customers to be looked at, in the order of their names.
    fn attended(&self) -> Vec<CustomerId>;
}
