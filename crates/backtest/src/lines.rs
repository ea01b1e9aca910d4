//! Files of lines, plain or zstd, cut into blocks of whole lines.

use std::fmt;
use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use memchr::{memchr_iter, memrchr};

use crate::Error;

/// What is read at once: enough that handing it over costs nothing beside parsing it.
const BLOCK: usize = 1 << 20;
/// The longest line; SendGrid posts arrays of at most 768 kB.
const LONGEST_LINE: usize = 64 << 20;
/// What a zstd file begins with (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Recorded events to read: one SendGrid event or one posted array a line, plain or zstd, in the order of their arrival.
pub struct Recording {
    name: String,
    from: From,
}

enum From {
    Path(PathBuf),
    Reader(Box<dyn Read + Send>),
}

impl Recording {
    /// The file at `path`; it is opened when its turn comes.
    pub fn file(path: &Path) -> Self {
        Self { name: path.display().to_string(), from: From::Path(path.to_owned()) }
    }

    /// What `reader` gives; `name` stands for it in messages.
    pub fn reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { name: name.to_owned(), from: From::Reader(Box::new(reader)) }
    }

    /// What stands for it in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn open(self) -> io::Result<Box<dyn Read + Send>> {
        let mut reader: Box<dyn Read + Send> = match self.from {
            From::Path(path) => Box::new(File::open(path)?),
            From::Reader(reader) => reader,
        };
        let mut head = Vec::with_capacity(ZSTD_MAGIC.len());
        reader.by_ref().take(ZSTD_MAGIC.len() as u64).read_to_end(&mut head)?;
        let is_zstd = head == ZSTD_MAGIC;
        let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(head).chain(reader);
        Ok(if is_zstd { Box::new(zstd::Decoder::new(whole)?) } else { Box::new(whole) })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whole lines of one recording.
#[derive(Debug)]
pub(crate) struct Block {
    /// Which recording, counted from 0.
    pub(crate) recording: usize,
    /// The number of its first line, counted from 1.
    pub(crate) first_line: usize,
    pub(crate) text: Vec<u8>,
}

/// All lines of a recording, block by block; ends behind an error.
pub(crate) struct Blocks {
    recording: usize,
    name: String,
    reader: Option<Box<dyn Read + Send>>,
    /// The beginning of a line whose end was not yet read.
    begun: Vec<u8>,
    next_line: usize,
}

impl Blocks {
    pub(crate) fn open(number: usize, recording: Recording) -> Result<Self, Error> {
        let name = recording.name.clone();
        match recording.open() {
            Ok(reader) => Ok(Self { recording: number, name, reader: Some(reader), begun: Vec::new(), next_line: 1 }),
            Err(source) => Err(Error::Unreadable { name, source }),
        }
    }

    fn read(&mut self) -> Result<Option<Block>, Error> {
        let mut text = std::mem::take(&mut self.begun);
        loop {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            let read = reader.take(BLOCK as u64).read_to_end(&mut text);
            let read = read.map_err(|source| Error::Unreadable { name: self.name.clone(), source })?;
            if read == 0 {
                self.reader = None;
                return Ok((!text.is_empty()).then(|| self.block(text)));
            }
            if let Some(end) = memrchr(b'\n', &text) {
                self.begun = text.split_off(end + 1);
                return Ok(Some(self.block(text)));
            }
            if text.len() > LONGEST_LINE {
                return Err(Error::NoLines { name: self.name.clone(), most: LONGEST_LINE });
            }
        }
    }

    fn block(&mut self, text: Vec<u8>) -> Block {
        let first_line = self.next_line;
        self.next_line += memchr_iter(b'\n', &text).count();
        Block { recording: self.recording, first_line, text }
    }
}

impl Iterator for Blocks {
    type Item = Result<Block, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.reader = None;
        }
        read.transpose()
    }
}
