//! Forms: what a person does, with the reason, and what it answers.

use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use model::{CustomerId, DecisionId};
use serde::Deserialize;

use super::visit::{Done, Visit};
use crate::access::Credential;
use crate::acts::Words;

/// Who does something, and why, as a form sends it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Signature {
    /// Whoever is known by nothing says who they are; nobody else is asked.
    #[serde(default)]
    pub(crate) by: String,
    #[serde(default)]
    pub(crate) reason: String,
}

impl Signature {
    /// In the name of whoever is known, or else in the name that was given.
    pub(crate) fn words(self, visit: &Visit) -> Words {
        match visit.caller.credential {
            Credential::Open => Words { by: Some(self.by), reason: self.reason },
            Credential::Token | Credential::Session | Credential::Proxy => Words::own(self.reason),
        }
    }
}

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
            (sign(visit, form.why, &Signature::default()))
            button class=(form.looks) type="submit" { (form.button) }
        }
    }
}

/// The page that an answer's form stands on, and leads back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AnsweredOn {
    Overview,
    #[default]
    Customer,
}

impl AnsweredOn {
    const fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Customer => "customer",
        }
    }
}

/// A form that approves or rejects `decision`, which waits for a person.
pub(crate) fn answer(visit: &Visit, customer: &CustomerId, decision: &DecisionId, page: AnsweredOn) -> Markup {
    let whom = html! { span class="unseen" { " " (customer) } };
    html! {
        form class="act" method="post" action={ (customer.page_path()) "/answer" } {
            (csrf(visit))
            input type="hidden" name="decision" value=(decision);
            input type="hidden" name="from" value=(page.name());
            (sign(visit, "Reason", &Signature::default()))
            button class="strong" name="answer" value="approve" type="submit" { "Approve" (whom) }
            button name="answer" value="reject" type="submit" { "Reject" (whom) }
        }
    }
}

/// Fields for who does it, where nobody is told apart, and why; `why` is what the latter is called.
pub(crate) fn sign(visit: &Visit, why: &str, signature: &Signature) -> Markup {
    html! {
        @if visit.caller.credential == Credential::Open {
            label class="field" { span { "Your name" } input name="by" value=[given(&signature.by)] required maxlength="100" autocomplete="name"; }
        }
        label class="field grow" { span { (why) } input name="reason" value=[given(&signature.reason)] required maxlength="500" autocomplete="off"; }
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
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
