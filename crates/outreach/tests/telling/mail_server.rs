//! A mail server: mailin's protocol over real sockets.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use mailin::{Action, Handler, Response, SessionBuilder, response};

/// What it does with mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    Takes,
    /// 451 to each recipient.
    Busy,
    /// 550 to each recipient.
    Refuses,
    /// Takes the mail, and breaks the connection instead of saying so.
    TakesInSilence,
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) to: Vec<String>,
    pub(crate) raw: String,
}

impl Taken {
    /// A header's value, decoded.
    pub(crate) fn header(&self, name: &str) -> String {
        let mail = mail_parser::MessageParser::default().parse(self.raw.as_bytes()).unwrap();
        match name {
            "Subject" => mail.subject().unwrap_or_default().to_owned(),
            "Message-ID" => mail.message_id().unwrap_or_default().to_owned(),
            name => mail.header_raw(name).unwrap_or_default().trim().to_owned(),
        }
    }

    /// The text, and the page.
    pub(crate) fn bodies(&self) -> (String, String) {
        let mail = mail_parser::MessageParser::default().parse(self.raw.as_bytes()).unwrap();
        (mail.body_text(0).unwrap().into_owned(), mail.body_html(0).unwrap().into_owned())
    }
}

#[derive(Clone)]
pub(crate) struct MailServer {
    port: u16,
    mood: Arc<AtomicU8>,
    taken: Arc<Mutex<Vec<Taken>>>,
}

struct Session {
    server: MailServer,
    to: Vec<String>,
    raw: Vec<u8>,
}

impl Handler for Session {
    fn rcpt(&mut self, to: &str) -> Response {
        match self.server.mood() {
            Mood::Busy => Response::custom(451, "try again".to_owned()),
            Mood::Refuses => Response::custom(550, format!("no such user {to}")),
            Mood::Takes | Mood::TakesInSilence => {
                self.to.push(to.to_owned());
                response::OK
            }
        }
    }

    fn data(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.raw.extend_from_slice(bytes);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let raw = String::from_utf8(std::mem::take(&mut self.raw)).unwrap();
        self.server.taken.lock().unwrap().push(Taken { to: std::mem::take(&mut self.to), raw });
        response::OK
    }
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, mood: Arc::new(AtomicU8::new(Mood::Takes as u8)), taken: Arc::default() };
        let clone = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let server = clone.clone();
                // A client that is killed breaks its connection off.
                std::thread::spawn(move || server.serve(stream.unwrap()).ok());
            }
        });
        server
    }

    fn serve(self, stream: TcpStream) -> std::io::Result<()> {
        let remote: IpAddr = stream.peer_addr()?.ip();
        let handler = Session { server: self.clone(), to: Vec::new(), raw: Vec::new() };
        let mut session = SessionBuilder::new("mail.example").build(remote, handler);
        let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
        session.greeting().write_to(&mut writer)?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            let before = self.taken.lock().unwrap().len();
            let answer = session.process(&line);
            line.clear();
            let took = self.taken.lock().unwrap().len() > before;
            if took && self.mood() == Mood::TakesInSilence {
                return Ok(());
            }
            match answer.action {
                Action::NoReply => {}
                Action::Close => return answer.write_to(&mut writer),
                Action::Reply | Action::UpgradeTls => answer.write_to(&mut writer)?,
            }
            writer.flush()?;
        }
        Ok(())
    }

    fn mood(&self) -> Mood {
        let moods = [Mood::Takes, Mood::Busy, Mood::Refuses, Mood::TakesInSilence];
        moods[usize::from(self.mood.load(Ordering::SeqCst))]
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }
}
