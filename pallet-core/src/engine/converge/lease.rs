//! The lease: only one converge of a project runs at a time, on whatever machine.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::engine::operation::Event;
use crate::engine::process::NamedProcess;
use crate::engine::random_token::random_token;
use crate::engine::{Engine, EngineError};
use crate::plugin::{Lease, unix_time};

/// How long a lease lasts if it is not renewed.
const TIME: Duration = Duration::from_secs(90);
/// How often a lease is renewed.
const RENEWED: Duration = Duration::from_secs(30);

/// A lease that this operation holds and renews.
pub(super) struct HeldLease {
    engine: Engine,
    token: String,
    renewing: JoinHandle<()>,
}

impl Engine {
    /// Takes the lease of the project's nodes; an error names its holder if it is taken.
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
            // its process ended without releasing the lease
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
                            "lost the lease of this project's nodes to {}; stopping",
                            other.holder
                        );
                        engine.tell(Event::Warning { node: None, message });
                        engine.cancel.cancel();
                        return;
                    }
                    // the next attempt may succeed; if not, the lease expires
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
    /// Releases the lease. If that fails, the lease expires.
    pub(super) async fn release(self) {
        self.renewing.abort();
        let token = self.token.clone();
        if let Err(error) = self.engine.ask(move |service| service.release_lease(&token)).await {
            let message =
                format!("cannot release the lease: {error}; it expires in {} s", TIME.as_secs());
            self.engine.tell(Event::Warning { node: None, message });
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Whether the holder was a process on this machine that no longer exists.
fn is_dead(other: &Lease, ours: &Lease) -> bool {
    NamedProcess { machine: &other.machine, number: other.process, began: None }
        .is_dead(&ours.machine)
}
