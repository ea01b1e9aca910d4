//! A proxy that signs people in and says who they are.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::{Caller, Credential, Role};

/// What is believed of a proxy, and how it proves that it is the one.
#[derive(Clone)]
pub struct Proxy {
    /// The header with the person's name.
    pub user_header: HeaderName,
    /// The header with the groups that the person is in, a comma between them.
    pub groups_header: HeaderName,
    /// Who is in a group has its role: the most that any of their groups has.
    pub roles: BTreeMap<String, Role>,
    /// Where the proxy's requests come from; from anywhere where none is named.
    pub addresses: Vec<IpNet>,
    /// The header in which the proxy shows a secret, and the secret, where there is one.
    pub secret: Option<(HeaderName, String)>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("user_header", &self.user_header)
            .field("groups_header", &self.groups_header)
            .field("roles", &self.roles)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Whom the proxy says that the request is from: nobody where it is not proven to come from the proxy, or no person is
    /// named. Whoever is in no group that has a role may do nothing, and so may who comes with two headers of groups.
    pub(super) fn caller(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Result<Caller, String>> {
        if !self.is_proven(peer, headers) {
            return None;
        }
        let name = text(headers, &self.user_header)?.trim();
        if name.is_empty() || name.contains(char::is_control) {
            return None;
        }
        let groups = text(headers, &self.groups_header).unwrap_or_default().split(',').map(str::trim);
        let role = groups.filter_map(|group| self.roles.get(group)).max();
        Some(match role {
            Some(role) => Ok(Caller { name: name.to_owned(), role: *role, credential: Credential::Proxy }),
            None => Err(name.to_owned()),
        })
    }

    /// Both proofs are asked for where both are configured; without either nothing is believed.
    pub(super) fn is_proven(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        if self.addresses.is_empty() && self.secret.is_none() {
            return false;
        }
        let is_near = || peer.is_some_and(|peer| self.addresses.iter().any(|net| net.contains(&peer.to_canonical())));
        let knows = |(header, secret): &(HeaderName, String)| {
            let hashed = |text: &[u8]| digest(&SHA256, text);
            let shown = headers.get(header).map(|shown| hashed(shown.as_bytes()));
            shown.is_some_and(|shown| {
                verify_slices_are_equal(shown.as_ref(), hashed(secret.as_bytes()).as_ref()).is_ok()
            })
        };
        (self.addresses.is_empty() || is_near()) && self.secret.as_ref().is_none_or(knows)
    }
}

/// What a header that stands there once says.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    // A second one may be the person's own, beside the proxy's.
    if all.next().is_some() { None } else { first.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxy(addresses: &[&str], secret: Option<&str>) -> Proxy {
        Proxy {
            user_header: HeaderName::from_static("x-user"),
            groups_header: HeaderName::from_static("x-groups"),
            roles: [("ops".to_owned(), Role::Operator), ("leads".to_owned(), Role::Approver)].into(),
            addresses: addresses.iter().map(|net| net.parse().unwrap()).collect(),
            secret: secret.map(|secret| (HeaderName::from_static("x-proof"), secret.to_owned())),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn role(proxy: &Proxy, peer: &str, pairs: &[(&'static str, &str)]) -> Option<Result<Role, String>> {
        Some(proxy.caller(Some(peer.parse().unwrap()), &headers(pairs))?.map(|caller| caller.role))
    }

    #[test]
    fn a_proxy_is_believed_only_with_every_proof_that_is_asked_of_it() {
        let said = [("x-user", "ana"), ("x-groups", "staff, ops")];
        let proven = [("x-user", "ana"), ("x-groups", "ops,leads"), ("x-proof", "hush")];
        let forged = [("x-user", "ana"), ("x-groups", "leads"), ("x-proof", "hush!")];
        assert_eq!(role(&proxy(&["10.0.0.0/8"], None), "10.1.2.3", &said), Some(Ok(Role::Operator)));
        assert_eq!(role(&proxy(&["10.0.0.0/8"], None), "::ffff:10.1.2.3", &said), Some(Ok(Role::Operator)));
        assert_eq!(role(&proxy(&["10.0.0.0/8"], None), "11.1.2.3", &said), None);
        assert_eq!(role(&proxy(&[], Some("hush")), "11.1.2.3", &proven), Some(Ok(Role::Approver)));
        assert_eq!(role(&proxy(&[], Some("hush")), "11.1.2.3", &forged), None);
        assert_eq!(role(&proxy(&[], Some("hush")), "11.1.2.3", &said), None);
        assert_eq!(role(&proxy(&["10.0.0.0/8"], Some("hush")), "11.1.2.3", &proven), None);
        assert_eq!(role(&proxy(&["10.0.0.0/8"], Some("hush")), "10.1.2.3", &said), None);
        assert_eq!(role(&proxy(&[], None), "10.1.2.3", &proven), None, "without proof nothing is believed");
    }

    #[test]
    fn who_is_in_no_group_or_named_twice_gets_nothing() {
        let proxy = proxy(&["10.0.0.0/8"], None);
        let of = |pairs: &[(&'static str, &str)]| role(&proxy, "10.1.2.3", pairs);
        assert_eq!(of(&[("x-user", "ana"), ("x-groups", "staff")]), Some(Err("ana".to_owned())));
        assert_eq!(of(&[("x-groups", "ops")]), None);
        let mut twice = headers(&[("x-user", "ana"), ("x-groups", "ops")]);
        twice.append("x-user", HeaderValue::from_static("bob"));
        assert_eq!(proxy.caller(Some("10.1.2.3".parse().unwrap()), &twice), None);
        let own = [("x-user", "ana"), ("x-groups", "staff"), ("x-groups", "leads")];
        let mut twice = headers(&own[..2]);
        twice.append("x-groups", HeaderValue::from_static(own[2].1));
        let caller = proxy.caller(Some("10.1.2.3".parse().unwrap()), &twice);
        assert_eq!(caller, Some(Err("ana".to_owned())), "which of them is the proxy's can't be told");
    }
}
