//! Files of events, plain, gzip or zstd, cut into blocks of whole events.

use std::fmt;
use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sendgrid::webhook::{Piece, Splitter};

use crate::Error;

/// What is read at once: enough that handing it over costs nothing beside parsing it.
const BLOCK: usize = 1 << 20;
/// The longest event, or other thing between events; SendGrid posts arrays of at most 768 kB.
const LONGEST_PIECE: usize = 64 << 20;
/// What a zstd file begins with (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What a gzip file begins with (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Recorded events to read, in the order of their arrival: SendGrid's events one a line or one behind the other, or the arrays
/// that it posts, as they came or indented; plain, gzip or zstd.
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
        let is_gzip = head.starts_with(&GZIP_MAGIC);
        let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(head).chain(reader);
        Ok(match () {
            () if is_zstd => Box::new(zstd::Decoder::new(whole)?),
            () if is_gzip => Box::new(MultiGzDecoder::new(whole)),
            () => Box::new(whole),
        })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whole events of one recording.
#[derive(Debug)]
pub(crate) struct Block {
    /// Which recording, counted from 0.
    pub(crate) recording: usize,
    pub(crate) text: Vec<u8>,
    /// Where the events stand in the text.
    pub(crate) pieces: Vec<Piece>,
}

/// All events of a recording, block by block; ends behind an error.
pub(crate) struct Blocks {
    recording: usize,
    name: String,
    reader: Option<Box<dyn Read + Send>>,
    /// The beginning of an event whose end was not yet read.
    begun: Vec<u8>,
    splitter: Splitter,
    /// How much was read.
    bytes: u64,
}

impl Blocks {
    pub(crate) fn open(number: usize, recording: Recording) -> Result<Self, Error> {
        let name = recording.name.clone();
        match recording.open() {
            Ok(reader) => Ok(Self {
                recording: number,
                name,
                reader: Some(reader),
                begun: Vec::new(),
                splitter: Splitter::default(),
                bytes: 0,
            }),
            Err(source) => Err(Error::Unreadable { name, after: 0, source }),
        }
    }

    fn read(&mut self) -> Result<Option<Block>, Error> {
        loop {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            let mut text = std::mem::take(&mut self.begun);
            let before = text.len();
            let read = reader.take(BLOCK as u64).read_to_end(&mut text);
            self.bytes += (text.len() - before) as u64;
            let (name, after) = (&self.name, self.bytes);
            let read = read.map_err(|source| Error::Unreadable { name: name.clone(), after, source })?;
            if read == 0 {
                self.reader = None;
                let pieces = std::mem::take(&mut self.splitter).finish();
                return Ok((!pieces.is_empty()).then_some(Block { recording: self.recording, text, pieces }));
            }
            let pieces = self.splitter.pieces(&text);
            self.begun = text.split_off(self.splitter.take());
            if self.begun.len() > LONGEST_PIECE {
                return Err(Error::NoLines { name: self.name.clone(), most: LONGEST_PIECE });
            }
            if !pieces.is_empty() {
                return Ok(Some(Block { recording: self.recording, text, pieces }));
            }
        }
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
