//! The events of stored POSTs, told apart in a stream of any length.
//!
//! People store what SendGrid posted in many shapes: one event a line, one body a line, bodies and objects one behind the
//! other, one indented array. In all of them an event is a JSON object that stands between others, so that only objects are
//! looked for. A damaged object costs itself and is told; the search goes on at the next place where an event can begin.

use std::ops::Range;

use memchr::memchr3;

/// A part of a stream that is an event, or should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands in the buffer.
    pub range: Range<usize>,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// What is wrong with it, where its end was not found.
    pub damage: Option<Damage>,
}

/// Why a part of a stream is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Something stands in it that can't be in an object.
    #[error("the event that begins here is damaged at line {line}, byte {byte} of the file: mend it or cut it out")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The byte, counted from 0.
        byte: u64,
    },
    /// The stream ends in it.
    #[error("the file ends inside the event that begins here: fetch the file again, or cut this event out")]
    EndsInEvent,
    /// The stream ends before an array does.
    #[error("the array that begins here does not end, so that events may be missing: fetch the file again")]
    EndsInArray,
}

/// Finds the pieces of a stream that is handed over buffer by buffer.
#[derive(Debug)]
pub struct Splitter {
    /// Up to where the buffer was looked at.
    at: usize,
    /// The line of that place.
    line: usize,
    /// How much of the stream lies before the buffer.
    before_buffer: u64,
    state: State,
    /// Where the piece that is not whole yet begins, and on which line.
    begun: Option<(usize, usize)>,
    /// The brackets that are open in it.
    open: Vec<u8>,
    /// The last byte of it that is no white space; `"` for a string and `0` for a number or a word.
    last: u8,
    /// How many arrays are open around events, and where the outermost began.
    arrays: usize,
    array_line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    /// In what is no object.
    Stray,
    Object,
    String {
        is_escaped: bool,
    },
    /// Behind damage, until an event can begin.
    Damaged,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            at: 0,
            line: 1,
            before_buffer: 0,
            state: State::Between,
            begun: None,
            open: Vec::new(),
            last: 0,
            arrays: 0,
            array_line: 0,
        }
    }
}

impl Splitter {
    /// The pieces that end in `buffer`: what [`Splitter::take`] left of the last one, and what came since.
    pub fn pieces(&mut self, buffer: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while let Some(byte) = buffer.get(self.at) {
            let piece = match self.state {
                State::Between => self.between(*byte),
                State::Stray => self.stray(*byte),
                State::Object => self.object(*byte),
                State::String { is_escaped } => self.string(buffer, is_escaped),
                State::Damaged => self.damaged(*byte),
            };
            pieces.extend(piece);
        }
        pieces
    }

    /// How much of the buffer is done with; the rest belongs to the front of the next one.
    pub fn take(&mut self) -> usize {
        let done = self.begun.map_or(self.at, |(start, _)| start);
        self.at -= done;
        self.before_buffer += done as u64;
        self.begun = self.begun.map(|(_, line)| (0, line));
        done
    }

    /// The stream has ended: what is left that is not whole.
    pub fn finish(mut self) -> Vec<Piece> {
        let damage = (self.state != State::Stray).then_some(Damage::EndsInEvent);
        let mut pieces: Vec<Piece> = self.end_piece(self.at, damage).into_iter().collect();
        if self.arrays > 0 {
            pieces.push(Piece { range: 0..0, line: self.array_line, damage: Some(Damage::EndsInArray) });
        }
        pieces
    }

    fn step(&mut self, byte: u8) {
        self.at += 1;
        self.line += usize::from(byte == b'\n');
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.begun = Some((self.at, self.line));
        self.open.clear();
    }

    fn end_piece(&mut self, end: usize, damage: Option<Damage>) -> Option<Piece> {
        self.state = if damage.is_some() { State::Damaged } else { State::Between };
        self.begun.take().map(|(start, line)| Piece { range: start..end, line, damage })
    }

