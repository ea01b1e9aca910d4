//! Why a Weir that runs did not do what was asked, and the exit code that tells a script so.

use std::fmt::Write as _;
use std::process::ExitCode;

use reqwest::StatusCode;
use serde::Deserialize;

/// What it says where something is wrong.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    pub(crate) title: String,
    pub(crate) detail: String,
    /// Each thing that is wrong with a file that was sent.
    #[serde(default)]
    faults: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    line: usize,
    column: usize,
    message: String,
}

/// Why there is no answer to what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It can't be reached, or takes too long.
    #[error("Weir at {base} does not answer; does it run, and is its operators' API there (--admin)?")]
    Silent {
        base: String,
        #[source]
        source: reqwest::Error,
    },
    /// It says what is wrong.
    #[error("{}", told(.problem, *.status))]
    Refused { status: StatusCode, problem: Problem },
    /// It refuses, and does not say why.
    #[error("{base} answers {status} to {path}; is it a Weir of this version, and its operators' API?")]
    Unexplained { base: String, path: String, status: StatusCode },
    /// It answers something else than was asked for.
    #[error("{base} answers what makes no sense; is it a Weir of this version?")]
    Nonsense {
        base: String,
        #[source]
        source: reqwest::Error,
    },
}

/// What a command's end means to a script. 0 is success, and 2 is clap's: the command line makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Refused = 4,
    Unavailable = 5,
}

impl Ending {
    /// What this error means.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
        failure.map_or(Self::Failed, |failure| match failure {
            Failure::Silent { .. } => Self::Unavailable,
            Failure::Refused { status, .. } => Self::of_status(*status),
            // A path that is not known is not a customer that is not known.
            Failure::Unexplained { status, .. } if *status == StatusCode::NOT_FOUND => Self::Failed,
            Failure::Unexplained { status, .. } => Self::of_status(*status),
            Failure::Nonsense { .. } => Self::Failed,
        })
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::Usage,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::MISDIRECTED_REQUEST | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Self::Unavailable
            }
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                Self::Unavailable
            }
            status if status.is_client_error() => Self::Refused,
            _ => Self::Failed,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// What is wrong, where, and what to do.
fn told(problem: &Problem, status: StatusCode) -> String {
    let mut text = format!("{}: {}", problem.title, problem.detail);
    for Fault { line, column, message } in &problem.faults {
        // Writing to a string can't fail.
        let _unfailing = write!(text, "\n  line {line}, column {column}: {message}");
    }
    if let Some(hint) = hint(status) {
        text = format!("{text}\n  {hint}");
    }
    text
}

const fn hint(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some("say who asks: --token-file FILE, or the variable WEIR_TOKEN"),
        StatusCode::FORBIDDEN => {
            Some("the token's role does not allow it: `[[admin.token]] role` in Weir's configuration")
        }
        StatusCode::MISDIRECTED_REQUEST => Some("ask another process by --admin URL"),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Some("try again in a moment"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> anyhow::Error {
        let problem = Problem { title: "a title".to_owned(), detail: "a detail".to_owned(), faults: Vec::new() };
        Failure::Refused { status: StatusCode::from_u16(status).unwrap(), problem }.into()
    }

    #[test]
    fn a_script_can_tell_what_went_wrong() {
        for (status, ending) in [
            (400, Ending::Usage),
            (401, Ending::Refused),
            (403, Ending::Refused),
            (404, Ending::NotFound),
            (409, Ending::Refused),
            (421, Ending::Unavailable),
            (422, Ending::Refused),
            (500, Ending::Failed),
            (503, Ending::Unavailable),
        ] {
            assert_eq!(Ending::of(&refused(status).context("while it was asked")), ending, "{status}");
        }
        assert_eq!(Ending::of(&anyhow::anyhow!("something else")), Ending::Failed);
    }

    #[test]
    fn a_refusal_is_told_in_sentences_with_what_to_do() {
        let text = refused(401).to_string();
        assert!(text.starts_with("a title: a detail\n") && text.contains("--token-file"), "{text}");
        let fault = Fault { line: 3, column: 7, message: "no such stage".to_owned() };
        let problem = Problem { title: "unsound".to_owned(), detail: "one fault".to_owned(), faults: vec![fault] };
        assert_eq!(
            told(&problem, StatusCode::UNPROCESSABLE_ENTITY),
            "unsound: one fault\n  line 3, column 7: no such stage"
        );
    }
}
