//! Looks names up, and hands out only addresses that the hook may reach.
//!
//! The client connects to what is handed out here and looks nothing up itself, so that a name can't be one address when it is
//! checked and another when it is used.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Reach;
use crate::address;

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("{name} has no address")]
    None { name: String },
    #[error("{name} leads to no address that a hook may reach: {first}; set allow_private = true if it is meant so")]
    AllRefused { name: String, first: address::Refused },
}

/// Looks names up for a hook that may reach so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver(pub(crate) Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            // Port 0 stands for the URL's own.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = allowed(name.as_str(), found, reach)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn allowed(name: &str, found: impl Iterator<Item = SocketAddr>, reach: Reach) -> Result<Vec<SocketAddr>, ResolveError> {
    let (mut addresses, mut first) = (Vec::new(), None);
    for address in found {
        match address::check(address.ip()) {
            Err(refused) if reach == Reach::Public => first = first.or(Some(refused)),
            Ok(()) | Err(_) => addresses.push(address),
        }
    }
    match first {
        _ if !addresses.is_empty() => Ok(addresses),
        Some(first) => Err(ResolveError::AllRefused { name: name.to_owned(), first }),
        None => Err(ResolveError::None { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sockets(addresses: &[&str]) -> impl Iterator<Item = SocketAddr> {
        addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn of_the_addresses_of_a_name_only_the_public_ones_are_left() {
        let found = ["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"];
        let left = allowed("mixed.test", sockets(&found), Reach::Public).unwrap();
        assert_eq!(left, sockets(&["8.8.8.8", "2606:4700::1111"]).collect::<Vec<_>>());
        assert_eq!(allowed("mixed.test", sockets(&found), Reach::Private).unwrap().len(), 4);
    }

    #[tokio::test]
    async fn a_name_of_this_machine_leads_nowhere() {
        let name = "localhost".parse().unwrap();
        let Err(error) = Resolver(Reach::Public).resolve(name).await else { panic!("it leads somewhere") };
        assert!(error.to_string().contains("this machine"), "{error}");
        assert!(Resolver(Reach::Private).resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
