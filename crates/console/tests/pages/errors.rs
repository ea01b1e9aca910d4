//! What could not be shown or done, in words for people and as documents for programs.

use console::Unavailable;
use model::EnforcerMode;
use reqwest::{Client, Response, redirect};

use crate::house::*;

async fn asked(house: &House, path: &str, accept: &str, token: Option<&str>) -> Response {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let request = client.get(format!("http://{}{path}", house.address)).header("accept", accept);
    token.into_iter().fold(request, |request, token| request.bearer_auth(token)).send().await.unwrap()
}

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_in_words_and_programs_by_documents() {
    let house = House::new().await;
    for (path, status, words) in [
        ("/nothing?<script>hurt()</script>", 404, "There is nothing at /nothing"),
        ("/enforcement/pause", 405, "GET is not for /enforcement/pause"),
        ("/customers/x?done=nonsense", 404, "There is no such thing"),
        ("/activity/undo?rule=x", 400, "The form or the address can't be read"),
        ("/customers?stage=sleepy", 400, "there are: healthy"),
    ] {
        let page = house.look(path).await;
        assert_eq!((page.status, page.kind.as_str()), (status, "text/html; charset=utf-8"), "{path}: {}", page.text);
        let told = page.words();
        assert!(told.contains(words), "{path}: {told}");
        assert!(
            told.contains("Overview Customers Pools Policy Activity") && told.contains("To the overview"),
            "{told}"
        );
        assert!(!page.has("<script>hurt"), "{}", page.text);
        assert!(page.has("role=\"status\" id=\"stale\" hidden"), "where the script says that figures stand still");
    }
    for (path, accept) in [("/v1/nothing", BROWSER), ("/v1/customers?stage=sleepy", BROWSER), ("/nothing", "*/*")] {
        let answer = asked(&house, path, accept, None).await;
        assert!(answer.status().is_client_error(), "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_can_not_tell_says_so() {
    for (told, status, words) in [
        ((|| Err(Unavailable::Busy)) as fn() -> _, 503, "Not just now The scorer of this process can't answer"),
        (|| Err(Unavailable::NoScorer), 421, "roles scorer and console"),
    ] {
        let house = House::asking(EnforcerMode::Enforce, told).await;
        let page = house.look("/policy").await;
        assert_eq!(page.status, status, "{}", page.words());
        assert!(page.words().contains(words), "{}", page.words());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_is_told_which_role_it_needs() {
    let house = House::guarded().await;
    let answer =
        asked(&house, "/activity/undo?rule=x&since=2026-09-21T13:00", BROWSER, Some(&house.tokens["viewer"])).await;
    assert_eq!(answer.status(), 403);
    let text = answer.text().await.unwrap();
    assert!(text.contains("You may not do that") && text.contains("this needs the role operator"), "{text}");
    // Whoever was not let in sees nothing of the console, and is asked who they are.
    let answer = asked(&house, "/pools", BROWSER, Some("weir_wrong")).await;
    assert!(answer.headers().contains_key("www-authenticate"));
    assert_eq!(answer.status(), 401);
    let text = answer.text().await.unwrap();
    assert!(text.contains("You are not signed in") && text.contains("/login") && !text.contains("Customers"), "{text}");
    let answer = asked(&house, "/pools", BROWSER, None).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/login?next=/pools"));
    let answer = asked(&house, "/pools", "application/json", None).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (401, "application/problem+json")
    );
}
