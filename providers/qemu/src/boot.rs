//! Waits until a started node accepts logins.

use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::accel::{self, Mode};
use crate::machine::{NotStarted, has_sshd};
use crate::process;
use crate::run::{Begun, Run};
use crate::store::{self, Record};

/// How often to check whether a machine answers, and how often to tell the user that it does not.
const POLL: Duration = Duration::from_millis(500);
const TELL: Duration = Duration::from_secs(15);

impl Run<'_> {
    /// Waits until the node accepts logins.
    pub(super) fn finish(&self, begun: Begun) -> Result<Record> {
        let Begun { mut record, mode, new } = begun;
        let waited = mode.map_or(Ok(()), |mode| {
            self.wait(&record, mode, new)?;
            let _lock = store::lock(&self.qemu.store)?;
            record.answered = true;
            self.qemu.store.save(&record)
        });
        match waited {
            Ok(()) => Ok(record),
            Err(error) => {
                if new {
                    let _lock = store::lock(&self.qemu.store);
                    store::remove(&self.qemu.store.directory(&record.name))?;
                }
                Err(error)
            }
        }
    }

    fn wait(&self, record: &Record, mut mode: Mode, new: bool) -> Result<()> {
        let directory = self.qemu.store.directory(&record.name);
        let machine = self.qemu.machine(&directory);
        let port = record.ports.get(&22).copied().unwrap_or_default();
        let timeout = Duration::from_secs(self.qemu.options.timeout);
        let mut start = Instant::now();
        let (mut said, mut heard, mut told) = (0, start, start);
        let mut fell_back = false;
        loop {
            self.not_cancelled(&record.name)?;
            // checks first that it runs: its port may belong to another program
            let runs = process::of(&directory).is_some();
            if runs && has_sshd(port) {
                if fell_back {
                    accel::remember_failure(&self.qemu.store.data);
                }
                return Ok(());
            }
            let now = machine.said();
            if now != said {
                (said, heard) = (now, Instant::now());
            }
            if mode == Mode::TryKvm && accel::has_failed(runs, said > 0, heard.elapsed()) {
                self.say(
                    &record.name,
                    "is started again in emulation, which is slow: under KVM it \
                    gave no sign of life",
                );
                process::end(&directory)?;
                if new {
                    self.make_disk(&machine, &self.source()?)?;
                }
                match machine.start(record, false) {
                    Ok(()) => {}
                    Err(NotStarted::PortTaken) => {
                        bail!(PluginError::transient(
                            "its port was taken while it was started again"
                        ))
                    }
                    Err(NotStarted::Failed(error)) => return Err(error.into()),
                }
                (mode, fell_back, start, said, heard) =
                    (Mode::Tcg, true, Instant::now(), 0, Instant::now());
                continue;
            }
            let last = || {
                machine.last_words().map_or_else(
                    || "it said nothing".to_owned(),
                    |line| format!("its last output is: {line}"),
                )
            };
            ensure!(
                runs,
                PluginError::failed(format!("{} ended while it booted; {}", record.name, last()))
            );
            if start.elapsed() > timeout {
                let message = format!(
                    "{}: sshd does not answer after {} s; {}",
                    record.name,
                    timeout.as_secs(),
                    last()
                );
                let error = PluginError::failed(message);
                bail!(error.with_help(
                    "the image needs cloud-init and sshd; option `timeout` lets it take longer"
                ));
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                let how = if mode == Mode::Tcg { " in emulation" } else { "" };
                self.say(&record.name, &format!("boots{how} ({} s)", start.elapsed().as_secs()));
            }
            std::thread::sleep(POLL);
        }
    }
}
