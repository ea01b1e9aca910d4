//! Forms: what a person does, with the reason, and what it answers.

use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::visit::{Done, Visit};

/// One act.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form<'a> {
    /// Where it goes.
    pub(crate) act: &'a str,
    /// What its button says.
    pub(crate) button: &'a str,
    /// The button's class.
    pub(crate) looks: &'a str,
    /// What the field for the reason is called.
    pub(crate) why: &'a str,
}

/// A form with a reason. `fields` stand before the reason.
pub(crate) fn form(visit: &Visit, form: &Form<'_>, fields: &Markup) -> Markup {
    html! {
        form class="act" method="post" action=(form.act) {
            (csrf(visit))
            (fields)
            label class="field" { span { (form.why) } input name="reason" required maxlength="500" autocomplete="off"; }
            button class=(form.looks) type="submit" { (form.button) }
        }
    }
}

/// What shows that the form is this session's.
pub(crate) fn csrf(visit: &Visit) -> Markup {
    html! { @if let Some(csrf) = &visit.csrf { input type="hidden" name="csrf" value=(csrf); } }
}

/// Back to a page, which says what was done.
pub(crate) fn back(path: &str, done: Done) -> Response {
    let joint = if path.contains('?') { '&' } else { '?' };
    (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{path}{joint}done={}", done.name()))]).into_response()
}
