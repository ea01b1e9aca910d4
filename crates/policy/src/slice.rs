//! A slice of the customers: for whom a rule is carried out while it is being tried.

use std::collections::BTreeSet;

use model::CustomerId;
use sha2::{Digest, Sha256};

/// For which customers a rule is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Slice {
    /// For all.
    All,
    /// For none: the rule is in shadow.
    Nobody,
    /// For about this share of them, from 0 to 1: always the same ones, told by a digest of their names.
    Share(f64),
    /// For these.
    These(BTreeSet<CustomerId>),
}

impl Slice {
    /// Whether `customer` is among them.
    pub fn holds(&self, customer: &CustomerId) -> bool {
        match self {
            Self::All => true,
            Self::Nobody => false,
            Self::Share(share) => place(customer) < *share,
            Self::These(customers) => customers.contains(customer),
        }
    }
}

/// A customer's place among all names, from 0 to 1.
fn place(customer: &CustomerId) -> f64 {
    let digest = Sha256::digest(customer.as_str().as_bytes());
    let first = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    f64::from(first) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_holds_about_so_many_and_grows_by_adding() {
        let names: Vec<_> = (0..2_000).map(|n| CustomerId::new(&format!("customer-{n}")).unwrap()).collect();
        let held = |share| names.iter().filter(|name| Slice::Share(share).holds(name)).collect::<BTreeSet<_>>();
        assert!((150..250).contains(&held(0.1).len()), "{}", held(0.1).len());
        assert!(held(0.1).is_subset(&held(0.2)));
    }
}
