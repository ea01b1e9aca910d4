//! The ways in which a POST may come: kept connections, pipelines, HTTP/2, TLS.

use std::net::SocketAddr;

use log::Topic;
use receiver::{Config, Error, Receiver, SourceName, Tls};
use reqwest::{Certificate, Client, Version};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::client;
use crate::support::{GOOD, Rig, SOURCE, Setup, another, assert_taken};

/// A certificate for `weir.example` and its key, in files.
struct Pki {
    dir: TempDir,
    certificate: Certificate,
}

impl Pki {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["weir.example".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { dir, certificate: Certificate::from_pem(made.cert.pem().as_bytes()).unwrap() }
    }

    fn tls(&self) -> Tls {
        Tls { cert_file: self.dir.path().join("cert.pem"), key_file: self.dir.path().join("key.pem") }
    }

    fn client(&self, address: SocketAddr) -> reqwest::ClientBuilder {
        Client::builder().no_proxy().tls_certs_only([self.certificate.clone()]).resolve("weir.example", address)
    }
}

/// Posts another event by `client`.
async fn post(client: &Client, rig: &Rig, origin: &str) -> reqwest::Response {
    let good = rig.signed(another());
    let mut request = client.post(format!("{origin}/webhooks/sendgrid/{SOURCE}")).body(good.body.clone());
    for (name, value) in good.headers.iter().filter(|(name, _)| name.starts_with("x-twilio")) {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn one_connection_carries_many_posts() {
    let rig = Rig::new().await;
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    for _ in 0..50 {
        client.write_all(&rig.signed(another()).bytes()).await.unwrap();
        assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
    }
    assert_eq!(rig.events().len(), 50);
}

#[tokio::test]
async fn posts_sent_without_waiting_are_all_stored() {
    let rig = Rig::new().await;
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    let posts: Vec<_> = (0..99).map(|_| rig.signed(another()).bytes()).collect();
    client.write_all(&posts.concat()).await.unwrap();
    let last = rig.signed(another()).and("Connection", "close");
    client.write_all(&last.bytes()).await.unwrap();
    let mut answers = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut client, &mut answers).await.unwrap();
    assert_eq!(String::from_utf8(answers).unwrap().matches("HTTP/1.1 200 OK").count(), 100);
    assert_eq!(rig.events().len(), 100);
}

#[tokio::test]
async fn a_refused_post_does_not_end_its_connection() {
    let rig = Rig::new().await;
    let mut client = TcpStream::connect(rig.address).await.unwrap();
    let refused = rig.signed(vec![b' '; 200_000]).at("/webhooks/sendgrid/other");
    client.write_all(&refused.bytes()).await.unwrap();
    assert_eq!(client::reply(&mut client).await.unwrap().status, 404);
    client.write_all(&rig.signed(GOOD).bytes()).await.unwrap();
    assert_taken(&client::reply(&mut client).await.unwrap(), 1, 0);
}

#[tokio::test]
async fn a_hundred_clients_at_once_are_all_answered() {
    let rig = Rig::new().await;
    let posts = (0..100).map(|_| {
        let (address, bytes) = (rig.address, rig.signed(another()).bytes());
        tokio::spawn(async move { client::exchange(address, &bytes).await })
    });
    for post in posts.collect::<Vec<_>>() {
        assert_taken(&post.await.unwrap(), 1, 0);
    }
    assert_eq!(rig.records(Topic::Events).len(), 100);
    rig.is_well().await;
}

#[tokio::test]
async fn http_2_needs_no_tls() {
    let rig = Rig::new().await;
    let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let origin = format!("http://{}", rig.address);
    for _ in 0..10 {
        let response = post(&client, &rig, &origin).await;
        assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    }
    assert_eq!(rig.events().len(), 10);
    let unsigned = client.post(format!("{origin}/webhooks/sendgrid/{SOURCE}")).body(vec![b' '; 3 << 20]);
    assert_eq!(unsigned.send().await.unwrap().status().as_u16(), 401);
    assert_eq!(post(&client, &rig, &origin).await.status().as_u16(), 200);
    rig.is_well().await;
}

#[tokio::test]
async fn posts_come_over_tls_by_either_protocol() {
    let pki = Pki::new();
    let mut setup = Setup::new();
    setup.config.tls = Some(pki.tls());
    let rig = setup.start().await;
    let origin = format!("https://weir.example:{}", rig.address.port());
    let either = pki.client(rig.address);
    for (client, version) in [(either, Version::HTTP_2), (pki.client(rig.address).http1_only(), Version::HTTP_11)] {
        let response = post(&client.build().unwrap(), &rig, &origin).await;
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
    }
    assert_eq!(rig.events().len(), 2);
}

#[tokio::test]
async fn a_plain_post_to_a_tls_port_is_cut_off_and_the_next_one_over_tls_is_taken() {
    let pki = Pki::new();
    let mut setup = Setup::new();
    setup.config.tls = Some(pki.tls());
    setup.config.header_timeout = std::time::Duration::from_secs(1);
    let rig = setup.start().await;
    let mut plain = TcpStream::connect(rig.address).await.unwrap();
    plain.write_all(&rig.signed(GOOD).bytes()).await.unwrap();
    let mut stalling = TcpStream::connect(rig.address).await.unwrap();
    for client in [&mut plain, &mut stalling] {
        let mut rest = Vec::new();
        let _reset = tokio::io::AsyncReadExt::read_to_end(client, &mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).contains("HTTP"));
    }
    let origin = format!("https://weir.example:{}", rig.address.port());
    let client = pki.client(rig.address).build().unwrap();
    assert_eq!(post(&client, &rig, &origin).await.status().as_u16(), 200);
    assert_eq!(rig.events().len(), 1);
}

