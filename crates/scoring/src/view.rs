//! What is shown of a customer.

use std::collections::BTreeMap;

use model::{CustomerId, CustomerView, Timestamp, Window};
use policy::Policy;

use crate::Customer;

/// The customer's standing and its counts over the windows that end at `now`.
pub fn view(id: &CustomerId, customer: &Customer, policy: &Policy, now: Timestamp) -> CustomerView {
    let mut windows = BTreeMap::new();
    let mut providers: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for window in Window::ALL {
        let counts = customer.mail.sum(window, now);
        windows.insert(window, counts.total());
        for (provider, counts) in counts.seen() {
            providers.entry(provider).or_default().insert(window, *counts);
        }
    }
    CustomerView { standing: customer.standing(id, policy, now), windows, providers }
}
