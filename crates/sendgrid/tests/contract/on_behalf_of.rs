//! The header `on-behalf-of` is where the documents declare it, and nowhere else.

use sendgrid::api::IpApi;

use super::rows;
use super::stage::{SUBUSER, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_subusers_account_always_names_it_and_only_where_that_is_declared() {
    let Some(stage) = Stage::set().await else { return };
    let account = stage.client(IpApi::Names).on_behalf_of(SUBUSER).unwrap();
    for row in rows::of(&account) {
        (row.make)().await.unwrap();
    }
    let recorded = stage.proxy.take();
    for call in &recorded {
        assert_eq!(call.on_behalf_of.as_deref(), Some(SUBUSER), "{}", call.asked);
        assert!(stage.documents.declares_on_behalf_of(call.endpoint.unwrap()), "{}", call.asked);
    }
    println!("{} requests on behalf of a subuser", recorded.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_names_nobody() {
    let Some(stage) = Stage::set().await else { return };
    let (names, ids) = (stage.client(IpApi::Names), stage.client(IpApi::Ids));
    let lists = [rows::subusers(&names), rows::ips(&names, "names"), rows::ips(&ids, "ids"), rows::of(&names.own())];
    for row in lists.into_iter().flatten() {
        // Whether the account has such a thing does not matter here.
        let _made = (row.make)().await;
    }
    let recorded = stage.proxy.take();
    assert!(recorded.iter().all(|call| call.on_behalf_of.is_none()));
    println!("{} requests of the parent", recorded.len());
}
