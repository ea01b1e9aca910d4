//! Who is let in at the admin listener.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use console::{HeaderName, Proxy, Role, Token, TokenError};
use ipnet::IpNet;
use toml::Spanned;

use super::check::Check;
use super::raw::{RawAdmin, RawProxy, RawToken};

/// The shortest secret by which a proxy proves itself, in bytes.
const SHORTEST_SECRET: usize = 16;

/// Who is let in: with neither, everybody on this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessSettings {
    pub(crate) tokens: Vec<Token>,
    pub(crate) proxy: Option<Proxy>,
}

pub(super) fn check(check: &mut Check<'_>, raw: &RawAdmin, listen: SocketAddr) -> AccessSettings {
    let tokens = raw.token.iter().filter_map(|token| read_token(check, token)).collect();
    let mut names = BTreeSet::new();
    for token in &raw.token {
        if !names.insert(token.name.get_ref()) {
            check.fault(&token.name, "another token has this name: the log could not tell them apart".to_owned());
        }
    }
    let proxy = raw.proxy.as_ref().and_then(|proxy| read_proxy(check, proxy));
    let is_open = raw.token.is_empty() && raw.proxy.is_none();
    if is_open && !listen.ip().to_canonical().is_loopback() {
        let message = "others than this machine reach this address, and nobody has to prove who they are: set up [[admin.token]] \
                       (`weir token new`) or [admin.proxy], or listen on 127.0.0.1";
        check.fault_at(raw.listen.as_ref().map(|listen| listen.span().start), message);
    }
    AccessSettings { tokens, proxy }
}

fn read_token(check: &mut Check<'_>, raw: &RawToken) -> Option<Token> {
    let role = read_role(check, &raw.role)?;
    match Token::new(raw.name.get_ref(), role, raw.sha256.get_ref()) {
        Ok(token) => Some(token),
        Err(error @ TokenError::NoName) => {
            check.fault(&raw.name, error.to_string());
            None
        }
        Err(error) => {
            check.fault(&raw.sha256, error.to_string());
            None
        }
    }
}

fn read_role(check: &mut Check<'_>, written: &Spanned<String>) -> Option<Role> {
    let role = role(written.get_ref());
    if role.is_none() {
        check.fault(written, format!("{:?} is no role: give viewer, operator or approver", written.get_ref()));
    }
    role
}

/// The role of this name.
pub(crate) fn role(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

fn read_proxy(check: &mut Check<'_>, raw: &Spanned<RawProxy>) -> Option<Proxy> {
    let proxy = raw.get_ref();
    let user_header = header(check, proxy.user_header.as_ref(), "x-forwarded-user")?;
    let groups_header = header(check, proxy.groups_header.as_ref(), "x-forwarded-groups")?;
    let secret_header = header(check, proxy.secret_header.as_ref(), "x-weir-proxy-secret")?;
    let mut roles = BTreeMap::new();
    for (name, groups) in proxy.roles.get_ref() {
        match role(name) {
            Some(role) => groups.iter().for_each(|group| {
                let held = roles.entry(group.clone()).or_insert(role);
                *held = role.max(*held);
            }),
            None => check.fault(&proxy.roles, format!("{name:?} is no role: give viewer, operator or approver")),
        }
    }
    if roles.is_empty() {
        check.fault(&proxy.roles, "no group has a role: nobody would be let in".to_owned());
    }
    let mut addresses = Vec::new();
    for written in &proxy.addresses {
        let text = written.get_ref();
        match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(net) => addresses.push(net),
            Err(_) => {
                check.fault(written, format!("{text:?} is no address and no network, for example \"10.0.0.0/8\""))
            }
        }
    }
    let secret = proxy.secret_env.as_ref().and_then(|name| read_secret(check, name));
    if proxy.addresses.is_empty() && proxy.secret_env.is_none() {
        let message =
            "the proxy proves itself by nothing, and anybody could claim to be it: set addresses, secret_env, or both";
        check.fault(raw, message.to_owned());
    }
    let secret = secret.map(|secret| (secret_header, secret));
    Some(Proxy { user_header, groups_header, roles, addresses, secret })
}

fn header(check: &mut Check<'_>, written: Option<&Spanned<String>>, default: &'static str) -> Option<HeaderName> {
    let Some(written) = written else { return Some(HeaderName::from_static(default)) };
    let header = written.get_ref().parse().ok();
    if header.is_none() {
        check.fault(written, format!("{:?} is no header's name", written.get_ref()));
    }
    header
}

fn read_secret(check: &mut Check<'_>, name: &Spanned<String>) -> Option<String> {
    let secret = std::env::var(name.get_ref()).ok().filter(|secret| secret.len() >= SHORTEST_SECRET);
    if secret.is_none() {
        check.fault(name, format!("{} holds no secret of at least {SHORTEST_SECRET} bytes", name.get_ref()));
    }
    secret
}
