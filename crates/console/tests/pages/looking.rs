//! Pages of a console that asks nobody who they are: what a browser does with them, as far as they need no script.

use std::time::Instant;

use reqwest::{Client, Response, redirect};

use crate::house::{House, PATIENCE};

/// A page, or what came instead.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    /// Where it sends the browser.
    pub(crate) location: Option<String>,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Shown {
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
}

impl House {
    fn browser() -> Client {
        Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap()
    }

    /// Looks at a page.
    pub(crate) async fn look(&self, path: &str) -> Shown {
        let request = Self::browser().get(format!("http://{}{path}", self.address)).header("accept", "text/html");
        Shown::of(request.send().await.unwrap()).await
    }

    /// Looks at a page until it is as wanted.
    pub(crate) async fn look_until(&self, path: &str, wanted: impl Fn(&Shown) -> bool) -> Shown {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.look(path).await;
            if wanted(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "{path}: {}", shown.words());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Sends a form from a page of the console.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let mut body: reqwest::Url = "http://fields".parse().unwrap();
        body.query_pairs_mut().extend_pairs(fields);
        let request = Self::browser().post(format!("http://{}{path}", self.address));
        let request = request.header("accept", "text/html").header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Shown::of(request.body(body.query().unwrap().to_owned()).send().await.unwrap()).await
    }
}
