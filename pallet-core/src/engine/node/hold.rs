//! Keeps other operations away from a node while it is out of service: a script on a connection of
//! its own holds a lock there, and ends with that connection, however this program ends.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::session::Session;
use crate::engine::Engine;
use crate::engine::operation::Event;
use crate::script::{FLAGS, flag_file};
use crate::transport::{Stream, TransportError};

/// How many seconds another operation is waited for.
const PATIENCE: u32 = 900;

/// The exit code of the script if it waited in vain.
const IN_VAIN: i32 = 75;

/// Holds a node until it is dropped.
#[derive(Debug)]
pub(in crate::engine) struct Hold(JoinHandle<()>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A node that is held.
pub(in crate::engine) struct Held {
    pub(in crate::engine) hold: Hold,
    /// Another operation had it before, and may have changed anything.
    pub(in crate::engine) waited: bool,
    /// Whether the flag is set on the node now.
    pub(in crate::engine) flag: bool,
}

impl Hold {
    /// Takes hold of a node with a session for just that, and waits while another operation has it.
    /// Also finds out whether a flag is set there.
    pub(in crate::engine) async fn take(
        engine: &Engine,
        mut session: Session,
        flag: &str,
    ) -> Result<Held, TransportError> {
        let name = session.node.name.clone();
        // it lasts, so it must not take a turn from others
        let own = engine.without_slots();
        let script = script(flag);
        let (tell, mut told) = unbounded_channel();
        let hold = Hold(tokio::spawn(async move {
            let mut take = |stream: Stream, bytes: &[u8]| {
                if stream == Stream::Out {
                    let _ = tell.send(Ok(bytes.to_vec()));
                }
            };
            let ended = session.run(&own, &script, false, &mut take).await;
            let _ = tell.send(Err(ended));
        }));
        let mut heard = String::new();
        let mut waited = false;
        loop {
            match next(&mut told).await? {
                Ok(bytes) => heard.push_str(&String::from_utf8_lossy(&bytes)),
                Err(code) => {
                    let message = match code {
                        IN_VAIN => format!(
                            "another operation has kept this node out of service for {} minutes",
                            PATIENCE / 60
                        ),
                        code => format!("cannot take hold of it (exit code {code})"),
                    };
                    return Err(TransportError::Config { message });
                }
            }
            if heard.contains("waiting\n") && !waited {
                waited = true;
                let message = "waiting for another operation that has taken this node out of \
                               service";
                engine.tell(Event::Message {
                    node: Some(name.clone()),
                    level: "info".to_owned(),
                    message: message.to_owned(),
                });
            }
            if heard.contains("held\n") {
                return Ok(Held { hold, waited, flag: heard.contains("flag\n") });
            }
        }
    }
}

type Said = Result<Vec<u8>, Result<i32, TransportError>>;

/// What the script said next, or its exit code.
async fn next(told: &mut UnboundedReceiver<Said>) -> Result<Result<Vec<u8>, i32>, TransportError> {
    match told.recv().await {
        Some(Ok(bytes)) => Ok(Ok(bytes)),
        Some(Err(Ok(code))) => Ok(Err(code)),
        Some(Err(Err(error))) => Err(error),
        None => Err(TransportError::Cancelled),
    }
}

/// Where nothing can be locked, nobody is kept away.
fn script(flag: &str) -> String {
    let file = format!("{FLAGS}/{}", flag_file(flag));
    format!(
        "umask 077\n\
         if mkdir -p /var/lib/pallet 2>/dev/null && command -v flock >/dev/null 2>&1 && \
         {{ : >>/var/lib/pallet/service; }} 2>/dev/null; then\n\
         exec 9>>/var/lib/pallet/service\n\
         flock -w 1 9 || {{ echo waiting; flock -w {PATIENCE} 9 || exit {IN_VAIN}; }}\n\
         fi\n\
         [ ! -e {file} ] || echo flag\n\
         echo held\n\
         while :; do sleep 3600 9>&-; done\n"
    )
}
