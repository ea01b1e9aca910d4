//! A Weir that runs, asked by its operators' API.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::operate::Where;
use crate::config;

/// How long it may take to be reached, and to answer: somewhat longer than it gives itself for its longest answer.
const REACHING: Duration = Duration::from_secs(2);
const ANSWERING: Duration = Duration::from_secs(75);

/// Where it is, and who asks.
pub(crate) struct RunningWeir {
    base: String,
    client: Client,
}

/// What it says where something is wrong.
#[derive(Deserialize)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) detail: String,
}

impl RunningWeir {
    /// The one whose admin listener listens there.
    pub(crate) fn listening(listener: SocketAddr) -> reqwest::Result<Self> {
        Self::at(&format!("http://{}", reachable(listener)))
    }

    /// The one at this URL.
    pub(crate) fn at(url: &str) -> reqwest::Result<Self> {
        // It is on this machine or named on purpose: no proxy stands between.
        let client = Client::builder().no_proxy().connect_timeout(REACHING).timeout(ANSWERING).build()?;
        Ok(Self { base: url.trim_end_matches('/').to_owned(), client })
    }

    /// The one that is named, or else the configuration's.
    pub(crate) fn named(at: Where) -> anyhow::Result<Self> {
        Ok(match at.to {
            Some(to) => Self::at(&to)?,
            None => Self::listening(config::load_admin(at.config.as_deref())?)?,
        })
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base))
    }

    /// A request to a path of these segments, whatever is in them.
    pub(crate) fn post_to(&self, segments: &[&str]) -> anyhow::Result<RequestBuilder> {
        let mut url = Url::parse(&self.base).with_context(|| format!("{} is no URL", self.base))?;
        let is_base = url.path_segments_mut().map(|mut path| {
            path.pop_if_empty().extend(segments);
        });
        let is_base = is_base.is_ok();
        anyhow::ensure!(is_base, "{} is no URL of a server", self.base);
        Ok(self.client.post(url))
    }

    /// What it answers to a request to it.
    ///
    /// # Errors
    ///
    /// Where it does not answer, or what it says is wrong.
    pub(crate) async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let answer = request.send().await;
        let answer = answer.with_context(|| format!("Weir at {} does not answer; does it run?", self.base))?;
        let status = answer.status();
        if !status.is_success() {
            let said = problem(answer).await.map(|Problem { title, detail }| format!("{title}: {detail}"));
            anyhow::bail!("{}", said.unwrap_or_else(|| format!("Weir at {} answers {status}", self.base)));
        }
        let read = answer.json().await;
        read.with_context(|| format!("{} answers what makes no sense; is it of this version?", self.base))
    }
}

/// What is wrong, where the answer says so in the way of the API.
pub(crate) async fn problem(answer: Response) -> Option<Problem> {
    let kind = answer.headers().get(CONTENT_TYPE)?;
    if kind == "application/problem+json" { answer.json().await.ok() } else { None }
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
            [("0.0.0.0:8081", "127.0.0.1:8081"), ("[::]:81", "[::1]:81"), ("10.0.0.7:8081", "10.0.0.7:8081")]
        {
            assert_eq!(reachable(listens.parse().unwrap()), reached.parse().unwrap());
        }
    }

    #[test]
    fn a_url_may_end_in_a_slash() {
        assert_eq!(RunningWeir::at("http://weir:8081/").unwrap().base(), "http://weir:8081");
    }
}
