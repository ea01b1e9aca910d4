//! Every refusal that the documents describe comes out as the error that it is.

use std::collections::BTreeSet;

use sendgrid::api::{Endpoint, Error, Refusal, Repeat};

use super::rows;
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_refusal_becomes_its_error() {
    let Some(stage) = Stage::set().await else { return };
    let mut refused = BTreeSet::new();
    let all: Vec<(Endpoint, u16)> = Endpoint::ALL
        .iter()
        .flat_map(|&endpoint| stage.documents.statuses(endpoint).into_iter().map(move |status| (endpoint, status)))
        .filter(|(_, status)| *status >= 400)
        .collect();
    for row in rows::all(&stage) {
        for &(endpoint, status) in &all {
            stage.proxy.want(endpoint, &format!("code={status}"));
            let made = (row.make)().await;
            let was_refused =
                stage.proxy.take().iter().any(|call| call.endpoint == Some(endpoint) && call.status == status);
            if !was_refused {
                continue;
            }
            assert!(is_right(endpoint, status, &made), "{}: {endpoint:?} answered {status}: {made:?}", row.what);
            refused.insert((endpoint, status));
        }
    }
    let missing: Vec<_> = all.iter().filter(|refusal| !refused.contains(refusal)).collect();
    assert!(missing.is_empty(), "no row was refused so: {missing:?}");
    println!("{} refusals", refused.len());
}

/// Whether a refusal came out right.
fn is_right(endpoint: Endpoint, status: u16, made: &Result<(), Error>) -> bool {
    match made {
        // What is not there is no error where it was looked for, or was to be gone.
        Ok(()) => is_answer(endpoint, status),
        Err(Error::Unknown { source, .. }) => {
            endpoint.repeat() == Repeat::Never && status >= 500 && source.refusal() == Some(Refusal::Server)
        }
        Err(Error::Refused { refusal, .. }) if status >= 500 => {
            endpoint.repeat() == Repeat::Safe && *refusal == Refusal::Server
        }
        Err(Error::Refused { refusal, .. }) => kinds(status).contains(refusal),
        Err(_) => false,
    }
}

const fn is_answer(endpoint: Endpoint, status: u16) -> bool {
    match status {
        404 => true,
        // A batch that is held back already, and an IP that is not in the pool: they were looked at.
        400 => matches!(endpoint, Endpoint::StopBatch | Endpoint::RemoveFromSendPool),
        _ => false,
    }
}

const fn kinds(status: u16) -> &'static [Refusal] {
    match status {
        401 => &[Refusal::BadKey, Refusal::LacksPermission, Refusal::CreditsUsedUp, Refusal::Unauthorised],
        403 => &[Refusal::Forbidden],
        404 => &[Refusal::NotFound],
        _ => &[Refusal::Invalid],
    }
}
