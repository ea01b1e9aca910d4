//! Who signs in, and out.

use super::browser::{Browser, location};
use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_led_to_the_page_that_asks_for_a_token_and_from_there_to_what_was_wanted() {
    let house = House::guarded().await;
    let stranger = Browser::stranger(&house);
    let led = stranger.ask("/customers?stage=watch").await;
    assert_eq!(led.status(), 303);
    let page = stranger.read(location(&led)).await;
    page.holds(&["name=\"token\"", "type=\"password\"", "<h1>Sign in</h1>"]);
    page.lacks(&["role=\"alert\"", "<nav"]);
    let wrong = stranger.submit(&page, "/login", &[("token", "weir_wrong")]).await;
    assert_eq!(wrong.status(), 303);
    let again = stranger.read(location(&wrong)).await;
    again.holds(&["role=\"alert\"", "no token that Weir knows"]);
    again.lacks(&["weir_wrong"]);
    let right = stranger.submit(&again, "/login", &[("token", house.tokens["viewer"].as_str())]).await;
    assert_eq!((right.status().as_u16(), location(&right)), (303, "/customers?stage=watch"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_is_told_and_can_sign_out() {
    let house = House::guarded().await;
    let browser = Browser::signed_in(&house, "operator").await;
    let page = browser.read("/customers").await;
    page.holds(&["<bdi>operator</bdi>", "Log out"]);
    let out = browser.submit(&page, "/logout", &[]).await;
    assert_eq!((out.status().as_u16(), location(&out)), (303, "/login"));
    let cookie = out.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    // This test's browser still sends the old cookie, as an attacker with a copy would.
    let copied = browser.ask("/customers").await;
    assert_eq!(copied.status(), 303);
    assert!(location(&copied).starts_with("/login?"), "{}", location(&copied));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_asked_there_is_nothing_to_sign_in_to() {
    let house = House::new().await;
    let answer = Browser::stranger(&house).ask("/login").await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"));
}
