//! Runs programs: captures their output, and ends them after a timeout.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::timing::measure;

/// A running program, in a process group of its own. Dropping it kills the group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    command: String,
    started: Instant,
    timeout: Duration,
    stdout: Capture,
    stderr: Capture,
}

/// The result of a program.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line.
    pub command: String,
    /// Its exit status.
    pub status: ExitStatus,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

#[derive(Debug)]
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program without stdin.
    pub fn start(command: Command, timeout: Duration) -> Self {
        Process::start_on(command, Stdio::null(), timeout)
    }

    /// Starts a program with this text as stdin.
    pub fn start_with_input(command: Command, input: &str, timeout: Duration) -> Self {
        let mut process = Process::start_on(command, Stdio::piped(), timeout);
        let (mut stdin, input) = (process.child.stdin.take().unwrap(), input.to_owned());
        // a program that ends early does not read everything
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        process
    }

    fn start_on(mut command: Command, stdin: Stdio, timeout: Duration) -> Self {
        measure();
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        let words = words.join(" ");
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child =
            spawn(&mut command).unwrap_or_else(|error| panic!("cannot run {words}: {error}"));
        let stdout = Capture::of(child.stdout.take().unwrap());
        let stderr = Capture::of(child.stderr.take().unwrap());
        Process { child, command: words, started: Instant::now(), timeout, stdout, stderr }
    }

    /// Its stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Its stderr so far.
    pub fn errors(&self) -> String {
        self.stderr.text()
    }

    /// Waits until it has printed `text` on either stream.
    pub fn wait_for(&mut self, text: &str) {
        while !self.stdout.text().contains(text) && !self.stderr.text().contains(text) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "`{}` ended ({status}) and never printed `{text}`; {}",
                    self.command,
                    self.printed()
                );
            }
            self.check_time(text);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends SIGINT to the whole process group, as Ctrl-C does.
    pub fn interrupt(&self) {
        kill_process_group(self.pid(), Signal::INT).unwrap();
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Its peak memory so far, in KiB; `None` if it has ended.
    pub fn peak_memory(&mut self) -> Option<u64> {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return None;
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?
            .trim()
            .strip_suffix(" kB")?
            .parse()
            .ok()
    }

    /// Waits for its end. Panics after its timeout.
    pub fn wait(mut self) -> Output {
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => self.check_time("its end"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let took = self.started.elapsed();
        Output {
            command: self.command.clone(),
            status,
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
            took,
        }
    }

    fn check_time(&mut self, awaited: &str) {
        if self.started.elapsed() > self.timeout {
            self.kill();
            panic!(
                "`{}`: {awaited} did not come within {:?}; {}",
                self.command,
                self.timeout,
                self.printed()
            );
        }
    }

    fn printed(&self) -> String {
        format!("it printed:\n{}\nand as errors:\n{}", self.stdout.text(), self.stderr.text())
    }

    fn kill(&mut self) {
        // the group may already be gone
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

/// Starts a program. It may be missing for a moment, while a test rebuilds the workspace.
pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    for _ in 0..100 {
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::thread::sleep(Duration::from_millis(50))
            }
            result => return result,
        }
    }
    command.spawn()
}

impl Capture {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                shared.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Capture { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// The complete output. A background process that keeps the stream open gets only a moment.
    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let end = Instant::now() + Duration::from_secs(2);
            while !reader.is_finished() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self.text()
    }
}

impl Output {
    /// The exit code. Panics if a signal ended it.
    #[track_caller]
    pub fn code(&self) -> i32 {
        assert_eq!(self.status.signal(), None, "a signal ended it\n{self}");
        self.status.code().unwrap()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "it should exit with {code}\n{self}");
        self
    }

    /// Asserts that its output contains `text`, on either stream.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "it should say `{text}`\n\
            {self}"
        );
        self
    }

    /// Asserts that its output does not contain `text`, on either stream.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(
            !self.stdout.contains(text) && !self.stderr.contains(text),
            "it should not say `{text}`\n{self}"
        );
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}    ({}, {:.1} s)", self.command, self.status, self.took.as_secs_f32())?;
        write!(f, "{}\n--- as errors:\n{}", self.stdout, self.stderr)
    }
}
