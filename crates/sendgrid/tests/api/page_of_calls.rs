//! `docs/sendgrid-api.md` lists every call.

use sendgrid::api::{Endpoint, OnBehalfOf, Repeat};

const PAGE: &str = include_str!("../../../../docs/sendgrid-api.md");

#[test]
fn every_call_stands_on_the_page_as_it_is() {
    let rows: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("| `")).collect();
    for endpoint in Endpoint::ALL {
        let call = format!("| `{} {}` |", endpoint.method(), endpoint.template());
        let row = rows.iter().find(|row| row.starts_with(&call)).unwrap_or_else(|| panic!("{call} is not on the page"));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[3] == "yes", endpoint.on_behalf_of() == OnBehalfOf::Declared, "{row}");
        assert_eq!(cells[4] == "yes", endpoint.repeat() == Repeat::Safe, "{row}");
    }
    assert_eq!(rows.len(), Endpoint::ALL.len());
}
