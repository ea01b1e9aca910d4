//! Answers that explain themselves.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::without_addresses;
use policy::PolicyError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Unavailable;
use crate::policies::LONGEST_POLICY;

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind of problem it is, where there is more to say of it than its status: a URI. `about:blank` else.
    r#type: &'static str,
    /// What kind of problem it is, in a few words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong and what to do.
    detail: String,
    /// Each thing that is wrong with a file, with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
}

/// One thing wrong with a file, and where: line and column from 1.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Fault {
    line: usize,
    column: usize,
    message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { r#type: "about:blank", title, status: status.as_u16(), detail: detail.into(), faults: Vec::new() }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the request makes no sense", detail)
    }

    /// A body or a query that can't be read. What stood there is not said again where it may be a recipient's address.
    pub(crate) fn unreadable(why: &str) -> Self {
        Self::invalid(without_addresses(why))
    }

    /// An `after` that no answer gave.
    pub(crate) fn no_cursor() -> Self {
        Self::invalid("`after` is no cursor of this list: use the `next` of an earlier answer, or leave it out")
    }

    pub(crate) fn faulty(error: &PolicyError) -> Self {
        let fault = |fault: &policy::Fault| {
            let message = without_addresses(&fault.message);
            Fault { line: fault.line, column: fault.column, message }
        };
        let faults = error.faults.iter().map(fault).collect();
        Self {
            faults,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the policy is unsound",
                without_addresses(&error.to_string()),
            )
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What kind of problem it is, in a few words.
    pub(crate) const fn title(&self) -> &'static str {
        self.title
    }

    /// What was wrong and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Somebody may not do that.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not with this role", detail)
    }

    /// The customer is not as it would have to be.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "not as the customer is now", detail)
    }

    /// More of a policy file than is taken.
    pub(crate) fn too_long() -> Self {
        let detail = format!("a policy file has at most {LONGEST_POLICY} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the text is too long", detail)
    }

    /// Weir is told to end.
    pub(crate) fn ending() -> Self {
        Self::unavailable("Weir is ending: ask again when it is back")
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not just now", detail)
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let detail = unavailable.to_string();
        match unavailable {
            Unavailable::Busy => Self::unavailable(detail),
            // To try again would not help: another process has to be asked.
            Unavailable::NoScorer => Self::new(StatusCode::MISDIRECTED_REQUEST, "not at this process", detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Pages say it in words.
        let told = Extension(Arc::new(self.clone()));
        (self.status(), told, [(header::CONTENT_TYPE, "application/problem+json")], Json(self)).into_response()
    }
}
