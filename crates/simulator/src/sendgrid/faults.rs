//! What goes wrong on request.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::api::{BAD_KEY, refused};
use super::connections::Cut;

/// Faults to come. They may be changed while the server runs.
///
/// A count is used up by calls that change something, one fault each; a share concerns every call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// So many calls fail before they change anything.
    pub before: usize,
    /// So many calls fail after they changed something.
    pub after: usize,
    /// So many calls are answered 429.
    pub too_many: usize,
    /// The share of calls that fail before they change anything, from 0 to 1.
    pub fail_before: f64,
    /// The share of calls that fail after they changed something.
    pub fail_after: f64,
    /// Of the failures by share, how many are a cut connection instead of a 500.
    pub cut: f64,
    /// The share of calls that are answered 401 although the key is fine, in the words for a key that is not.
    pub unauthorised: f64,
    /// The share of calls that are answered 429 although the budget is not spent.
    pub too_many_share: f64,
    /// How far ahead at least the reset lies that such a 429 tells; else it is the end of the budget's time.
    pub reset_in: Duration,
    /// How long every call takes at least.
    pub latency: Duration,
    /// How late reads are at most: each shows IPs, pools and subusers as they were a random time of up to this ago. What
    /// was before this was first set is not known.
    pub stale: Duration,
}

impl Faults {
    /// Whether this call is answered 429.
    pub(super) fn is_too_many(&mut self, method: &Method, rng: &mut ChaCha8Rng) -> bool {
        (changes(method) && use_up(&mut self.too_many)) || hits(self.too_many_share, rng)
    }

    /// How late a read is.
    pub(super) fn age(&self, rng: &mut ChaCha8Rng) -> Duration {
        if self.stale.is_zero() { Duration::ZERO } else { self.stale.mul_f64(rng.random_range(0.0..1.0)) }
    }

    /// The failure that comes instead of the call, if any.
    pub(super) fn instead(&mut self, method: &Method, rng: &mut ChaCha8Rng) -> Option<Response> {
        if changes(method) && use_up(&mut self.before) {
            return Some(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        }
        if hits(self.unauthorised, rng) {
            return Some(refused(StatusCode::UNAUTHORIZED, BAD_KEY));
        }
        hits(self.fail_before, rng).then(|| failure(self.cut, rng))
    }

    /// The failure that comes although the call was carried out, if any.
    pub(super) fn afterwards(&mut self, method: &Method, rng: &mut ChaCha8Rng) -> Option<Response> {
        if changes(method) && use_up(&mut self.after) {
            return Some(StatusCode::BAD_GATEWAY.into_response());
        }
        hits(self.fail_after, rng).then(|| failure(self.cut, rng))
    }
}

fn changes(method: &Method) -> bool {
    *method != Method::GET
}

fn failure(cut: f64, rng: &mut ChaCha8Rng) -> Response {
    if hits(cut, rng) {
        return Cut::response();
    }
    refused(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
}

fn hits(share: f64, rng: &mut ChaCha8Rng) -> bool {
    share > 0.0 && rng.random_range(0.0..1.0) < share
}

fn use_up(fault: &mut usize) -> bool {
    let there = *fault > 0;
    *fault = fault.saturating_sub(1);
    there
}
