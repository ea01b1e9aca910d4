//! Every request is one that the documents describe, and every answer that they describe is understood.

use std::collections::{BTreeMap, BTreeSet};

use sendgrid::api::{Endpoint, Error};

use super::documents::by_status;
use super::proxy::Recorded;
use super::rows::{self, Row};
use super::stage::Stage;

/// How many made-up answers each endpoint gives to each row that asks it.
const DRAWS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_accepted_and_the_documents_own_examples_are_understood() {
    let Some(stage) = Stage::set().await else { return };
    let (mut asked, mut all) = (BTreeSet::new(), Vec::new());
    let rows = rows::all(&stage);
    for row in &rows {
        let made = (row.make)().await;
        let recorded = stage.proxy.take();
        assert_accepted(row, &made, &recorded);
        asked.extend(recorded.iter().filter_map(|call| call.endpoint));
        all.extend(recorded);
    }
    let missing: Vec<_> = Endpoint::ALL.iter().filter(|endpoint| !asked.contains(endpoint)).collect();
    assert!(missing.is_empty(), "no row asks {missing:?}: a new call needs a row");
    let statuses = by_status(all.iter().map(|call| call.status));
    println!("{} endpoints, {} rows, {} requests: {statuses:?}", asked.len(), rows.len(), all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_the_documents_allow_are_understood_whatever_is_in_them() {
    let Some(stage) = Stage::set().await else { return };
    let mut answers: BTreeMap<Endpoint, usize> = BTreeMap::new();
    for row in rows::all(&stage) {
        for endpoint in endpoints_of(&stage, &row).await {
            stage.proxy.want(endpoint, "dynamic=true");
            for _ in 0..DRAWS {
                let made = (row.make)().await;
                let recorded = stage.proxy.take();
                assert_accepted(&row, &made, &recorded);
                *answers.entry(endpoint).or_default() += recorded.len();
            }
        }
    }
    assert_eq!(answers.len(), Endpoint::ALL.len(), "an endpoint gave no made-up answer");
    println!("{} made-up answers of {} endpoints", answers.values().sum::<usize>(), answers.len());
}

/// The endpoints that a row asks.
async fn endpoints_of(stage: &Stage, row: &Row) -> BTreeSet<Endpoint> {
    stage.proxy.want_examples();
    // Which endpoints are asked is all that counts here.
    let _made = (row.make)().await;
    stage.proxy.take().into_iter().filter_map(|call| call.endpoint).collect()
}

/// The mock server refuses what the documents don't describe. That an account has no such pool is an answer too.
fn assert_accepted(row: &Row, made: &Result<(), Error>, recorded: &[Recorded]) {
    for call in recorded {
        assert!((200..300).contains(&call.status), "{}: {} {}: {}", row.what, call.status, call.asked, call.answer);
    }
    let answers: Vec<_> = recorded.iter().map(|call| (&call.asked, &call.answer)).collect();
    assert!(matches!(made, Ok(()) | Err(Error::NoSuch { .. })), "{}: {made:?} of {answers:?}", row.what);
}
