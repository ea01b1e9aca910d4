//! Where a request comes from: this console's own pages, a program, or another site in somebody's browser.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// What a request tells of the site that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// Of our own pages, or typed in by the person.
    Same,
    /// Of another site.
    Other,
    /// It tells nothing: browsers always do where something is changed, programs do not.
    Untold,
}

/// Tells by `Sec-Fetch-Site`, which no page can forge, and where a browser has none by `Origin`.
pub(super) fn site(headers: &HeaderMap, uri: &Uri) -> Site {
    if let Some(site) = headers.get("sec-fetch-site") {
        return if site == "same-origin" || site == "none" { Site::Same } else { Site::Other };
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Site::Untold };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match (origin, host(headers, uri)) {
        (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Site::Same,
        _ => Site::Other,
    }
}

/// The host, and port, that the request was sent to by its own word.
pub(super) fn host<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let mut named = headers.get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let asked = uri.authority().map(Authority::as_str);
    let named = match first {
        Some(host) => Some(host.to_str().ok()?),
        None => None,
    };
    // Who names two hosts is not asked which one is meant.
    let is_one =
        second.is_none() && asked.is_none_or(|asked| named.is_none_or(|named| named.eq_ignore_ascii_case(asked)));
    named.or(asked).filter(|_| is_one)
}

/// Whether that is this machine: a name that another site has pointed here is not.
pub(super) fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    // Behind a user (`evil@localhost`) a name is not at the beginning.
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_plain = host
        .strip_prefix(authority.host())
        .is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    if !is_plain {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Site {
        let headers = pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        site(&headers, &Uri::from_static("/v1/policy"))
    }

    #[test]
    fn our_own_pages_are_told_from_others_and_from_programs() {
        let here = ("host", "weir.example:8081");
        assert_eq!(of(&[here, ("sec-fetch-site", "same-origin")]), Site::Same);
        assert_eq!(of(&[here, ("sec-fetch-site", "none")]), Site::Same);
        assert_eq!(of(&[here, ("sec-fetch-site", "same-site")]), Site::Other);
        assert_eq!(of(&[here, ("sec-fetch-site", "cross-site"), ("origin", "http://weir.example:8081")]), Site::Other);
        assert_eq!(of(&[here, ("origin", "https://Weir.example:8081")]), Site::Same);
        assert_eq!(of(&[here, ("origin", "https://weir.example")]), Site::Other);
        assert_eq!(of(&[here, ("origin", "null")]), Site::Other);
        assert_eq!(of(&[here]), Site::Untold);
    }

    #[test]
    fn only_this_machines_own_names_are_loopback() {
        for host in ["localhost", "LOCALHOST:8081", "127.0.0.1:8081", "127.9.9.9", "[::1]:8081", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["weir.example", "localhost.example:8081", "10.0.0.1", "127.0.0.1.example", "[::2]", "", "a b"] {
            assert!(!is_loopback(host), "{host}");
        }
        for host in [
            "evil@localhost",
            "evil:pass@localhost:8081",
            "@localhost",
            "evil.example@127.0.0.1",
            "localhost:",
            "localhost:80a",
            "localhost:+80",
            "localhost:99999",
            "localhost.",
            "localhost:8081@evil.example",
            "[::1]evil",
            "localhost/evil",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_request_that_names_two_hosts_names_none() {
        let here: HeaderMap = [(header::HOST, HeaderValue::from_static("localhost"))].into_iter().collect();
        assert_eq!(host(&here, &Uri::from_static("/")), Some("localhost"));
        assert_eq!(host(&here, &Uri::from_static("http://localhost/")), Some("localhost"));
        assert_eq!(host(&here, &Uri::from_static("http://evil.example/")), None);
        let mut two = here;
        two.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert_eq!(host(&two, &Uri::from_static("/")), None);
    }
}
