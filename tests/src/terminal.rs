//! A program on a terminal of its own, used like a user does: keys go in, and the screen's content
//! comes out.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A screen that is high enough for all output.
const ROWS: u16 = 400;
const COLUMNS: u16 = 120;

/// Ctrl-C.
pub const INTERRUPT: &str = "\x03";
/// Ctrl-D.
pub const END: &str = "\x04";
/// The up key.
pub const UP: &str = "\x1b[A";

/// A program on a terminal. Dropping it ends the program.
pub struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<vt100::Parser>>,
    prompt: String,
    timeout: Duration,
}

impl Terminal {
    /// Starts a program with this input prompt.
    pub fn start(command: &Command, prompt: &str, timeout: Duration) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(
            &master,
            Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 },
        )
        .unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        // a session with this controlling terminal, so that Ctrl-C is a signal
        let mut own = Command::new("setsid");
        own.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        own.env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .env("TERM", "xterm");
        own.current_dir(command.get_current_dir().unwrap());
        own.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let child = own.spawn().unwrap_or_else(|error| panic!("cannot run setsid: {error}"));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            ROWS.try_into().unwrap(),
            COLUMNS.try_into().unwrap(),
            0,
        )));
        let mut shown = File::from(master.try_clone().unwrap());
        let parser = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = shown.read(&mut buffer) {
                parser.lock().unwrap().process(&buffer[..length]);
            }
        });
        let terminal = Terminal {
            child,
            keys: File::from(master),
            screen,
            prompt: prompt.to_owned(),
            timeout,
        };
        terminal.wait_until("the prompt", |lines| lines.last().map(String::as_str) == Some(prompt));
        terminal
    }

    /// The prompt.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Sets the prompt to wait for.
    pub fn ask_with(&mut self, prompt: &str) {
        self.prompt = prompt.to_owned();
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Presses keys and Enter, waits for the prompt, and returns the lines since then, including
    /// the input line.
    #[track_caller]
    pub fn enter(&mut self, keys: &str) -> String {
        let before = self.lines().len();
        self.press(&format!("{keys}\r"));
        self.asks_after(before)
    }

    /// Presses Ctrl-C, waits for the prompt, and returns the lines since then.
    #[track_caller]
    pub fn interrupt(&mut self) -> String {
        let before = self.lines().len();
        self.press(INTERRUPT);
        self.asks_after(before)
    }

    #[track_caller]
    fn asks_after(&self, before: usize) -> String {
        let prompt = self.prompt.clone();
        let lines = self.wait_until("the next prompt", |lines| {
            lines.len() > before && lines.last() == Some(&prompt)
        });
        lines[before - 1..lines.len() - 1].join("\n")
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |lines| lines.iter().any(|line| line.contains(text)));
    }

    /// Waits until the last line begins like this.
    #[track_caller]
    pub fn wait_until_last(&self, begin: &str) {
        self.wait_until(begin, |lines| lines.last().is_some_and(|last| last.starts_with(begin)));
    }

    /// Waits for the line at the cursor to be this.
    #[track_caller]
    pub fn wait_for_line(&self, line: &str) {
        self.wait_until(line, |lines| lines.last().is_some_and(|last| last == line));
    }

    /// The content of the screen.
    pub fn screen(&self) -> String {
        self.lines().join("\n")
    }

    /// The content of the screen once its last line contains `text`, with escape sequences for
    /// colours.
    #[track_caller]
    pub fn styled(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            // an unfinished drawing is not one to keep
            let screen = self.screen.lock().unwrap().screen().clone();
            let lines = lines(&screen);
            if lines.last().is_some_and(|last| last.contains(text)) {
                // a line that is as wide as the screen continues in the next row
                let rows: Vec<_> = screen.rows(0, COLUMNS).collect();
                let used =
                    rows.iter().rposition(|row| !row.trim().is_empty()).map_or(0, |at| at + 1);
                let rows = screen.rows_formatted(0, COLUMNS).take(used);
                return rows.map(|row| row.trim_end().to_owned() + "\x1b[0m\n").collect();
            }
            assert!(begun.elapsed() < self.timeout, "`{text}` did not come: {lines:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its end, and returns its exit code.
    #[track_caller]
    pub fn ends(mut self) -> i32 {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status.code().unwrap(),
                None if begun.elapsed() > self.timeout => {
                    panic!("it does not end; one sees\n{}", self.screen())
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The lines of the screen up to the last that is not empty.
    fn lines(&self) -> Vec<String> {
        lines(self.screen.lock().unwrap().screen())
    }

    #[track_caller]
    fn wait_until(&self, what: &str, reached: impl Fn(&[String]) -> bool) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let lines = self.lines();
            if reached(&lines) {
                return lines;
            }
            assert!(
                begun.elapsed() < self.timeout,
                "`{what}` did not come; one sees\n{}",
                lines.join("\n")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn lines(screen: &vt100::Screen) -> Vec<String> {
    let text = screen.contents();
    text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // setsid waits for the program, which ends with its terminal; both may already be gone
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
