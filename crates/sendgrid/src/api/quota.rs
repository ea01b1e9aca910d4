//! What an answer's headers say of the rate limit.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};

use super::pacing::Quota;

/// What is left, as far as it is said: `X-RateLimit-Reset` is a moment by SendGrid's clock, which `Date` tells.
pub(super) fn quota(status: StatusCode, headers: &HeaderMap) -> Option<Quota> {
    let reset: u64 = number(headers, "x-ratelimit-reset")?;
    let remaining = match status {
        StatusCode::TOO_MANY_REQUESTS => 0,
        _ => number(headers, "x-ratelimit-remaining")?,
    };
    let resets_in = Duration::from_secs(reset).saturating_sub(date(headers)?);
    Some(Quota { remaining, reset, resets_in })
}

fn number<N: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn date(headers: &HeaderMap) -> Option<Duration> {
    let date = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_reset_is_compared_with_sendgrids_clock() {
        // Half an hour ahead of or behind this machine makes no difference.
        let said = headers(&[
            ("date", "Thu, 01 Jan 1970 00:16:40 GMT"),
            ("x-ratelimit-reset", "1030"),
            ("x-ratelimit-remaining", "7"),
        ]);
        let expected = Quota { remaining: 7, reset: 1030, resets_in: Duration::from_secs(30) };
        assert_eq!(quota(StatusCode::OK, &said), Some(expected));
        let refused = quota(StatusCode::TOO_MANY_REQUESTS, &said).unwrap();
        assert_eq!(refused.remaining, 0, "a 429 leaves nothing, whatever else is said");
    }

    #[test]
    fn without_a_clock_to_compare_with_nothing_is_known() {
        let said = headers(&[("x-ratelimit-reset", "1030"), ("x-ratelimit-remaining", "7")]);
        assert_eq!(quota(StatusCode::OK, &said), None);
        assert_eq!(quota(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new()), None);
    }
}
