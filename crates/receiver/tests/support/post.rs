//! POSTs as SendGrid makes them, and what can be wrong with them.

use std::fmt::Write as _;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sendgrid::webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, VerificationKey};

use super::{NOW, SOURCE};

/// A webhook's signing key.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn verification_key(&self) -> VerificationKey {
        let spki = self.0.public_key().as_der().unwrap();
        VerificationKey::from_base64(&STANDARD.encode(spki.as_ref())).unwrap()
    }

    pub(crate) fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let signed = [timestamp.as_bytes(), body].concat();
        STANDARD.encode(self.0.sign(&SystemRandom::new(), &signed).unwrap().as_ref())
    }
}

/// A request, to be spoiled before it is sent.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Post {
    /// A good one, signed now.
    pub(crate) fn signed(signer: &Signer, body: &[u8]) -> Self {
        Self::signed_at(signer, &NOW.to_string(), body)
    }

    /// One whose signed timestamp is `timestamp`.
    pub(crate) fn signed_at(signer: &Signer, timestamp: &str, body: &[u8]) -> Self {
        let unsigned = Self {
            method: "POST",
            path: format!("/webhooks/sendgrid/{SOURCE}"),
            headers: vec![
                ("Host".into(), "weir.example".into()),
                ("Content-Type".into(), "application/json;charset=utf-8".into()),
                ("Content-Length".into(), body.len().to_string()),
            ],
            body: body.to_vec(),
        };
        unsigned.with(SIGNATURE_HEADER, signer.sign(timestamp, body)).with(TIMESTAMP_HEADER, timestamp)
    }

    /// With this header in place of those of the same name.
    pub(crate) fn with(self, name: &str, value: impl Into<String>) -> Self {
        self.without(name).and(name, value)
    }

    /// With this header behind those of the same name.
    pub(crate) fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn at(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub(crate) fn by(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// With another body than was signed, of the right length.
    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.with("Content-Length", body.len().to_string())
    }

    /// The head alone, up to the empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }
}
