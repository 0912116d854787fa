//! Runs what tells others about an operation: all of it at once, and never for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::process::on_signal;

/// For how long the end of an operation waits for its notices.
const LIMIT: Duration = Duration::from_secs(10);

/// For how much longer it waits until they say what is wrong, and commands are killed.
const GRACE: Duration = Duration::from_millis(500);

/// How often a wait looks whether it should end.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// One notice.
pub(super) struct Notice {
    /// Its name in a warning.
    pub(super) name: String,
    pub(super) send: Box<SendNotice>,
}

/// Sends a notice, unless its time is over.
type SendNotice = dyn FnOnce(&Until) -> anyhow::Result<()> + Send;

/// When a notice must end.
#[derive(Debug, Clone)]
pub(super) struct Until {
    stopped: Arc<AtomicBool>,
    end: Instant,
}

impl Until {
    /// Why a notice must end now, if it must.
    pub(super) fn over(&self) -> Option<&'static str> {
        match self.stopped.load(Ordering::Relaxed) {
            true => Some("it was interrupted"),
            false => (Instant::now() > self.end).then_some("it took longer than 10 s"),
        }
    }
}

/// Sends all notices, and returns the warnings about those that failed. Ctrl-C ends the wait.
pub(super) fn send(notices: Vec<Notice>) -> Vec<String> {
    let until = Until { stopped: Arc::default(), end: Instant::now() + LIMIT };
    let stopped = until.stopped.clone();
    // without handlers, a signal ends the process, which is as good
    let _guard = on_signal(move |_| stopped.store(true, Ordering::Relaxed));
    let (sender, results) = channel();
    let mut waiting: Vec<Option<String>> = Vec::new();
    for (number, Notice { name, send }) in notices.into_iter().enumerate() {
        let (sender, until) = (sender.clone(), until.clone());
        let work = move || {
            // fails only if nobody waits any more
            let _ = sender.send((number, send(&until)));
        };
        waiting.push(Some(name));
        // a thread that cannot be started drops its sender, and is warned of below
        let _ = std::thread::Builder::new().name("notice".to_owned()).spawn(work);
    }
    drop(sender);
    let mut warnings = Vec::new();
    let mut last = until.end + GRACE;
    while waiting.iter().any(Option::is_some) {
        match results.recv_timeout(LOOK) {
            Ok((number, result)) => {
                let name = waiting.get_mut(number).and_then(Option::take).unwrap_or_default();
                if let Err(error) = result {
                    warnings.push(format!("{name}: {error:#}"));
                }
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < last => {
                if until.stopped.load(Ordering::Relaxed) {
                    // until commands are killed
                    last = last.min(Instant::now() + GRACE);
                }
            }
            Err(_) => {
                let why = until.over().unwrap_or("it could not be started");
                warnings.extend(waiting.drain(..).flatten().map(|name| format!("{name}: {why}")));
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_warnings() {
        let notice = |name: &str, error: Option<&'static str>| Notice {
            name: name.to_owned(),
            send: Box::new(move |_| error.map_or(Ok(()), |error| Err(anyhow::anyhow!(error)))),
        };
        let warnings = send(vec![notice("one", None), notice("two", Some("lost"))]);
        assert_eq!(warnings, ["two: lost"]);
        assert_eq!(send(Vec::new()), Vec::<String>::new());
    }
}
