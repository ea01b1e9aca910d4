//! A Weir that runs, asked by its operators' API.

mod failure;
mod token;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;

pub(crate) use self::failure::{Ending, Failure, Problem};
use self::token::Token;
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

impl RunningWeir {
    /// The one whose admin listener listens there, asked with the environment's token.
    pub(crate) fn listening(listener: SocketAddr) -> anyhow::Result<Self> {
        Self::at(&format!("http://{}", reachable(listener)))
    }

    /// The one at this URL, asked with the environment's token.
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        Self::asked_by(url, Token::of_environment()?)
    }

    /// The one that is named, or else the configuration's, asked with the token that is named, or else the environment's.
    pub(crate) fn named(at: &Where) -> anyhow::Result<Self> {
        let token = match &at.token_file {
            Some(file) => Some(Token::read(file)?),
            None => Token::of_environment()?,
        };
        match &at.admin {
            Some(url) => Self::asked_by(url, token),
            None => {
                let listener = config::load_admin(at.config.as_deref())?;
                Self::asked_by(&format!("http://{}", reachable(listener)), token)
            }
        }
    }

    fn asked_by(url: &str, token: Option<Token>) -> anyhow::Result<Self> {
        let base = Url::parse(url).with_context(|| format!("{url:?} is no URL; write http://host:port"))?;
        anyhow::ensure!(!base.cannot_be_a_base(), "{url:?} is no URL of a server; write http://host:port");
        let headers: HeaderMap = token.map(|token| (AUTHORIZATION, token.header())).into_iter().collect();
        // It is on this machine or named on purpose: no proxy stands between.
        let client = Client::builder().no_proxy().connect_timeout(REACHING).timeout(ANSWERING);
        let client = client.default_headers(headers).build()?;
        Ok(Self { base: url.trim_end_matches('/').to_owned(), client })
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

    /// A question to a path of these segments, whatever is in them.
    pub(crate) fn get_from(&self, segments: &[&str]) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.get(self.url(segments)?))
    }

    /// A request to a path of these segments, whatever is in them.
    pub(crate) fn post_to(&self, segments: &[&str]) -> anyhow::Result<RequestBuilder> {
        Ok(self.client.post(self.url(segments)?))
    }

    fn url(&self, segments: &[&str]) -> anyhow::Result<Url> {
        // A segment of dots is taken for a way up, however it is escaped: such a name has no path of its own.
        let is_dots = segments.iter().any(|segment| matches!(*segment, "." | ".."));
        anyhow::ensure!(!is_dots, "a name that is only dots has no place in a URL");
        let mut url = Url::parse(&self.base).with_context(|| format!("{} is no URL", self.base))?;
        let is_base = url.path_segments_mut().map(|mut path| {
            path.pop_if_empty().extend(segments);
        });
        anyhow::ensure!(is_base.is_ok(), "{} is no URL of a server", self.base);
        Ok(url)
    }

    /// What it answers to a request to it.
    ///
    /// # Errors
    ///
    /// [`Failure`]: it does not answer, or says that something is wrong.
    pub(crate) async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let base = || self.base.clone();
        let answer = self.response(request).await?;
        Ok(answer.json().await.map_err(|source| Failure::Nonsense { base: base(), source })?)
    }

    /// Its response to a request to it, unread.
    ///
    /// # Errors
    ///
    /// [`Failure`]: it does not answer, or says that something is wrong.
    pub(crate) async fn response(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let base = || self.base.clone();
        let answer = request.send().await.map_err(|source| Failure::Silent { base: base(), source })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let path = answer.url().path().to_owned();
        Err(match problem(answer).await {
            Some(problem) => Failure::Refused { status, problem },
            None => Failure::Unexplained { base: base(), path, status },
        }
        .into())
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

    #[test]
    fn a_name_stays_in_its_segment() {
        let weir = RunningWeir::at("http://weir:8081/below/").unwrap();
        let path = |name: &str| weir.url(&["v1", "customers", name]).map(|url| url.path().to_owned());
        assert_eq!(path("../a b?c#d/é").unwrap(), "/below/v1/customers/..%2Fa%20b%3Fc%23d%2F%C3%A9");
        assert!(path("..").is_err(), "it would be the list of all");
    }
}
