//! Where a hook leads.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::address::{self, Refused};

/// How far a hook may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The public Internet only, over TLS.
    #[default]
    Public,
    /// Anything, this machine too, and without TLS.
    Private,
}

/// Why a text is no address for a hook.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is no URL.
    #[error("it is no URL: {0}")]
    NoUrl(#[from] url::ParseError),
    /// What is said could be read on the way, or it is no HTTP at all.
    #[error("it must begin with https://; http:// is taken with allow_private = true")]
    Scheme,
    /// It would be shown wherever the URL is.
    #[error("it must hold no user name and no password: deliveries are known by their signature")]
    Credentials,
    /// Its host is an address that no hook may lead to.
    #[error("{0}; set allow_private = true if it is meant so")]
    Refused(#[from] Refused),
}

/// The URL of an endpoint, checked as far as that goes without looking its name up. Shown without its path and query, which may
/// hold what others must not know.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    reach: Reach,
}

impl Target {
    /// The URL `text`, for a hook that may reach so far.
    ///
    /// Odd ways to write an address (decimal, octal, hexadecimal, short, full-width) are what the URL standard says they are.
    ///
    /// # Errors
    ///
    /// [`TargetError`] where it is no URL, or leads where it must not.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, TargetError> {
        let url = Url::parse(text)?;
        let is_taken = match url.scheme() {
            "https" => true,
            "http" => reach == Reach::Private,
            _ => false,
        };
        if !is_taken {
            return Err(TargetError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if reach == Reach::Public {
            match url.host() {
                Some(Host::Ipv4(address)) => address::check(IpAddr::V4(address))?,
                Some(Host::Ipv6(address)) => address::check(IpAddr::V6(address))?,
                // What a name stands for is checked whenever it is looked up.
                Some(Host::Domain(_)) | None => {}
            }
        }
        Ok(Self { url, reach })
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) const fn reach(&self) -> Reach {
        self.reach
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self}/…, {:?})", self.reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Target::parse(text, Reach::Public).unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "%31%32%37.0.0.1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "[fd00:ec2::254]",
            "10.0.0.1",
            "192.168.0.1",
            "[fe80::1]",
        ] {
            let told = refused(&format!("https://{host}/hooks"));
            assert!(told.contains("not on the public Internet"), "{host}: {told}");
        }
    }

    #[test]
    fn what_is_no_https_or_shows_a_password_is_refused() {
        for text in
            ["http://example.com", "ftp://example.com", "file:///etc/passwd", "unix:/run/x", "HTTP://example.com"]
        {
            assert!(refused(text).contains("https://"), "{text}");
        }
        for text in ["https://user@example.com", "https://user:word@example.com", "https://:word@example.com"] {
            assert!(refused(text).contains("password"), "{text}");
        }
        for text in ["", "example.com", "https://", "https://1.2.3.4.5", "https://[::1"] {
            assert!(refused(text).contains("no URL"), "{text}");
        }
    }

    #[test]
    fn a_hook_that_may_reach_private_addresses_does() {
        let target = Target::parse("http://127.0.0.1:9000/hooks?token=abc", Reach::Private).unwrap();
        assert_eq!(target.to_string(), "http://127.0.0.1:9000");
        assert!(!format!("{target:?}").contains("abc"));
        assert!(Target::parse("file:///etc/passwd", Reach::Private).is_err());
    }

    #[test]
    fn a_public_name_or_address_is_taken() {
        for text in
            ["https://example.com/hooks", "https://8.8.8.8:8443", "https://[2606:4700::1111]/", "https://localhost/"]
        {
            assert!(Target::parse(text, Reach::Public).is_ok(), "{text}");
        }
    }
}
