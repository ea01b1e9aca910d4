//! Single JSON values, taken leniently: SendGrid's types drift between strings, numbers and booleans.

use std::borrow::Cow;

use model::Timestamp;
use serde_json::value::RawValue;

/// JSON as text, with U+FFFD for bytes that are no UTF-8 and for control characters, which JSON does not allow as they are
/// (ISO-2022-JP has them).
pub(super) fn readable(json: &[u8]) -> Cow<'_, str> {
    let is_stray = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let text = String::from_utf8_lossy(json);
    if text.contains(is_stray) { Cow::Owned(text.replace(is_stray, "\u{fffd}")) } else { text }
}

/// A string's characters, or a number's or boolean's text; `None` for null, arrays, objects, and strings that are no
/// Unicode.
pub(super) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'"' => string(raw),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// A whole number, or the text of one.
pub(super) fn integer(value: &RawValue) -> Option<i64> {
    let text = text(value)?;
    let text = text.trim();
    text.parse().ok().or_else(|| whole(text.parse().ok()?))
}

/// A moment: Unix seconds, with or without a fraction, or milliseconds, which SendGrid's own example of a Single Send has.
/// No date in seconds reaches those before the year 5138.
pub(super) fn moment(value: &RawValue) -> Option<Timestamp> {
    const LARGEST_SECONDS: i64 = 100_000_000_000;
    match integer(value) {
        Some(..0) => None,
        Some(seconds @ 0..LARGEST_SECONDS) => Some(Timestamp::from_seconds(seconds)),
        Some(millis @ LARGEST_SECONDS..) => Some(Timestamp::from_millis(millis)),
        None => {
            let number: f64 = text(value)?.trim().parse().ok()?;
            let is_seconds = number.abs() < 100_000_000_000.0;
            let millis = whole((if is_seconds { number * 1_000.0 } else { number }).trunc())?;
            (number >= 0.0).then_some(Timestamp::from_millis(millis))
        }
    }
}

/// True for `true`, 1 and their texts; false for `false`, 0 and theirs.
pub(super) fn boolean(value: &RawValue) -> Option<bool> {
    match text(value)?.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// A string, or the strings of an array.
pub(super) fn texts(value: &RawValue) -> Vec<Cow<'_, str>> {
    if value.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        items.into_iter().filter_map(text).collect()
    } else {
        text(value).into_iter().collect()
    }
}

fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inside)) }
}

/// The whole number that a float is, where it is one and exact.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !number.is_finite() || number.trunc().to_bits() != number.to_bits() || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the range in which floats are exact")]
    Some(number as i64)
}
