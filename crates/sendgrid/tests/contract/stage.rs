//! What every test of the suite needs.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sendgrid::api::{ApiKey, Client, Config, IpApi};

use super::documents::Documents;
use super::mock;
use super::prism::Prism;
use super::proxy::Proxy;

/// The subuser on whose behalf is asked.
pub(crate) const SUBUSER: &str = "example_subuser";

/// A client, a proxy, and the mock server behind it.
pub(crate) struct Stage {
    pub(crate) documents: Documents,
    pub(crate) proxy: Proxy,
    _mock: Arc<Prism>,
}

impl Stage {
    /// All of it; none where the documents are not on this machine.
    pub(crate) async fn set() -> Option<Self> {
        let documents = Documents::read()?;
        let mock = mock::shared(&documents);
        let proxy = Proxy::start(&mock.base_url).await;
        Some(Self { documents, proxy, _mock: mock })
    }

    /// A client that tries once, and waits for nothing but an answer.
    pub(crate) fn client(&self, ip_api: IpApi) -> Client {
        let mut config = Config::new(self.proxy.base_url.clone(), ApiKey::new("SG.key"));
        config.ip_api = ip_api;
        config.tries = 1;
        config.timeout = Duration::from_secs(60);
        config.calls_per_second = NonZeroU32::new(100_000).unwrap();
        Client::new(config).unwrap()
    }
}
