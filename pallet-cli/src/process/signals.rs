//! Ctrl-C and what else asks the process to stop: SIGTERM, and SIGHUP when the terminal goes.
//!
//! They are heard on a thread of their own, so that nothing that the others are busy with or wait
//! for keeps them from being heard.

use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::INTERRUPTED;

/// How long the process may take to end by itself.
const ENDING: Duration = Duration::from_secs(2);

/// Hears signals as long as it lives. Later ones are heard by nobody, and do nothing.
pub(crate) struct SignalGuard(Handle);

impl Drop for SignalGuard {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Calls `handler` each time that the process is asked to stop, and says whether it is to end, which
/// Ctrl-C does not ask of a session. What may wait for something, such as printing, `handler` does
/// elsewhere.
pub(crate) fn on_signal(
    mut handler: impl FnMut(bool) + Send + 'static,
) -> anyhow::Result<SignalGuard> {
    let mut wanted = vec![SIGINT, SIGTERM];
    // what was started by nohup goes on
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

/// Does something that may wait, while signals are still heard.
pub(crate) fn in_background(work: impl FnOnce() + Send + 'static) {
    // without a thread it is not done: nothing may hold up what hears signals
    let _ = thread::Builder::new().name("aside".to_owned()).spawn(work);
}

/// Does something that may wait, and goes on when it is done or has waited too long.
pub(crate) fn with_deadline(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = std::sync::mpsc::channel();
    in_background(move || {
        work();
        let _ = done.send(());
    });
    let _ = ended.recv_timeout(ENDING / 4);
}

/// Ends the process at once, as a second Ctrl-C asks for. `last` is done before, if it does not
/// take long.
#[allow(clippy::exit, reason = "a second Ctrl-C waits for nothing")]
pub(crate) fn exit_now(last: impl FnOnce() + Send + 'static) -> ! {
    with_deadline(last);
    // what libraries do at the end may wait too
    in_background(|| {
        thread::sleep(ENDING);
        let _ = kill_process(getpid(), Signal::KILL);
    });
    std::process::exit(INTERRUPTED.into())
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
