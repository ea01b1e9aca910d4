//! Mail, by SMTP.
//!
//! Everything that can be found out before the mail itself is sent is: the connection, the login, the recipients. Only then is kept
//! that it is on its way, and only then does it go; so what is not known to have arrived is what broke between its first byte
//! and the server's answer.

use std::time::Duration;

use lettre::Message as Mail;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands;
use lettre::transport::smtp::extension::ClientId;
use model::without_addresses;

use crate::channel::Outcome;
use crate::config::{Address, Smtp, Tls};
use crate::templates::Message;

type SmtpError = lettre::transport::smtp::Error;

/// How long the server may take over the mail itself.
const TAKING: Duration = Duration::from_secs(60);

/// A mail that is ready.
#[derive(Debug)]
pub(crate) struct Ready {
    from: lettre::Address,
    to: Vec<lettre::Address>,
    bytes: Vec<u8>,
}

impl Ready {
    /// `message` to `to`, under an id that is the same for each try.
    pub(crate) fn new(message: &Message, from: &Address, to: &[Address], id: &str) -> Result<Self, Outcome> {
        let mut builder = Mail::builder()
            .from(from.0.clone())
            .subject(message.subject.clone())
            .message_id(Some(format!("<{id}@{}>", from.0.email.domain())))
            .date_now()
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        for Address(to) in to {
            builder = builder.to(Mailbox::new(to.name.clone(), to.email.clone()));
        }
        let body = MultiPart::alternative_plain_html(message.text.clone(), message.html.clone());
        let mail = builder.multipart(body).map_err(|error| refused(&error))?;
        let to = to.iter().map(|Address(to)| to.email.clone()).collect();
        Ok(Self { from: from.0.email.clone(), to, bytes: mail.formatted() })
    }
}

fn refused(error: &impl std::fmt::Display) -> Outcome {
    Outcome::Refused(without_addresses(&error.to_string()))
}

fn failed(error: &SmtpError) -> Outcome {
    Outcome::Failed(in_words(error))
}

fn in_words(error: &SmtpError) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    shown(&said)
}

/// The beginning of what was said. Addresses are hidden first: half of one would not be known as one.
fn shown(said: &str) -> String {
    without_addresses(said).chars().take(300).collect()
}

/// Goes as far as the server's word that it would take `mail`.
async fn introduce(smtp: &Smtp, mail: &Ready) -> Result<AsyncSmtpConnection, Outcome> {
    let hello = ClientId::Domain(mail.from.domain().to_owned());
    let tls = || TlsParameters::new(smtp.host.clone()).map_err(|error| failed(&error));
    let implicit = if smtp.tls == Tls::Implicit { Some(tls()?) } else { None };
    let place = (smtp.host.as_str(), smtp.port);
    let connected = AsyncSmtpConnection::connect_tokio1(place, Some(smtp.timeout), &hello, implicit, None).await;
    let mut connection = connected.map_err(|error| failed(&error))?;
    if smtp.tls == Tls::StartTls {
        connection.starttls(tls()?, &hello).await.map_err(|error| failed(&error))?;
    }
    if let Some((user, password)) = &smtp.login {
        let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| failed(&error))?;
    }
    let from = commands::Mail::new(Some(mail.from.clone()), vec![]);
    connection.command(from).await.map_err(|error| failed(&error))?;
    let mut is_refused = None;
    for to in &mail.to {
        match connection.command(commands::Rcpt::new(to.clone(), vec![])).await {
            Ok(_) => {}
            // This is about the recipient; what came before would be about every mail.
            Err(error) if error.is_permanent() => {
                is_refused = Some((in_words(&error), is_refused.map_or(1, |(_, n)| n + 1)))
            }
            Err(error) => return Err(failed(&error)),
        }
    }
    match is_refused {
        Some((said, refusals)) if refusals == mail.to.len() => Err(refused(&said)),
        Some((said, refusals)) => {
            // The others are told all the same.
            tracing::warn!(said, refusals, "some recipients of a message are refused");
            Ok(connection)
        }
        None => Ok(connection),
    }
}

/// Sends `mail`; `keep` keeps that it is on its way, or says that it can't.
pub(crate) async fn send(smtp: &Smtp, mail: &Ready, keep: impl AsyncFnOnce() -> bool) -> Outcome {
    // A step has a time-out of its own only while connecting.
    let mut connection = match tokio::time::timeout(smtp.timeout * 2, introduce(smtp, mail)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(outcome)) => return outcome,
        Err(_) => return Outcome::Failed("the server takes too long".to_owned()),
    };
    if !keep().await {
        return Outcome::NotKept;
    }
    let outcome = match tokio::time::timeout(TAKING, hand_over(&mut connection, &mail.bytes)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Unknown("the server did not say that it has it".to_owned()),
    };
    // What it says to our leaving changes nothing.
    tokio::time::timeout(smtp.timeout, connection.abort()).await.ok();
    outcome
}

async fn hand_over(connection: &mut AsyncSmtpConnection, bytes: &[u8]) -> Outcome {
    if let Err(error) = connection.command(commands::Data).await {
        // Nothing of the mail has gone.
        return failed(&error);
    }
    match connection.message(bytes).await {
        Ok(_) => Outcome::Delivered,
        Err(error) if error.is_permanent() => Outcome::Refused(in_words(&error)),
        Err(error) if error.status().is_some() => failed(&error),
        Err(error) => Outcome::Unknown(in_words(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_at_the_end_of_what_is_shown_is_hidden_whole() {
        let said = format!("{} private-person@example.com is unknown", "x".repeat(290));
        let shown = shown(&said);
        assert!(!shown.contains("priv") && shown.ends_with(" <address>"), "{shown}");
    }
}
