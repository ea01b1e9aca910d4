//! A client of HTTP that does as little work a request as can be, so that the server is what is measured.

use std::net::SocketAddr;

use anyhow::Context;
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that stays open, with one request under way at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    read: BytesMut,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { stream: TcpStream::connect(server).await?, read: BytesMut::new() })
    }

    /// Asks, for the body of an answer of 200.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Bytes> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((head, length)) = head(&self.read)? {
                while self.read.len() < head + length {
                    anyhow::ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the answer is cut off");
                }
                self.read.advance(head);
                return Ok(self.read.split_to(length).freeze());
            }
            anyhow::ensure!(self.stream.read_buf(&mut self.read).await? > 0, "there is no answer");
        }
    }
}

/// How long the head of an answer of 200 is, and its body; `None` while it is not whole.
fn head(read: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(read.get(..end).unwrap_or_default())?;
    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(Some((end + 4, length.context("an answer without length")?.parse()?)))
}
