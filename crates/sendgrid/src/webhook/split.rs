//! The elements of a POST's array, as raw bytes.
//!
//! Only the array's own structure is looked at: strings and brackets. What an element is made of is found out when it is
//! parsed, one by one, so that an element that is no JSON, or no UTF-8, is rejected by itself. Nothing here recurses, so
//! depth costs nothing.

use memchr::memchr2;

/// Why a body is no array of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nothing, or white space.
    #[error("the body is empty; a JSON array of events was expected")]
    Empty,
    /// Something else than an array.
    #[error("the body is no JSON array; it begins with byte 0x{0:02x}")]
    NotAnArray(u8),
    /// The array does not end.
    #[error("the body's array does not end; {0} bytes came")]
    Truncated(usize),
    /// Something follows the array.
    #[error("something follows the body's array at byte {0}")]
    Trailing(usize),
    /// A comma without an element before or behind it, or a bracket that closes nothing.
    #[error("the body's array is malformed at byte {0}")]
    Malformed(usize),
    /// The array has more elements than the caller accepts.
    #[error("the body's array has more than {0} elements, which do not fit the memory budget")]
    TooMany(usize),
}

/// Splits the body of a POST into the raw bytes of its elements, at most `most`, without the white space around them.
///
/// # Errors
///
/// [`BatchError`], where the body is no array or has more elements.
pub fn split(body: &[u8], most: usize) -> Result<Vec<&[u8]>, BatchError> {
    let start = skip_space(body, 0);
    match body.get(start) {
        None => return Err(BatchError::Empty),
        Some(b'[') => {}
        Some(other) => return Err(BatchError::NotAnArray(*other)),
    }
    let mut elements = Vec::new();
    let mut at = skip_space(body, start + 1);
    if body.get(at) == Some(&b']') {
        return ends(body, at + 1, elements);
    }
    loop {
        if elements.len() == most {
            return Err(BatchError::TooMany(most));
        }
        let end = element_end(body, at)?;
        let element = body[at..end].trim_ascii_end();
        if element.is_empty() {
            return Err(BatchError::Malformed(end));
        }
        elements.push(element);
        // `element_end` stops only at one of these two.
        if body[end] == b']' {
            return ends(body, end + 1, elements);
        }
        at = skip_space(body, end + 1);
    }
}

/// Where the comma or bracket behind the element stands that begins at `at`.
fn element_end(body: &[u8], mut at: usize) -> Result<usize, BatchError> {
    let mut depth = 0_usize;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => at = string_end(body, at)?,
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => return Ok(at),
            b']' if depth == 0 => return Ok(at),
            b'}' | b']' => depth = depth.checked_sub(1).ok_or(BatchError::Malformed(at))?,
            _ => {}
        }
        at += 1;
    }
    Err(BatchError::Truncated(body.len()))
}

/// Where the closing quote of the string stands that begins at `at`.
fn string_end(body: &[u8], at: usize) -> Result<usize, BatchError> {
    let mut at = at + 1;
    while let Some(found) = body.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if body[at] == b'"' {
            return Ok(at);
        }
        at += 2;
    }
    Err(BatchError::Truncated(body.len()))
}

fn skip_space(body: &[u8], at: usize) -> usize {
    body.iter().skip(at).position(|byte| !byte.is_ascii_whitespace()).map_or(body.len(), |space| at + space)
}

fn ends<'b>(body: &'b [u8], at: usize, elements: Vec<&'b [u8]>) -> Result<Vec<&'b [u8]>, BatchError> {
    match skip_space(body, at) {
        end if end == body.len() => Ok(elements),
        trailing => Err(BatchError::Trailing(trailing)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn texts(body: &str) -> Result<Vec<&str>, BatchError> {
        split(body.as_bytes(), usize::MAX)
            .map(|parts| parts.into_iter().map(|part| std::str::from_utf8(part).unwrap()).collect())
    }

    #[test]
    fn elements_keep_their_bytes() {
        assert_eq!(texts("[{\"a\":1},\r\n{\"b\":\"],\\\"\"}]\r\n"), Ok(vec!["{\"a\":1}", "{\"b\":\"],\\\"\"}"]));
        assert_eq!(texts(" [ ] "), Ok(vec![]));
        assert_eq!(texts("[1, null ,[2,[3]]]"), Ok(vec!["1", "null", "[2,[3]]"]));
    }

    #[test]
    fn what_is_no_array_is_refused_with_the_reason() {
        assert_eq!(texts(" \r\n"), Err(BatchError::Empty));
        assert_eq!(texts("{\"a\":1}"), Err(BatchError::NotAnArray(b'{')));
        assert_eq!(texts("[{\"a\":1}"), Err(BatchError::Truncated(8)));
        assert_eq!(texts("[\"a"), Err(BatchError::Truncated(3)));
        assert_eq!(texts("[\"a\\"), Err(BatchError::Truncated(4)));
        assert_eq!(texts("[1]]"), Err(BatchError::Trailing(3)));
        assert_eq!(texts("[1,]"), Err(BatchError::Malformed(3)));
        assert_eq!(texts("[,1]"), Err(BatchError::Malformed(1)));
        assert_eq!(texts("[1}]"), Err(BatchError::Malformed(2)));
        assert_eq!(split(b"[1,2,3", 2), Err(BatchError::TooMany(2)));
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("[{}{}]", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(split(deep.as_bytes(), 1).unwrap().len(), 1);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i64>().prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
            "[\\[\\]{},:\"\\\\]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn splitting_agrees_with_a_full_parser(elements in prop::collection::vec(json(), 0..12), pretty: bool) {
            let body = if pretty { serde_json::to_string_pretty(&elements) } else { serde_json::to_string(&elements) };
            let body = body.unwrap();
            let expected: Vec<&RawValue> = serde_json::from_str(&body).unwrap();
            let expected: Vec<_> = expected.into_iter().map(RawValue::get).collect();
            prop_assert_eq!(texts(&body).unwrap(), expected);
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(prop_oneof![
            any::<u8>(), prop::sample::select(b"[]{},:\"\\ \r\n".to_vec())
        ], 0..200)) {
            if let Ok(parts) = split(&body, usize::MAX) {
                prop_assert!(parts.iter().all(|part| !part.is_empty()));
            }
        }
    }
}
