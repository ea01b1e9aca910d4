//! For whom a call is made.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::super::server::Shared;
use super::answers::refused;

/// The subuser that a call is made on behalf of; none for the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OnBehalfOf(pub(super) Option<String>);

impl FromRequestParts<Shared> for OnBehalfOf {
    type Rejection = Response;

    /// What SendGrid says of a subuser that there is not is documented nowhere: it is refused as a call without a right to
    /// it is.
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Response> {
        let Some(name) = parts.headers.get("on-behalf-of") else { return Ok(Self(None)) };
        let name = name.to_str().unwrap_or_default();
        if shared.world().state().subusers.contains_key(name) {
            Ok(Self(Some(name.to_owned())))
        } else {
            Err(refused(StatusCode::UNAUTHORIZED, "authorization required"))
        }
    }
}
