//! A mail server: mailin's protocol over real sockets, in the clear or with STARTTLS and a login.
//!
//! Suites of whole processes use it too, each what it needs of it.
#![allow(dead_code, reason = "not every suite needs all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder, response};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What it does with mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mood {
    Takes,
    /// 451 to each recipient.
    Busy,
    /// 550 to each recipient.
    Refuses,
    /// 550 to each that begins with "owner".
    RefusesOwners,
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
    /// How long it takes over a mail.
    pub(crate) pace: Duration,
    guard: Option<Guard>,
}

/// What a client must know to be let in.
#[derive(Clone)]
struct Guard {
    tls: Arc<ServerConfig>,
    password: String,
}

struct Session {
    server: MailServer,
    is_known: bool,
    to: Vec<String>,
    raw: Vec<u8>,
}

/// A connection.
enum Stream {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl Stream {
    /// The same connection under TLS.
    fn protected(self, guard: &Guard) -> Self {
        match self {
            Self::Clear(stream) => {
                let connection = ServerConnection::new(Arc::clone(&guard.tls)).unwrap();
                Self::Tls(Box::new(StreamOwned::new(connection, stream)))
            }
            protected => protected,
        }
    }
}

impl Handler for Session {
    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        let wanted = self.server.guard.as_ref().map(|guard| guard.password.as_str());
        self.is_known = user == "weir" && Some(password) == wanted;
        if self.is_known { response::AUTH_OK } else { response::INVALID_CREDENTIALS }
    }

    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        if self.is_known { response::OK } else { Response::custom(530, "who are you?".to_owned()) }
    }

    fn rcpt(&mut self, to: &str) -> Response {
        match self.server.mood() {
            Mood::Busy => Response::custom(451, "try again".to_owned()),
            Mood::RefusesOwners if to.starts_with("owner") => Response::custom(550, "no such user".to_owned()),
            Mood::Refuses => Response::custom(550, format!("no such user {to}")),
            Mood::Takes | Mood::TakesInSilence | Mood::RefusesOwners => {
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
        std::thread::sleep(self.server.pace);
        self.server.taken.lock().unwrap().push(Taken { to: std::mem::take(&mut self.to), raw });
        response::OK
    }
}

impl MailServer {
    /// Without TLS and login.
    pub(crate) fn start() -> Self {
        Self::begin(Duration::ZERO, None)
    }

    /// One that lets nobody in without TLS and `password`, and takes so long over each mail; and its certificate, for `localhost`.
    pub(crate) fn start_guarded(password: &str, pace: Duration) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let guard = Guard { tls: Arc::new(config), password: password.to_owned() };
        (Self::begin(pace, Some(guard)), made.cert.pem())
    }

    fn begin(pace: Duration, guard: Option<Guard>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mood = Arc::new(AtomicU8::new(Mood::Takes as u8));
        let server = Self { port, mood, taken: Arc::default(), pace, guard };
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
        let handler = Session { server: self.clone(), is_known: self.guard.is_none(), to: Vec::new(), raw: Vec::new() };
        let mut builder = SessionBuilder::new("mail.example");
        if self.guard.is_some() {
            builder.enable_start_tls().enable_auth(AuthMechanism::Plain);
        }
        let mut session = builder.build(remote, handler);
        let mut stream = BufReader::new(Stream::Clear(stream));
        session.greeting().write_to(stream.get_mut())?;
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line)? > 0 {
            let before = self.taken.lock().unwrap().len();
            let answer = session.process(&line);
            line.clear();
            let took = self.taken.lock().unwrap().len() > before;
            if took && self.mood() == Mood::TakesInSilence {
                return Ok(());
            }
            match (&answer.action, &self.guard) {
                (Action::NoReply, _) => {}
                (Action::Close, _) => return answer.write_to(stream.get_mut()),
                (Action::UpgradeTls, Some(guard)) => {
                    answer.write_to(stream.get_mut())?;
                    stream = BufReader::new(stream.into_inner().protected(guard));
                    session.tls_active();
                }
                (Action::Reply | Action::UpgradeTls, _) => answer.write_to(stream.get_mut())?,
            }
            stream.get_mut().flush()?;
        }
        Ok(())
    }

    fn mood(&self) -> Mood {
        let moods = [Mood::Takes, Mood::Busy, Mood::Refuses, Mood::RefusesOwners, Mood::TakesInSilence];
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
