//! Reboots the node if its system asks for it. No-op: it does not ask; `always` always reboots.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_support::require_name;
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{CommandState, NodeState, Observation};
use crate::script::Script;

/// Reboots the node if its system asks for it, and waits until the node is back.
///
/// Debian and Ubuntu ask with the file /run/reboot-required. On systems with rpm,
/// `needs-restarting -r` tells, if it is installed, or a kernel that is newer than the one that
/// runs. On Arch and Alpine, the modules of the kernel that runs are gone after an upgrade.
///
/// The node's other actions go on after the reboot. The action fails if the node is not back in
/// time, or if it did not reboot.
///
/// Example: `reboot(request, always = True, if_flag = "kernel")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reboot {
    /// Reboot even if the system does not ask for it. Combine it with `if_flag` or a condition, or
    /// every run reboots.
    #[serde(default)]
    pub always: bool,
    /// Services that must run again before the phase goes on.
    #[serde(default)]
    pub services: Vec<String>,
    /// Maximum time until the node is back and its services run, in seconds. Default: 600.
    #[serde(default = "ten_minutes")]
    pub timeout: u32,
}

fn ten_minutes() -> u32 {
    600
}

/// Succeeds if the system asks for a reboot. What is not known asks for none: a container has no
/// kernel of its own.
const ASKS: &str = r#"for file in /run/reboot-required /var/run/reboot-required /run/reboot-needed; do
if [ -e "$file" ]; then exit 0; fi
done
running=$(uname -r)
if command -v needs-restarting >/dev/null; then
status=0
needs-restarting -r >/dev/null 2>&1 || status=$?
if [ "$status" = 1 ]; then exit 0; fi
elif command -v rpm >/dev/null; then
for package in kernel-core kernel-default kernel; do
rpm -q "$package-$running" >/dev/null 2>&1 || continue
newest=$(rpm -q --last "$package" | head -n 1)
case $newest in "$package-$running "*) ;; *) exit 0 ;; esac
break
done
fi
if command -v pacman >/dev/null || command -v apk >/dev/null; then
if [ -n "$(ls /lib/modules 2>/dev/null)" ] && [ ! -e "/lib/modules/$running" ]; then exit 0; fi
fi
exit 1"#;

impl Reboot {
    /// Reboot if the system asks for it.
    pub fn if_needed() -> Self {
        Reboot { always: false, services: Vec::new(), timeout: ten_minutes() }
    }

    /// Reboot whenever this is reached.
    pub fn always() -> Self {
        Reboot { always: true, ..Self::if_needed() }
    }

    /// Adds a service that must run again.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.services.push(name.into());
        self
    }

    /// Sets the timeout in seconds.
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = seconds;
        self
    }
}

impl Action for Reboot {
    const NAME: &'static str = "reboot";

    fn subject(&self) -> String {
        if self.always { "always" } else { "if needed" }.to_owned()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.timeout == 0 {
            let message = "a timeout of 0 s leaves no time to boot; give at least 1";
            return Err(ActionError::arguments(Self::NAME, message));
        }
        self.services.iter().try_for_each(|name| require_name(Self::NAME, "service", name))
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.command("reboot");
    }

    fn reboots(&self) -> Option<Reboot> {
        Some(self.clone())
    }

