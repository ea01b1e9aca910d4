//! Two hundred customers, and how they are at SendGrid before Weir ever moves them.

use std::collections::{BTreeMap, BTreeSet};

use enforcer::{PlacementRule, Placements};
use model::{CustomerId, Timestamp};
use sendgrid::api::{Client, Credits, CreditsKind};
use simulator::platform::{Account, Placement, Truth};
use simulator::sendgrid::{HOME, World};

pub(crate) const CUSTOMERS: usize = 200;
/// A second good pool; one of its IPs is nobody's own.
const OTHER_HOME: &str = "good-2";
const SHARED_IPS: [&str; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

/// How a customer was before Weir first moved it, which is where it goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Subuser {
        name: String,
        ips: BTreeSet<String>,
        credits: Credits,
        is_disabled: bool,
    },
    /// Its own IPs, and their pool.
    Ips {
        own: Vec<String>,
        pool: &'static str,
    },
    Routed,
}

#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) id: CustomerId,
    pub(crate) before: Before,
}

/// Three in five are subusers; the others have IPs of their own, or nothing.
pub(crate) fn customers() -> Vec<Customer> {
    let mut free_ips = (1..255).map(|last| format!("198.51.100.{last}"));
    let customer = |number: usize| {
        let before = match number % 5 {
            3 => Before::Ips {
                own: free_ips.by_ref().take(1 + number % 2).collect(),
                pool: if number.is_multiple_of(4) { OTHER_HOME } else { HOME },
            },
            4 => Before::Routed,
            _ => subuser(number),
        };
        Customer { id: CustomerId::new(&format!("customer-{number}")).unwrap(), before }
    };
    (0..CUSTOMERS).map(customer).collect()
}

fn subuser(number: usize) -> Before {
    let ips: &[&str] = match number % 3 {
        0 => &SHARED_IPS,
        1 => &SHARED_IPS[..1],
        _ => &SHARED_IPS[1..],
    };
    let monthly =
        Credits { kind: CreditsKind::Recurring, reset_frequency: Some("monthly".to_owned()), total: Some(10_000) };
    let credits = match number % 4 {
        0 => monthly,
        1 => Credits::daily(500),
        _ => Credits::unlimited(),
    };
    Before::Subuser {
        name: format!("subuser-{number}"),
        ips: ips.iter().map(|ip| (*ip).to_owned()).collect(),
        credits,
        // The platform itself has stopped a few.
        is_disabled: number.is_multiple_of(40),
    }
}

pub(crate) fn accounts(customers: &[Customer]) -> Vec<Account> {
    let account = |customer: &Customer| {
        let placement = match &customer.before {
            Before::Subuser { name, .. } => Placement::Subuser(name.clone()),
            Before::Ips { own, .. } => Placement::DedicatedIps(own.clone()),
            Before::Routed => Placement::Route,
        };
        let bad_from = Timestamp::default();
        Account { id: customer.id.clone(), truth: Truth::Good, placement, planned_mails: 0, bad_from }
    };
    customers.iter().map(account).collect()
}

pub(crate) fn placements(customers: &[Customer]) -> Placements {
    let rule = |before: &Before| match before {
        Before::Subuser { name, .. } => PlacementRule::Subuser(Some(name.clone())),
        Before::Ips { own, .. } => PlacementRule::DedicatedIps(own.clone()),
        Before::Routed => PlacementRule::Route,
    };
    let by_customer: BTreeMap<_, _> = customers.iter().map(|c| (c.id.clone(), rule(&c.before))).collect();
    Placements { default: PlacementRule::Route, by_customer }
}

/// Makes a new SendGrid what the customers were before.
pub(crate) async fn set_up(client: &Client, customers: &[Customer]) {
    client.create_pool(OTHER_HOME).await.unwrap();
    client.add_to_pool(OTHER_HOME, SHARED_IPS[0]).await.unwrap();
    for customer in customers {
        match &customer.before {
            Before::Subuser { name, ips, credits, is_disabled } => {
                client.set_subuser_ips(name, &ips.iter().cloned().collect::<Vec<_>>()).await.unwrap();
                client.set_credits(name, credits).await.unwrap();
                client.set_disabled(name, *is_disabled).await.unwrap();
            }
            Before::Ips { own, pool } if *pool != HOME => {
                for ip in own {
                    client.add_to_pool(pool, ip).await.unwrap();
                    client.remove_from_pool(HOME, ip).await.unwrap();
                }
            }
            Before::Ips { .. } | Before::Routed => {}
        }
    }
}

/// What must hold at every moment was so until now.
pub(crate) fn assert_nobody_was_ever_unassigned(world: &World, customers: &[Customer]) {
    assert!(world.emptied_pools().is_empty(), "emptied: {:?}", world.emptied_pools());
    for customer in customers {
        match &customer.before {
            Before::Subuser { name, .. } => assert!(world.lowest_ips_of(name) > Some(0), "{name} had no IP"),
            Before::Ips { own, .. } => {
                own.iter().for_each(|ip| assert!(world.lowest_pools_of_ip(ip) > Some(0), "{ip} was in no pool"));
            }
            Before::Routed => {}
        }
    }
}
