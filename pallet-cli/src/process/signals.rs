//! Signals that ask the process to stop: Ctrl-C, SIGTERM, and SIGHUP when the terminal closes.
//!
//! A thread of its own handles them, so that nothing that other threads do or wait for delays them.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::INTERRUPTED;

/// How long the process may take to exit.
const ENDING: Duration = Duration::from_secs(2);

/// Handles signals until it is dropped. Signals after that are ignored.
pub(crate) struct SignalGuard(Handle);

impl Drop for SignalGuard {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Calls `handler` for each signal, and tells it whether the process should end; Ctrl-C does not
/// end a session. `handler` must do anything that can block, such as printing, elsewhere.
pub(crate) fn on_signal(
    mut handler: impl FnMut(bool) + Send + 'static,
) -> anyhow::Result<SignalGuard> {
    let mut wanted = vec![SIGINT, SIGTERM];
    // nohup ignores SIGHUP; keep it ignored
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted).context("cannot install signal handlers")?;
    let handle = signals.handle();
    let listen = move || signals.forever().for_each(|signal| handler(signal != SIGINT));
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .context("cannot start a thread")?;
    Ok(SignalGuard(handle))
}

/// Runs work that may block, without delaying signals.
pub(crate) fn in_background(work: impl FnOnce() + Send + 'static) {
    // if no thread can be started, the work is skipped: the signal thread must not block
    let _ = thread::Builder::new().name("aside".to_owned()).spawn(work);
}

/// Runs work that may block, and returns when it is done or has taken too long.
pub(crate) fn with_deadline(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = std::sync::mpsc::channel();
    in_background(move || {
        work();
        let _ = done.send(());
    });
    let _ = ended.recv_timeout(ENDING / 4);
}

/// Exits immediately, on a second Ctrl-C. Runs `last` first, unless that takes too long.
#[allow(clippy::exit, reason = "a second Ctrl-C waits for nothing")]
pub(crate) fn exit_now(last: impl FnOnce() + Send + 'static) -> ! {
    with_deadline(last);
    // exit handlers of libraries may block too
    in_background(|| {
        thread::sleep(ENDING);
        let _ = kill_process(getpid(), Signal::KILL);
    });
    std::process::exit(INTERRUPTED.into())
}

/// Whether this signal was ignored when the process started.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
