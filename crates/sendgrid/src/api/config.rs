//! Where SendGrid is, who asks, and how patiently.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::error::Error;
use super::watcher::Watcher;

/// A SendGrid API key. Never shown, and wiped from memory when it is dropped.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// The key `key`, without white space around it.
    pub fn new(key: &str) -> Self {
        Self(Zeroizing::new(key.trim().to_owned()))
    }

    /// What the header `Authorization` says.
    pub(super) fn bearer(&self) -> Result<HeaderValue, Error> {
        if self.0.is_empty() {
            return Err(Error::Config("the API key is empty".to_owned()));
        }
        let words = Zeroizing::new(format!("Bearer {}", self.0.as_str()));
        let mut value = HeaderValue::from_str(&words)
            .map_err(|_| Error::Config("the API key holds characters that no key has".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// Which of SendGrid's two APIs for IPs and pools an account is steered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpApi {
    /// The older one, `/v3/ips`: pools and subusers by name.
    #[default]
    Names,
    /// The newer one, `/v3/send_ips`: pools and subusers by id.
    Ids,
}

/// Settings of a client; [`Config::new`] has the documented defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://api.sendgrid.com`, or `https://api.eu.sendgrid.com` for subusers of the European region. Plain http is
    /// for this machine alone.
    pub base_url: String,
    /// The key.
    pub key: ApiKey,
    /// Which API steers IPs and pools.
    pub ip_api: IpApi,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often a call is tried at most.
    pub tries: u32,
    /// The first wait between two tries, at most; each next one may be twice as long. The real wait is random below it.
    pub backoff: Duration,
    /// The longest wait for a call's turn: beyond it, [`Error::RateLimited`] says when to come again.
    pub longest_wait: Duration,
    /// How many calls are made a second at most, over all endpoints and all clones of a client.
    pub calls_per_second: NonZeroU32,
    /// Who hears of every call.
    pub watcher: Option<Arc<dyn Watcher>>,
}

impl Config {
    /// Names for pools; tries of 10 s, four at most, half a second and more apart; ten calls a second.
    pub const fn new(base_url: String, key: ApiKey) -> Self {
        Self {
            base_url,
            key,
            ip_api: IpApi::Names,
            timeout: Duration::from_secs(10),
            tries: 4,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            calls_per_second: TEN,
            watcher: None,
        }
    }

    /// The base address without a slash at its end.
    pub(super) fn base(&self) -> Result<String, Error> {
        // The address itself is not shown: it may hold a password.
        let refused = |why: &str| Err(Error::Config(format!("the base address {why}")));
        let Ok(base) = Url::parse(&self.base_url) else { return refused("is no address") };
        if !base.username().is_empty() || base.password().is_some() {
            return refused("names a user; the key goes into a header");
        }
        if base.query().is_some() || base.fragment().is_some() {
            return refused("must end with its path");
        }
        match base.scheme() {
            "https" => {}
            "http" if is_loopback(&base) => {}
            "http" => return refused("must be https: the key would be readable on the way"),
            _ => return refused("is no https address"),
        }
        Ok(self.base_url.trim_end_matches('/').to_owned())
    }
}

const TEN: NonZeroU32 = match NonZeroU32::new(10) {
    Some(ten) => ten,
    None => NonZeroU32::MIN,
};

fn is_loopback(address: &Url) -> bool {
    let host = address.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    ip.map_or(host == "localhost", |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(address: &str) -> Result<String, Error> {
        Config::new(address.to_owned(), ApiKey::new("SG.x")).base()
    }

    #[test]
    fn the_key_goes_over_https_or_stays_on_this_machine() {
        for good in ["https://api.sendgrid.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1/"] {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in ["http://api.sendgrid.com", "ftp://localhost", "http://10.0.0.1", "http://localhost.example", "api"]
        {
            assert!(base(bad).is_err(), "{bad}");
        }
        assert_eq!(base("https://api.sendgrid.com/").unwrap(), "https://api.sendgrid.com");
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_shown() {
        let error = base("https://me:secret@api.sendgrid.com").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn the_key_is_never_shown() {
        let key = ApiKey::new(" SG.secret\n");
        let config = Config::new("https://api.sendgrid.com".to_owned(), key.clone());
        let client = crate::api::Client::new(config.clone()).unwrap();
        let shown = format!("{key:?} {:?} {config:?} {client:?} {:?}", key.bearer().unwrap(), client.own());
        assert!(!shown.contains("secret") && shown.contains("ApiKey(***)"), "{shown}");
        let error = ApiKey::new("SG.sec\nret").bearer().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sec"));
    }
}
