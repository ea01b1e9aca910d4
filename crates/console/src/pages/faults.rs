//! What could not be shown or done, as a page in words.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::shell::{self, Place};
use super::visit::Visit;
use crate::Unavailable;
use crate::problem::Problem;

/// A page that says what was wrong, and what to do.
#[derive(Debug)]
pub(crate) struct Fault {
    problem: Problem,
    visit: Visit,
}

impl Fault {
    /// Shows a problem to whoever visits.
    pub(crate) fn of(visit: &Visit) -> impl Fn(Problem) -> Self {
        |problem| Self { problem, visit: visit.clone() }
    }

    /// The same for what only a scorer knows.
    #[expect(dead_code, reason = "for pages that are not served yet")]
    pub(crate) fn unavailable(visit: &Visit) -> impl Fn(Unavailable) -> Self {
        |unavailable| Self { problem: unavailable.into(), visit: visit.clone() }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.problem.status();
        let body = body(&self.problem, status);
        (status, shell::page(&self.visit, Place::Elsewhere, heading(&self.problem, status).as_str(), &body))
            .into_response()
    }
}

fn heading(problem: &Problem, status: StatusCode) -> String {
    let words = match status {
        StatusCode::FORBIDDEN => "You may not do that",
        StatusCode::NOT_FOUND => "There is no such thing",
        StatusCode::SERVICE_UNAVAILABLE => "Not just now",
        _ => return capital(problem.title()),
    };
    words.to_owned()
}

fn body(problem: &Problem, status: StatusCode) -> Markup {
    html! {
        div class="fault" {
            p class="soft" { (status.as_u16()) }
            h1 { (heading(problem, status)) }
            p { (capital(problem.detail())) "." }
            p { a href="/" { "To the overview" } }
        }
    }
}

/// As a sentence begins, without its full stop.
fn capital(words: &str) -> String {
    let mut rest = words.trim_end_matches('.').chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
