//! The calls by name.

use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Error, Refusal};
use super::http::{Ask, Config, Http};
use super::types::{Credits, Ip, Subuser};

/// A client of SendGrid's API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
}

/// IPs asked for on one page; without a number SendGrid gives ten and says nothing of the rest.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct PoolAnswer {
    ips: Vec<String>,
}

#[derive(Deserialize)]
struct PoolName {
    name: String,
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    pub fn new(config: Config) -> Result<Self, Error> {
        Ok(Self { http: Http::new(config)? })
    }

    /// The subuser; `None` where there is none of that name.
    ///
    /// # Errors
    ///
    /// [`Error`], like every call here.
    pub async fn subuser(&self, name: &str) -> Result<Option<Subuser>, Error> {
        let path = path(&["subusers"], &[("username", name), ("limit", "500")]);
        // The filter is a search: only the very name counts.
        let found: Vec<Subuser> = self.http.json(ask(Method::GET, path, None)).await?;
        Ok(found.into_iter().find(|subuser| subuser.username == name))
    }

    /// Lets a subuser send, or not.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), Error> {
        let body = json!({ "disabled": disabled });
        self.http.done(ask(Method::PATCH, path(&["subusers", name], &[]), Some(body))).await
    }

    /// The IPs that a subuser may send through.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn subuser_ips(&self, name: &str) -> Result<Vec<Ip>, Error> {
        let mut ips = Vec::new();
        loop {
            let (limit, offset) = (PAGE.to_string(), ips.len().to_string());
            let path = path(&["ips"], &[("subuser", name), ("limit", &limit), ("offset", &offset)]);
            let page: Vec<Ip> = self.http.json(ask(Method::GET, path, None)).await?;
            let last = page.len() < PAGE;
            ips.extend(page);
            if last {
                return Ok(ips);
            }
        }
    }

    /// Gives a subuser exactly these IPs.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_subuser_ips(&self, name: &str, ips: &[String]) -> Result<(), Error> {
        self.http.done(ask(Method::PUT, path(&["subusers", name, "ips"], &[]), Some(json!(ips)))).await
    }

    /// A subuser's credits.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn credits(&self, name: &str) -> Result<Credits, Error> {
        self.http.json(ask(Method::GET, path(&["subusers", name, "credits"], &[]), None)).await
    }

    /// Sets a subuser's credits.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn set_credits(&self, name: &str, credits: &Credits) -> Result<(), Error> {
        self.http.done(ask(Method::PUT, path(&["subusers", name, "credits"], &[]), Some(json!(credits)))).await
    }

    /// The names of all pools.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn pools(&self) -> Result<Vec<String>, Error> {
        let pools: Vec<PoolName> = self.http.json(ask(Method::GET, path(&["ips", "pools"], &[]), None)).await?;
        Ok(pools.into_iter().map(|pool| pool.name).collect())
    }

    /// The IPs in a pool; `None` where there is no such pool.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn pool_ips(&self, pool: &str) -> Result<Option<Vec<String>>, Error> {
        let answer = self.http.json(ask(Method::GET, path(&["ips", "pools", pool], &[]), None)).await;
        Ok(found(answer)?.map(|PoolAnswer { ips }| ips))
    }

    /// Puts an IP into a pool; it takes up to a minute to have effect.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn add_to_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        let body = json!({ "ip": ip });
        self.http.done(ask(Method::POST, path(&["ips", "pools", pool, "ips"], &[]), Some(body))).await
    }

    /// Takes an IP out of a pool; one that is not in it is out already.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn remove_from_pool(&self, pool: &str, ip: &str) -> Result<(), Error> {
        let answer = self.http.done(ask(Method::DELETE, path(&["ips", "pools", pool, "ips", ip], &[]), None)).await;
        found(answer).map(|_| ())
    }

    /// An IP; `None` where the account does not have it.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn ip(&self, ip: &str) -> Result<Option<Ip>, Error> {
        found(self.http.json(ask(Method::GET, path(&["ips", ip], &[]), None)).await)
    }
}

fn ask(method: Method, path: String, body: Option<Value>) -> Ask {
    Ask { method, path, body }
}

/// `None` for a 404.
fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Refused { refusal: Refusal::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `/v3/` and these segments and query, all of them encoded: names of pools and subusers may hold anything.
fn path(segments: &[&str], query: &[(&str, &str)]) -> String {
    // A fixed address always parses; only what is appended varies, and that is encoded.
    let Ok(mut url) = Url::parse("http://host/v3") else { return String::new() };
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(segments);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path())
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn names_are_encoded() {
        assert_eq!(path(&["ips", "pools", "a b/c?"], &[]), "/v3/ips/pools/a%20b%2Fc%3F");
        assert_eq!(path(&["subusers"], &[("username", "a&b")]), "/v3/subusers?username=a%26b");
    }
}
