//! Putting a policy in force in a Weir that runs, by its operators' API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context;
use serde::Deserialize;

use crate::cli::{PolicyOptions, print};
use crate::config;

/// What the API answers of a policy that it took.
#[derive(Deserialize)]
struct Applied {
    digest: String,
    rules: usize,
    previous: Option<String>,
}

/// What it answers where something is wrong.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
}

/// Sends the policy file to the admin listener, and says what came of it.
pub(crate) async fn apply(options: PolicyOptions) -> anyhow::Result<()> {
    let file = options.file.display();
    let text = std::fs::read_to_string(&options.file).with_context(|| format!("{file} can't be read"))?;
    let base = match options.to {
        Some(to) => to,
        None => format!("http://{}", reachable(config::load(options.config.as_deref())?.admin)),
    };
    let request = reqwest::Client::new()
        .post(format!("{base}/v1/policy"))
        .query(&[("by", &options.by), ("reason", &options.reason)])
        .header("content-type", "application/toml")
        .body(text);
    let answer = request.send().await.with_context(|| format!("Weir at {base} does not answer; does it run?"))?;
    let status = answer.status();
    if !status.is_success() {
        let refused = answer.json().await.map(|Problem { title, detail }| format!("{title}\n{detail}"));
        anyhow::bail!("{file} was refused: {}", refused.unwrap_or_else(|_| status.to_string()));
    }
    let answer = answer.json().await;
    let Applied { digest, rules, previous } = answer.with_context(|| format!("{base} answers what makes no sense"))?;
    let before = previous.map(|previous| format!(", after {previous}")).unwrap_or_default();
    print(&format!("{file} is in force: {rules} rules, {digest}{before}."));
    Ok(())
}

/// The address at which this machine reaches a listener: one on every address is on the machine's own, too.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_on_the_machines_own() {
        for (listens, reached) in
            [("0.0.0.0:81", "127.0.0.1:81"), ("[::]:81", "[::1]:81"), ("10.0.0.1:9", "10.0.0.1:9")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
