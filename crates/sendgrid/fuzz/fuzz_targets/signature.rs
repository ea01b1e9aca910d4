//! Any two headers and body: never a panic, and never taken for genuine.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sendgrid::webhook::{VerificationKey, Verifier};

/// A key whose private half nobody here has.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
    Verifier::new(vec![VerificationKey::from_base64(key).unwrap()]).unwrap()
});

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (timestamp, signature, body) = input;
    assert!(VERIFIER.verify(timestamp, signature, body).is_err());
    if let Ok(text) = std::str::from_utf8(signature) {
        let _key = VerificationKey::from_base64(text);
    }
});
