//! Lists are read to their end, and no server keeps a caller for ever.

use axum::response::IntoResponse;
use jiff::civil::date;
use sendgrid::api::{Days, Error};
use serde_json::{Value, json};

use super::server::{Server, client, client_by_id};

fn query(asked: &str, name: &str) -> Option<usize> {
    let (_, query) = asked.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn a_list_by_offset_is_read_to_its_short_page() {
    let server = Server::start(|call, _| {
        let (limit, offset) = (query(&call.asked, "limit").unwrap(), query(&call.asked, "offset").unwrap());
        let page = (offset..250).take(limit);
        let subusers = page.map(|n| json!({ "username": format!("s{n}"), "disabled": false, "id": n }));
        subusers.collect::<Value>().to_string().into_response()
    })
    .await;
    let subusers = client(&server.base_url).subusers().await.unwrap();
    assert_eq!((subusers.len(), server.calls().len()), (250, 3));
    assert_eq!(subusers.last().unwrap().username, "s249");
}

#[tokio::test]
async fn a_list_by_key_is_read_until_there_is_none_and_repeats_the_rest_of_the_query() {
    let server = Server::start(|call, _| {
        let at = query(&call.asked, "after_key").unwrap_or(0);
        let next = (at < 2).then(|| (at + 1).to_string());
        let page = json!({
            "result": [{ "name": format!("p{at}"), "id": at.to_string() }],
            "_metadata": { "next_params": { "after_key": next } },
        });
        page.to_string().into_response()
    })
    .await;
    assert_eq!(client_by_id(&server.base_url).pools().await.unwrap(), ["p0", "p1", "p2"]);
    assert!(server.calls().iter().all(|call| query(&call.asked, "limit") == Some(100)));
}

#[tokio::test]
async fn the_same_page_again_and_again_ends() {
    let full: Value = (0..100).map(|n| json!({ "ip": format!("192.0.2.{n}") })).collect();
    let server = Server::start(move |_, _| full.to_string().into_response()).await;
    let error = client(&server.base_url).all_ips().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedAnswer { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 2);

    let page = r#"{"result":[{"name":"p","id":"1"}],"_metadata":{"next_params":{"after_key":"7"}}}"#;
    let server = Server::start(move |_, _| page.into_response()).await;
    let error = client_by_id(&server.base_url).pools().await.unwrap_err();
    assert!(matches!(error, Error::UnexpectedAnswer { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 2);
}

/// A server that gives `most` days a page, whatever is asked for.
async fn days_server(most: usize) -> Server {
    Server::start(move |call, _| {
        let offset = query(&call.asked, "offset").unwrap();
        let page = (offset..31).take(most);
        let day = |n| json!({ "date": format!("2026-01-{:02}", n + 1), "stats": [{ "metrics": { "delivered": 1 } }] });
        page.map(day).collect::<Value>().to_string().into_response()
    })
    .await
}

#[tokio::test]
async fn a_month_is_whole_even_where_pages_are_shorter_than_asked_for() {
    let month = Days { first: date(2026, 1, 1), last: date(2026, 1, 31) };
    for most in [5, 10, 31, 100] {
        let server = days_server(most).await;
        let days = client(&server.base_url).own().stats(month).await.unwrap();
        assert_eq!(days.len(), 31, "{most} a page");
    }
    assert_eq!(
        {
            let server = days_server(100).await;
            client(&server.base_url).own().stats(month).await.unwrap();
            server.calls().len()
        },
        1,
        "a page that reaches the last day is the last one"
    );
}
