//! Reading what an earlier version stored: a struct without the fields that later versions added at its end.

use serde::de::DeserializeOwned;

/// Reads a struct whose last fields, `added` bytes where each has its default, may be missing.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], added: usize) -> Result<T, postcard::Error> {
    match postcard::from_bytes(bytes) {
        // An earlier version wrote it. Each of the fields that follow begins as postcard writes a zero.
        Err(postcard::Error::DeserializeUnexpectedEnd) => postcard::from_bytes(&[bytes, &vec![0; added]].concat()),
        read => read,
    }
}
