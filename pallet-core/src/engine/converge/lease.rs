//! The lease: one converge of a project at a time, wherever it runs.

use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use tokio::task::JoinHandle;

use crate::engine::operation::Event;
use crate::engine::random_token::random_token;
use crate::engine::{Engine, EngineError};
use crate::plugin::{Lease, unix_time};

/// How long a lease holds that is not renewed.
const TIME: Duration = Duration::from_secs(90);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(30);

/// A lease that this operation has, and renews.
pub(super) struct HeldLease {
    engine: Engine,
    token: String,
    renewing: JoinHandle<()>,
}

impl Engine {
    /// Takes the lease of the project's nodes, or says who has it.
    pub(super) async fn take_lease(&self) -> Result<HeldLease, EngineError> {
        let holder = self.holder.clone();
        let lease = Lease {
            token: random_token(),
            holder: holder.name,
            machine: holder.machine,
            process: std::process::id(),
            until: 0,
        };
        let mut other = self.renew(&lease).await?;
        if let Some(dead) = other.as_ref().filter(|other| is_dead(other, &lease)).cloned() {
            // its process ended without giving it back
            self.ask(move |service| service.release_lease(&dead.token)).await?;
            other = self.renew(&lease).await?;
        }
        if let Some(other) = other {
            let seconds = other.until.saturating_sub(unix_time());
            return Err(EngineError::Leased { holder: other.holder, seconds });
        }
        let (engine, token) = (self.clone(), lease.token.clone());
        let renewing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWED).await;
                match engine.renew(&lease).await {
                    Ok(None) => {}
                    Ok(Some(other)) => {
                        let message = format!(
                            "the lease of this project's nodes was lost to {}; stopping",
                            other.holder
                        );
                        engine.tell(Event::Warning { node: None, message });
                        engine.cancel.cancel();
                        return;
                    }
                    // it may work the next time; if not, the lease ends by itself
                    Err(error) => engine.tell(Event::Warning {
                        node: None,
                        message: format!("cannot renew the lease: {error}"),
                    }),
                }
            }
        });
        Ok(HeldLease { engine: self.clone(), token, renewing })
    }

    async fn renew(&self, lease: &Lease) -> Result<Option<Lease>, EngineError> {
        let wanted = Lease { until: unix_time() + TIME.as_secs(), ..lease.clone() };
        self.ask(move |service| service.take_lease(&wanted)).await
    }
}

impl HeldLease {
    /// Gives it back. Where that fails it ends by itself.
    pub(super) async fn release(self) {
        self.renewing.abort();
        let token = self.token.clone();
        if let Err(error) = self.engine.ask(move |service| service.release_lease(&token)).await {
            let message =
                format!("cannot give the lease back: {error}; it ends in {} s", TIME.as_secs());
            self.engine.tell(Event::Warning { node: None, message });
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Whether the holder was a process of this machine that is no more.
fn is_dead(other: &Lease, ours: &Lease) -> bool {
    let process = i32::try_from(other.process).ok().and_then(Pid::from_raw);
    let gone =
        process.is_some_and(|process| test_kill_process(process) == Err(rustix::io::Errno::SRCH));
    !other.machine.is_empty() && other.machine == ours.machine && gone
}
