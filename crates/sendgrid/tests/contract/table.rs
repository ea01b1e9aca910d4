//! The table of endpoints is what the documents say.

use std::collections::BTreeSet;

use sendgrid::api::{Endpoint, OnBehalfOf};

use super::documents::Documents;

#[test]
fn every_endpoint_stands_in_the_documents_and_takes_on_behalf_of_where_they_say() {
    let Some(documents) = Documents::read() else { return };
    for &endpoint in Endpoint::ALL {
        assert!(documents.operation(endpoint).is_object(), "{endpoint:?} is not documented");
        let declared = endpoint.on_behalf_of() == OnBehalfOf::Declared;
        assert_eq!(documents.declares_on_behalf_of(endpoint), declared, "{endpoint:?}");
    }
}

#[test]
fn no_two_endpoints_are_the_same_call() {
    let calls: BTreeSet<_> =
        Endpoint::ALL.iter().map(|endpoint| (endpoint.method().to_string(), endpoint.template())).collect();
    assert_eq!(calls.len(), Endpoint::ALL.len());
}
