//! Waits for a node that reboots.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::session::{Gathered, Session};
use crate::action::Reboot;
use crate::engine::Engine;
use crate::script::quote;
use crate::transport::TransportError;

/// Identifies the current boot of a node.
const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

/// The time between two attempts to reach the node.
const PAUSE: Duration = Duration::from_secs(1);

/// The time limit for one attempt: a node that goes down may never answer.
const ATTEMPT: Duration = Duration::from_secs(15);

/// The maximum size of an answer, in bytes.
const ANSWER: usize = 4096;

impl Session {
    /// The node's boot ID.
    pub(in crate::engine) async fn boot_id(
        &mut self,
        engine: &Engine,
    ) -> Result<String, TransportError> {
        match self.gather(engine, BOOT_ID, ANSWER).await? {
            Gathered::Whole { output, .. } => {
                Ok(String::from_utf8_lossy(&output).trim().to_owned())
            }
            Gathered::TooMuch => Ok(String::new()),
        }
    }

    /// Waits until a node that is rebooting has another boot ID than `before`, and until its
    /// services run. The error says what did not happen in time.
    pub(in crate::engine) async fn wait_for_reboot(
        &mut self,
        engine: &Engine,
        before: &str,
        reboot: &Reboot,
    ) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(reboot.timeout.into());
        let mut last = "it still runs".to_owned();
        loop {
            self.close().await;
            sleep(PAUSE).await;
            if engine.cancel.is_cancelled() {
                return Err("the operation was stopped while it was rebooting".to_owned());
            }
            if Instant::now() > deadline {
                return Err(format!("it did not reboot within {} s: {last}", reboot.timeout));
            }
            match timeout(ATTEMPT, self.boot_id(engine)).await {
                Ok(Ok(id)) if id.is_empty() => last = "it tells no boot ID".to_owned(),
                Ok(Ok(id)) if id != before => break,
                Ok(Ok(_)) => last = "it still runs".to_owned(),
                Ok(Err(TransportError::Cancelled)) => {}
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = "it does not answer".to_owned(),
            }
        }
        for service in &reboot.services {
            self.wait_for_service(engine, service, deadline, reboot.timeout).await?;
        }
        Ok(())
    }

    async fn wait_for_service(
        &mut self,
        engine: &Engine,
        service: &str,
        deadline: Instant,
        limit: u32,
    ) -> Result<(), String> {
        let name = quote(service);
        let script = format!(
            "if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then\n\
             systemctl is-active --quiet {name}\n\
             elif command -v rc-service >/dev/null 2>&1; then\nrc-service {name} status\n\
             elif command -v sv >/dev/null 2>&1 && [ -d /etc/service/{name} ]; then\n\
             sv status {name} | grep -q '^run:'\n\
             else\nservice {name} status\nfi >/dev/null 2>&1\n"
        );
        loop {
            let answer = timeout(ATTEMPT, self.run(engine, &script, false, &mut |_, _| {})).await;
            if matches!(answer, Ok(Ok(0))) {
                return Ok(());
            }
            if !matches!(answer, Ok(Ok(_))) {
                self.close().await;
            }
            if engine.cancel.is_cancelled() || Instant::now() > deadline {
                return Err(format!(
                    "it rebooted, but its service {service} did not run within {limit} s"
                ));
            }
            sleep(PAUSE).await;
        }
    }
}
