//! What could not be shown or done, as a page in words.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::shell::{self, Place};
use super::visit::Visit;
use super::words;
use crate::access::accepts_html;
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
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = self.problem.status();
        let body = body(&self.problem, status);
        (status, shell::page(&self.visit, Place::Elsewhere, heading(&self.problem, status).as_str(), &body))
            .into_response()
    }
}

/// Says problems in words to whoever looks at pages. Programs, and all who ask the API, have them as documents.
pub(crate) async fn in_words(visit: Visit, request: Request, next: Next) -> Response {
    let is_page = is_page(&request);
    let answer = next.run(request).await;
    worded(answer, is_page, |problem| Fault { problem, visit }.into_response())
}

/// The same to whoever was not let in: they see nothing of the console but that.
pub(crate) async fn refused_in_words(request: Request, next: Next) -> Response {
    let is_page = is_page(&request);
    let answer = next.run(request).await;
    worded(answer, is_page, |problem| {
        let status = problem.status();
        shell::bare(&heading(&problem, status), &body(&problem, status)).into_response()
    })
}

fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    path != "/v1" && !path.starts_with("/v1/") && accepts_html(request.headers())
}

fn worded(answer: Response, is_page: bool, page: impl FnOnce(Problem) -> Response) -> Response {
    let is_worded =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_wrong = answer.status().is_client_error() || answer.status().is_server_error();
    if !is_page || !is_wrong || is_worded {
        return answer;
    }
    let told = answer.extensions().get::<Arc<Problem>>().map(|problem| problem.as_ref().clone());
    let (mut parts, _) = answer.into_parts();
    let problem = told.unwrap_or_else(|| untold(parts.status));
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let (shown, body) = page(problem).into_parts();
    parts.headers.extend(shown.headers);
    Response::from_parts(parts, body)
}

/// What was refused before anything of ours read it.
fn untold(status: StatusCode) -> Problem {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(
                status,
                "the request makes no sense",
                "the form or the address can't be read: go back, load the page again and send it from there",
            )
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(status, "that is too long", "send less at once"),
        StatusCode::NOT_FOUND => Problem::new(status, "nothing here", "there is nothing at this address"),
        _ => Problem::new(status, "it did not work", "try again in a moment"),
    }
}

fn heading(problem: &Problem, status: StatusCode) -> String {
    let heading = match status {
        StatusCode::UNAUTHORIZED => "You are not signed in",
        StatusCode::FORBIDDEN => "You may not do that",
        StatusCode::NOT_FOUND => "There is no such thing",
        StatusCode::SERVICE_UNAVAILABLE => "Not just now",
        _ => return words::capital(problem.title()),
    };
    heading.to_owned()
}

fn body(problem: &Problem, status: StatusCode) -> Markup {
    html! {
        div class="fault" {
            p class="soft" { (status.as_u16()) }
            h1 { (heading(problem, status)) }
            p { (words::sentence(problem.detail())) }
            @match status {
                StatusCode::UNAUTHORIZED => p { a href="/login" { "Sign in" } },
                _ => p { a href="/" { "To the overview" } },
            }
        }
    }
}