mod bind {
    use std::sync::Arc;

    use model::Timestamp;
    use receiver::{CustomerRule, Source};
    use sendgrid::webhook::Verifier;
    use telemetry::Registry;

    use super::*;

    async fn bind(rig: &Rig, config: Config, names: &[&str]) -> Result<Receiver, Error> {
        let source = |name: &&str| Source {
            name: SourceName::new(name).unwrap(),
            verifier: Verifier::new(vec![rig.signer.verification_key()]).unwrap(),
            customer: CustomerRule::Pool,
        };
        let sources = names.iter().map(source).collect();
        let log = log::Log::producer(rig.log.as_ref());
        Receiver::bind(config, sources, log, Arc::new(|| Timestamp::from_seconds(0)), &Registry::new()).await
    }

    #[tokio::test]
    async fn a_taken_port_is_said() {
        let rig = Rig::new().await;
        let error = bind(&rig, Config::new(rig.address), &["a"]).await.unwrap_err();
        assert!(matches!(error, Error::Listen { .. }) && error.to_string().contains(&rig.address.to_string()));
    }

    #[tokio::test]
    async fn two_sources_of_one_name_are_refused() {
        let rig = Rig::new().await;
        let error = bind(&rig, Config::new(([127, 0, 0, 1], 0).into()), &["a", "b", "a"]).await.unwrap_err();
        assert!(matches!(error, Error::DuplicateSource(name) if name == "a"));
    }

    #[tokio::test]
    async fn a_certificate_or_key_that_is_none_is_refused_by_its_path() {
        let (rig, pki, other) = (Rig::new().await, Pki::new(), Pki::new());
        let missing = Tls { cert_file: "/nowhere/cert.pem".into(), ..pki.tls() };
        let swapped = Tls { cert_file: pki.tls().key_file, key_file: pki.tls().cert_file };
        let foreign = Tls { key_file: other.tls().key_file, ..pki.tls() };
        for (tls, path) in [(missing, "/nowhere"), (swapped, "key.pem"), (foreign, "cert.pem")] {
            let mut config = Config::new(([127, 0, 0, 1], 0).into());
            config.tls = Some(tls);
            let error = bind(&rig, config, &["a"]).await.unwrap_err();
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}