    fn observe(&self, wanted: &mut Observation) {
        if !self.always {
            wanted.command(ASKS);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let asked = match self.always {
            true => Known::Known(true),
            false => match node.command(ASKS) {
                Known::Known(CommandState { exit }) => Known::Known(*exit == 0),
                Known::Unknown => Known::Unknown,
            },
        };
        let change = match asked {
            Known::Known(false) => return Ok(None),
            Known::Known(true) => Change::will("reboot", Script::new().raw("reboot_soon")),
            Known::Unknown => {
                let asks = format!("if (\n{ASKS}\n); then\nreboot_soon\nfi");
                Change::may("reboot", Script::new().raw(&asks))
            }
        };
        node.forget_boot();
        Ok(Some(change))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use crate::script::library_for;
    use crate::script::shells::shells;
    use expect_test::expect;

    #[test]
    fn reboots_where_the_system_asks_for_it() {
        check(
            Reboot::if_needed(),
            node().command(ASKS, 0),
            expect![[r#"
                will reboot
                ---
                reboot_soon
            "#]],
        );
        check(Reboot::if_needed(), node().command(ASKS, 1), expect!["nothing to do"]);
        check(
            Reboot::always(),
            node().command(ASKS, 1),
            expect![[r#"
                will reboot
                ---
                reboot_soon
            "#]],
        );
        let unknown = super::super::check::planned(Reboot::if_needed(), node());
        assert!(unknown.starts_with("may reboot\n---\nif (\nfor file in"), "{unknown}");
        assert!(unknown.ends_with("\n); then\nreboot_soon\nfi\n"), "{unknown}");
    }

    #[test]
    fn what_a_reboot_changes_is_unknown() {
        let mut state = node()
            .command("true", 0)
            .service("nginx", true, true)
            .file("/run/app.pid", "1", 0o644)
            .file("/etc/motd", "1", 0o644)
            .0;
        Reboot::always().plan(&mut state).unwrap();
        assert_eq!(state.command("true"), Known::Unknown);
        assert_eq!(state.service("nginx"), Known::Unknown);
        assert_eq!(state.file("/run/app.pid"), Known::Unknown);
        assert_ne!(state.file("/etc/motd"), Known::Unknown);
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Reboot::always().timeout(0),
            node(),
            expect!["error: reboot: a timeout of 0 s leaves no time to boot; give at least 1"],
        );
        check(
            Reboot::always().service("a/b"),
            node(),
            expect![[
                r#"error: reboot: the service "a/b" is not a name; write the name, not a number"#
            ]],
        );
    }

    /// Runs a script with these programs first in `PATH`.
    fn run(programs: &[(&str, &str)], script: impl Fn(&str) -> String) -> Vec<(String, i32)> {
        use std::os::unix::fs::PermissionsExt;
        let run = |here: &crate::script::shells::Shell| {
            let directory = tempfile::tempdir().unwrap();
            for (name, text) in programs {
                let path = directory.path().join(name);
                std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(&path, mode).unwrap();
            }
            let place = directory.path().display().to_string();
            let script = script(&place);
            let output = here.run(&format!("PATH={place}:$PATH\n{{\n{script}\n}} </dev/null\n"));
            let said = format!(
                "{here}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            (said, output.status.code().unwrap_or(-1))
        };
        shells().iter().map(run).collect()
    }

    #[test]
    fn systems_ask_in_several_ways() {
        let asks = |programs: &[(&str, &str)]| run(programs, |_| format!("({ASKS})"));
        let kernel = "case $1$2 in -qkernel-core-5.2) ;; -q--last) echo NEWEST ;; *) exit 1; esac";
        let newest = |version: &str| {
            kernel.replace("NEWEST", &format!("'kernel-core-{version}   Mon Jan  1'; echo 'x y'"))
        };
        let none = ("needs-restarting", "exit 0");
        for (programs, exit) in [
            (vec![none], 1),
            (vec![("needs-restarting", "exit 1")], 0),
            (vec![("uname", "echo 5.2"), ("rpm", &newest("5.2"))], 1),
            (vec![("uname", "echo 5.2"), ("rpm", &newest("5.3"))], 0),
            // the kernel of a container is not its own
            (vec![("uname", "echo 6.1"), ("rpm", &newest("5.3"))], 1),
        ] {
            for (said, code) in asks(&programs) {
                assert_eq!(code, exit, "{programs:?}: {said}");
            }
        }
    }

    #[test]
    fn the_script_ends_before_the_node_does() {
        let programs = [
            ("systemctl", "echo \"$@\" >>\"${0%/*}/called\"; exit 1"),
            ("reboot", "echo reboot >>\"${0%/*}/called\""),
        ];
        let script = |place: &str| {
            let script = "uid=0\nchange=\nreboot_soon\necho \"change $change\"";
            let script = format!("{}\n{script}", library_for(script));
            // the part of the library sets its own PATH behind this
            format!("{script}\n[ -e {place}/called ] && echo early\nsleep 3\ncat {place}/called")
        };
        for (said, code) in run(&programs, script) {
            assert!(said.ends_with("change 1\nreboot\nreboot\n"), "{said}");
            assert_eq!(code, 0, "{said}");
        }
    }
}
