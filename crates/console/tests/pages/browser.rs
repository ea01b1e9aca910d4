//! Somebody who reads pages and sends their forms as a browser does, with a session or without.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::{RecordKind, Start, Topic};
use reqwest::{Client, Response, redirect};
use serde_json::Value;

use crate::house::{House, PATIENCE};

/// Names that mean something in a page or in an address.
pub(crate) const HOSTILE: [&str; 3] =
    ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(2)>", "../../%2e?a=1&b=%3C#d"];

pub(crate) struct Browser<'a> {
    house: &'a House,
    client: Client,
    cookie: Option<String>,
}

/// A page, or what came instead.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: u16,
    /// Where it sends the browser.
    pub(crate) location: Option<String>,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn stranger(house: &'a House) -> Self {
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { house, client, cookie: None }
    }

    /// Somebody who has signed in with the token of this role.
    pub(crate) async fn signed_in(house: &'a House, role: &str) -> Self {
        let mut browser = Self::stranger(house);
        let token = house.tokens[role].clone();
        let answer = browser.send("/login", &[("token", token.as_str()), ("next", "/customers")]).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/customers"));
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    pub(crate) async fn ask(&self, path: &str) -> Response {
        let request = self.client.get(format!("http://{}{path}", self.house.address)).header("accept", "text/html");
        self.with_cookie(request).send().await.unwrap()
    }

    pub(crate) async fn read(&self, path: &str) -> Read {
        let page = Read::of(self.ask(path).await).await;
        assert!(page.kind.starts_with("text/html"), "{path}: {}", page.kind);
        assert!(!page.has("style="), "the policy of the pages forbids styles within: {}", page.text);
        page
    }

    /// Reads until the page holds the words.
    pub(crate) async fn until(&self, path: &str, words: &str) -> Read {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.read(path).await;
            if page.text.contains(words) {
                return page;
            }
            assert!(Instant::now() < deadline, "no {words} in {path}: {}", page.text);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends these fields, and nothing else.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut body: reqwest::Url = "http://fields".parse().unwrap();
        body.query_pairs_mut().extend_pairs(fields);
        let request = self.client.post(format!("http://{}{path}", self.house.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin").header("accept", "text/html");
        self.with_cookie(request).body(body.query().unwrap().to_owned()).send().await.unwrap()
    }

    /// Sends the form of `page` that goes to `act`, with these fields filled in.
    pub(crate) async fn submit(&self, page: &Read, act: &str, fields: &[(&str, &str)]) -> Response {
        let form = page.form(act).unwrap_or_else(|| panic!("no form goes to {act}: {}", page.text));
        let mut all: BTreeMap<&str, String> = hidden(form);
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(act, &all).await
    }

    fn with_cookie(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie))
    }
}

impl Read {
    async fn of(answer: Response) -> Self {
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, kind) = (header("location"), header("content-type").unwrap_or_default());
        Self { status: answer.status().as_u16(), location, kind, text: answer.text().await.unwrap() }
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// What the page says, without its markup, with single spaces.
    pub(crate) fn words(&self) -> String {
        let mut words = String::new();
        for piece in self.text.split('<') {
            words.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
            words.push(' ');
        }
        let words = words.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What the hidden field `name` of the page's first form that has it says.
    pub(crate) fn field(&self, name: &str) -> String {
        let (_, rest) =
            self.text.split_once(&format!("type=\"hidden\" name=\"{name}\" value=\"")).unwrap_or_else(|| {
                panic!("no field {name}: {}", self.text);
            });
        rest.split('"').next().unwrap().replace("&quot;", "\"")
    }

    /// The form that goes to `act`.
    pub(crate) fn form(&self, act: &str) -> Option<&str> {
        let is_it = |form: &&str| form.contains(&format!("action=\"{act}\""));
        self.text.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next()).find(is_it)
    }

    /// What `href`s of this beginning lead to.
    pub(crate) fn links(&self, beginning: &str) -> Vec<String> {
        let links = self.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        links.map(|link| link.replace("&amp;", "&")).filter(|link| link.starts_with(beginning)).collect()
    }

    pub(crate) fn holds(&self, all: &[&str]) {
        for words in all {
            assert!(self.text.contains(words), "no {words} in: {}", self.text);
        }
    }

    pub(crate) fn lacks(&self, all: &[&str]) {
        for words in all {
            assert!(!self.text.contains(words), "{words} in: {}", self.text);
        }
    }
}

/// Pages of a console that asks nobody who they are.
impl House {
    /// Looks at a page.
    pub(crate) async fn look(&self, path: &str) -> Read {
        Read::of(Browser::stranger(self).ask(path).await).await
    }

    /// Looks at a page until it is as wanted.
    pub(crate) async fn look_until(&self, path: &str, wanted: impl Fn(&Read) -> bool) -> Read {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.look(path).await;
            if wanted(&page) {
                return page;
            }
            assert!(Instant::now() < deadline, "{path}: {}", page.words());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends a form from a page of the console.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Read {
        Read::of(Browser::stranger(self).send(path, fields).await).await
    }
}

fn hidden(form: &str) -> BTreeMap<&str, String> {
    let inputs = form.split("<input").skip(1).filter(|input| input.contains("type=\"hidden\""));
    inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?.to_owned()))).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}

pub(crate) fn location(answer: &Response) -> &str {
    answer.headers()["location"].to_str().unwrap()
}

/// As it stands in a page.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The commands on the log: to whom, and what.
pub(crate) fn commands(house: &House) -> Vec<(String, Value)> {
    let mut tail = house.log.tail(Topic::Events, Start::Earliest).unwrap();
    let mut found = Vec::new();
    while !tail.caught_up() {
        let records = tail.next(Duration::from_millis(50)).unwrap();
        found.extend(records.into_iter().filter(|stored| stored.record.kind == RecordKind::Command));
    }
    let told = |stored: log::Stored| {
        let customer = String::from_utf8(stored.record.key.to_vec()).unwrap();
        (customer, serde_json::from_slice(&stored.record.value).unwrap())
    };
    found.into_iter().map(told).collect()
}
