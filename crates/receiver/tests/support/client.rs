//! A client that sends bytes as they are, malformed or not, and reads what comes back.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::SOON;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Self { status, head: head.to_owned(), body: String::new() };
        // What no service answered, hyper answers without a body.
        let length: usize = reply.header("content-length").unwrap_or("0").parse().unwrap();
        reply.body = body.get(..length)?.to_owned();
        Some(reply)
    }
}

/// Sends `request` on a new connection, reading at the same time, and returns the first answer.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Reply {
    let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
    let request = request.to_vec();
    let writing = tokio::spawn(async move {
        // A refusing server may stop reading.
        let _cut_off = write.write_all(&request).await;
        write
    });
    let reply = reply(&mut read).await.expect("an answer");
    drop(writing.await);
    reply
}

/// The next answer of a connection; `None` where it was closed without.
pub(crate) async fn reply(read: &mut (impl AsyncRead + Unpin)) -> Option<Reply> {
    let reading = async {
        let mut bytes = Vec::new();
        loop {
            match read.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return Reply::parse(&bytes),
                Ok(_) => {}
            }
            if let Some(reply) = Reply::parse(&bytes) {
                return Some(reply);
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.expect("an answer or an end")
}