    fn between(&mut self, byte: u8) -> Option<Piece> {
        match byte {
            b'{' => {
                self.begin(State::Object);
                self.open.push(b'{');
                self.last = b'{';
            }
            b'[' => {
                if self.arrays == 0 {
                    self.array_line = self.line;
                }
                self.arrays += 1;
            }
            b']' => self.arrays = self.arrays.saturating_sub(1),
            // White space, a comma, the separator of JSON text sequences, and a byte order mark.
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e | 0xef | 0xbb | 0xbf => {}
            _ => self.begin(State::Stray),
        }
        self.step(byte);
        None
    }

    fn stray(&mut self, byte: u8) -> Option<Piece> {
        if matches!(byte, b'\n' | b'{' | b']') {
            return self.end_piece(self.at, None);
        }
        self.step(byte);
        None
    }

    fn object(&mut self, byte: u8) -> Option<Piece> {
        let is_fitting = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                self.step(byte);
                return None;
            }
            b':' | b',' => true,
            b'"' => matches!(self.last, b'{' | b'[' | b',' | b':'),
            b'{' | b'[' => self.may_begin_value(),
            b'}' => self.open.pop() == Some(b'{'),
            b']' => self.open.pop() == Some(b'['),
            b'+' | b'-' | b'.' => true,
            _ => byte.is_ascii_alphanumeric() && !matches!(self.last, b'"' | b'}' | b']'),
        };
        if !is_fitting {
            return self.damage();
        }
        self.last = if byte.is_ascii_alphanumeric() { b'0' } else { byte };
        match byte {
            b'"' => self.state = State::String { is_escaped: false },
            b'{' | b'[' => self.open.push(byte),
            _ => {}
        }
        self.step(byte);
        if self.open.is_empty() { self.end_piece(self.at, None) } else { None }
    }

    fn may_begin_value(&self) -> bool {
        match self.open.last() {
            Some(b'[') => matches!(self.last, b'[' | b','),
            _ => self.last == b':',
        }
    }

    fn string(&mut self, buffer: &[u8], is_escaped: bool) -> Option<Piece> {
        if is_escaped {
            self.state = State::String { is_escaped: false };
            self.at += usize::from(buffer.get(self.at) != Some(&b'\n'));
            return None;
        }
        let rest = buffer.get(self.at..).unwrap_or_default();
        self.at += memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
        match buffer.get(self.at) {
            Some(b'"') => {
                self.state = State::Object;
                self.at += 1;
            }
            Some(b'\\') => {
                self.state = State::String { is_escaped: true };
                self.at += 1;
            }
            // JSON has no line end in a string: its other quote is missing.
            Some(_) => return self.damage(),
            None => {}
        }
        None
    }

    /// The byte here can't be in the object. The brackets around the object are as doubtful as itself.
    fn damage(&mut self) -> Option<Piece> {
        let damage = Damage::Malformed { line: self.line, byte: self.before_buffer + self.at as u64 };
        self.arrays = 0;
        // A brace where none can be in an object begins the next event.
        self.last = b'\n';
        self.end_piece(self.at, Some(damage))
    }

    fn damaged(&mut self, byte: u8) -> Option<Piece> {
        match byte {
            b'{' if matches!(self.last, b'\n' | b'}' | b',' | b'[' | b']') => {
                self.state = State::Between;
                return None;
            }
            b' ' | b'\t' | b'\r' => {}
            _ => self.last = byte,
        }
        self.step(byte);
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces of a stream that comes in parts of `size` bytes: text, line, and whether it is damaged.
    fn cut(stream: &[u8], size: usize) -> Vec<(Vec<u8>, usize, Option<Damage>)> {
        let (mut splitter, mut buffer, mut found) = (Splitter::default(), Vec::new(), Vec::new());
        for part in stream.chunks(size.max(1)) {
            buffer.extend_from_slice(part);
            let pieces = splitter.pieces(&buffer);
            found.extend(pieces.into_iter().map(|piece| (buffer[piece.range].to_vec(), piece.line, piece.damage)));
            buffer.drain(..splitter.take());
        }
        let rest = splitter.finish();
        found.extend(rest.into_iter().map(|piece| (buffer[piece.range].to_vec(), piece.line, piece.damage)));
        found
    }

    fn whole(stream: &str) -> Vec<String> {
        let pieces = cut(stream.as_bytes(), 7);
        pieces.into_iter().filter(|piece| piece.2.is_none()).map(|piece| String::from_utf8(piece.0).unwrap()).collect()
    }

    const ONE: &str = r#"{"event":"open","url_offset":{"index":0},"category":["a","]}"],"r":"\"{\\"}"#;

    #[test]
    fn events_are_found_in_every_shape_they_are_stored_in() {
        for stream in [
            format!("{ONE}\n{ONE}\n"),
            format!("{ONE}{ONE}"),
            format!("[{ONE},\r\n{ONE}]\r\n"),
            format!("[{ONE}]\r\n[{ONE}]\r\n"),
            format!("[{ONE}][{ONE}]"),
            format!("[[{ONE}],[{ONE}]]"),
            format!("\u{feff}[\n  {ONE},\n  {ONE}\n]\n"),
            format!("{ONE},\n{ONE},\n"),
            format!("\u{1e}{ONE}\n\u{1e}{ONE}\n"),
        ] {
            assert_eq!(whole(&stream), [ONE, ONE], "{stream}");
        }
    }

    #[test]
    fn damage_costs_only_its_own_event_and_is_told_with_its_place() {
        for (damaged, line) in [
            (r#"{"event":"op"#, 2),
            (r#"{"event":"open","#, 3),
            (r#"{"event":"open","a":1"#, 3),
            (r#"{"event":"open" "a":{"b":{"c":1}}}"#, 2),
            (r#"{"event":open"}"#, 2),
            (r#"{"event":"open"]}"#, 2),
        ] {
            let stream = format!("{ONE}\n{damaged}\n{ONE}\n{ONE}\n");
            assert_eq!(whole(&stream), [ONE, ONE, ONE], "{damaged}");
            let told: Vec<_> = cut(stream.as_bytes(), 5).into_iter().filter(|piece| piece.2.is_some()).collect();
            assert!(
                matches!(told.as_slice(), [(_, 2, Some(Damage::Malformed { line: found, .. }))] if *found == line),
                "{damaged}: {told:?}"
            );
        }
        let joined = format!("{ONE}{}{ONE}", r#"{"event":"op"#);
        assert_eq!(whole(&joined).len(), 1, "{joined}");
        assert!(cut(joined.as_bytes(), 9).iter().any(|piece| piece.2.is_some()));
    }

    #[test]
    fn an_end_that_comes_too_early_is_told() {
        let last = |stream: String| cut(stream.as_bytes(), 11).pop().map(|piece| (piece.1, piece.2));
        assert_eq!(last(format!("{ONE}\n{{\"event\":\"o")), Some((2, Some(Damage::EndsInEvent))));
        assert_eq!(last(format!("\n[{ONE},\n{ONE},\n")), Some((2, Some(Damage::EndsInArray))));
        assert_eq!(last(format!("{ONE}\nno json")), Some((2, None)), "what is no object is left to the parser");
    }

    proptest! {
        #[test]
        fn the_size_of_buffers_changes_nothing(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"[]{},:\"\\ \r\na1".to_vec())], 0..300),
            size in 1_usize..40,
        ) {
            prop_assert_eq!(cut(&bytes, size), cut(&bytes, 1_000));
        }

        #[test]
        fn every_object_of_an_array_is_found(
            objects in prop::collection::vec(prop::collection::btree_map(".{0,8}", ".{0,8}", 0..4), 0..8),
            is_indented: bool,
            size in 1_usize..40,
        ) {
            let text = if is_indented { serde_json::to_string_pretty(&objects) } else { serde_json::to_string(&objects) };
            let found = cut(text.unwrap().as_bytes(), size);
            prop_assert!(found.iter().all(|piece| piece.2.is_none()));
            let found: Vec<std::collections::BTreeMap<String, String>> =
                found.iter().map(|piece| serde_json::from_slice(&piece.0).unwrap()).collect();
            prop_assert_eq!(found, objects);
        }
    }
}
