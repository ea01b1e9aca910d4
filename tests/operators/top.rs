//! `weir top` in a real terminal, and as one frame of text.

use std::io::{Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, PtyPair, PtySize, native_pty_system};

use crate::house::{BINARY, House, PATIENCE, with_author};

const SMALL: PtySize = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
const LARGE: PtySize = PtySize { rows: 30, cols: 120, pixel_width: 0, pixel_height: 0 };

/// A terminal of 80 by 24 in which it runs.
struct Terminal {
    pair: PtyPair,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
    reading: JoinHandle<()>,
    /// Whether it stops reading with whatever it reads next.
    lost: Arc<AtomicBool>,
    /// Its modes before anything ran in it.
    before: String,
}

/// Whether it echoes, whether it gives whole lines, and so on.
fn modes(pair: &PtyPair) -> String {
    format!("{:?}", pair.master.get_termios().unwrap().local_flags)
}

impl Terminal {
    fn new(house: &House) -> Self {
        let pair = native_pty_system().openpty(SMALL).unwrap();
        let before = modes(&pair);
        assert!(before.contains("ECHO") && before.contains("ICANON"), "{before}");
        let mut command = CommandBuilder::new(BINARY);
        command.args(["top", "--every", "1", "--admin", &house.base()]);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        let parser = Arc::new(Mutex::new(vt100::Parser::new(SMALL.rows, SMALL.cols, 0)));
        let (mut output, keyboard) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let (shown, lost) = (Arc::clone(&parser), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&lost);
        let reading = std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(read) = output.read(&mut bytes) {
                if read == 0 || ends.load(Ordering::SeqCst) {
                    return;
                }
                shown.lock().unwrap().process(&bytes[..read]);
            }
        });
        Self { pair, child, keyboard, parser, reading, lost, before }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Makes it larger, and waits until the last line is where it then is. What is typed at that very moment is only read with
    /// the next key.
    fn resize(&self) {
        self.parser.lock().unwrap().screen_mut().set_size(LARGE.rows, LARGE.cols);
        self.pair.master.resize(LARGE).unwrap();
        self.until(|text| text.lines().nth(usize::from(LARGE.rows) - 1).is_some_and(|line| line.contains("q: quit")));
    }

    fn screen<T>(&self, ask: impl FnOnce(&vt100::Screen) -> T) -> T {
        ask(self.parser.lock().unwrap().screen())
    }

    /// Waits until the screen is as wanted.
    fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.screen(vt100::Screen::contents);
            if wanted(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) -> ExitStatus {
        ended(self.child.as_mut())
    }

    /// Takes it away from what runs in it, like a window that is closed or a connection that breaks.
    fn lose(self) -> Box<dyn Child + Send + Sync> {
        self.lost.store(true, Ordering::SeqCst);
        // Another size is drawn at once, which wakes the reader.
        self.pair.master.resize(LARGE).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !self.reading.is_finished() {
            assert!(Instant::now() < deadline, "nothing is drawn any more");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child
    }

    /// Waits until the terminal is as it was: its own screen, with echo, line by line.
    fn until_given_back(&self) {
        self.until(|_| self.screen(|screen| !screen.alternate_screen() && !screen.hide_cursor()));
        assert_eq!(modes(&self.pair), self.before);
    }
}

fn ended(child: &mut (dyn Child + Send + Sync)) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_watched_live() {
    let house = House::new().await;
    house.mail_goes_out().await;
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    let mut terminal = Terminal::new(&house);
    let shown =
        terminal.until(|text| text.contains("approval 3") && text.contains("healthy 11") && text.contains("by "));
    assert!(shown.contains("bad-1") && shown.contains("LATEST DECISIONS") && shown.contains("mode approve"), "{shown}");
    assert!(terminal.screen(vt100::Screen::alternate_screen));

    // A decision comes in by itself, and what stops enforcement too.
    house.says(&with_author(&["hold", "good-7"]));
    terminal.until(|text| text.contains("good-7: stays healthy by command:hold; ann: a test"));
    house.says(&with_author(&["enforce", "pause"]));
    terminal.until(|text| text.contains("STOPPED: ann has paused enforcement (a test)"));

    // Down, down again, into the customer, through its page, and back.
    terminal.press("\u{1b}[B\u{1b}[B\r");
    let page = terminal.until(|text| text.contains("Why it is there"));
    let third = shown.lines().filter(|line| line.starts_with("bad-")).nth(2).unwrap();
    let name = third.split_whitespace().next().unwrap();
    assert!(page.contains(&format!("{name}: ")), "{page}");
    terminal.press("jjj");
    terminal.until(|text| !text.contains(&format!("{name}: ")));
    terminal.press("\u{1b}");
    terminal.until(|text| text.contains("LATEST DECISIONS"));

    terminal.resize();
    terminal.press("q");
    assert!(terminal.end().success());
    terminal.until_given_back();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weir_that_goes_away_is_told_and_a_signal_gives_the_terminal_back() {
    let mut house = House::new().await;
    let mut terminal = Terminal::new(&house);
    terminal.until(|text| text.contains("healthy 0"));
    house.weir.kill();
    terminal.until(|text| text.contains("does not answer; does it run"));
    let pid = terminal.child.process_id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(terminal.end().success());
    terminal.until_given_back();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_terminal() {
    let house = House::new().await;
    let terminal = Terminal::new(&house);
    terminal.until(|text| text.contains("healthy 0"));
    let mut child = terminal.lose();
    // Which of the two it hears of first is left to chance: that its terminal hung up, or that it can't be drawn on.
    let status = ended(child.as_mut());
    assert!(status.signal().is_none() && [0, 1].contains(&status.exit_code()), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_frame_is_text_for_pipes() {
    let house = House::new().await;
    house.mail_goes_out().await;
    house.until("/v1/approvals", |answer| answer["approvals"].as_array().is_some_and(|all| all.len() == 3)).await;
    let frame = house.says(&["top", "--once"]);
    assert!(frame.contains("held back: approval 3") && frame.contains("bad-2") && !frame.contains('\u{1b}'), "{frame}");
    assert!(frame.lines().count() <= 24 && frame.lines().all(|line| line.chars().count() <= 80), "{frame}");
    assert!(house.refuses(&["top"]).contains("`weir top --once` prints one frame"));
}
