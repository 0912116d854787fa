//! Services, as reported by the node's service manager, and plain processes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::Answer;
use super::super::kind::{Kind, KindDescription, call_with_names, contradictions, keep_same};
use crate::model::Os;
use crate::script::services::unit;
use crate::script::{INIT, PROCESS, RUNIT, Script, UNIT};

/// Whether a service runs, and whether it starts with the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceState {
    /// The node knows the service: as a unit, an init script or a process.
    pub exists: bool,
    /// It runs.
    pub running: bool,
    /// It starts at boot; `None` if no service manager can tell.
    pub enabled: Option<bool>,
    /// It is masked: nothing can start it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

impl ServiceState {
    /// Whether `seen` matches this state; unknown parts of this state match anything.
    pub fn allows(&self, seen: &ServiceState) -> bool {
        // a plain process that was stopped leaves no trace
        let exists = self.exists == seen.exists || !self.running;
        let enabled =
            self.enabled.is_none() || seen.enabled.is_none() || self.enabled == seen.enabled;
        exists && self.running == seen.running && enabled
    }
}

/// The known services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Services(pub(crate) BTreeMap<String, ServiceState>);

/// Names of services, each with the command line of its plain process; empty: none.
type Questions = BTreeMap<String, String>;

impl Kind for Services {
    type Questions = Questions;

    fn ask(questions: &mut Questions, other: Questions) {
        questions.extend(other);
    }

    fn functions(questions: &Questions) -> Vec<&'static str> {
        match questions.is_empty() {
            true => Vec::new(),
            false => vec![INIT, RUNIT, PROCESS, UNIT, include_str!("service.sh")],
        }
    }

    fn script(questions: &Questions, script: Script) -> Script {
        call_with_names(script, "services", questions.keys())
    }

    fn read(
        &mut self,
        questions: &Questions,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        let mut units = BTreeMap::new();
        let mut links = BTreeMap::new();
        for answer in answers {
            match answer.as_slice() {
                ["units", text, uptime] => units = systemd(text, uptime.parse().ok()),
                ["links", name, enabled] => {
                    links.insert(*name, *enabled);
                }
                _ => {}
            }
        }
        // a service without any answer does not exist on the node
        for name in questions.keys() {
            let mut found =
                ServiceState { exists: false, running: false, enabled: None, masked: false };
            if let Some(unit) = units.get(unit(name).as_str()) {
                if unit.flaps {
                    continue;
                }
                found = unit.state.clone();
                if unit.generated {
                    found.enabled = links.get(name.as_str()).and_then(|enabled| yes_or_no(enabled));
                }
            }
            self.0.insert(name.to_string(), found);
        }
        for answer in answers {
            let (name, found) = match answer.as_slice() {
                ["service", name, running, enabled] => (
                    name,
                    ServiceState {
                        exists: true,
                        running: *running == "yes",
                        enabled: yes_or_no(enabled),
                        masked: false,
                    },
                ),
                ["process", name, _pid] if !self.0.get(*name).is_some_and(|known| known.exists) => {
                    (
                        name,
                        ServiceState { exists: true, running: true, enabled: None, masked: false },
                    )
                }
                _ => continue,
            };
            if questions.contains_key(*name) {
                self.0.insert(name.to_string(), found);
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        keep_same(&mut self.0, &other.0);
    }

    fn learn(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }

    fn contradictions(&self, observed: &Self) -> Vec<String> {
        contradictions("service", &self.0, &observed.0, ServiceState::allows)
    }

    fn describe(&self, questions: &Questions, _outputs: bool) -> Vec<KindDescription> {
        let describe = |(name, command): (&String, &String)| {
            let process = match command.is_empty() {
                true => String::new(),
                false => format!(" (the process of `{command}`)"),
            };
            let found = self.0.get(name).map(service);
            KindDescription::new(format!("service {name}{process}"), found)
        };
        questions.iter().map(describe).collect()
    }
}

/// The state of a systemd unit.
struct Unit {
    state: ServiceState,
    /// It was generated from an init script.
    generated: bool,
    /// systemd restarted it a moment ago, so it takes a wait to see whether it keeps running.
    flaps: bool,
}

/// How long a unit must run after an automatic restart to count as running, in seconds.
const STEADY: u64 = 10;

/// Parses the blocks of `systemctl show`. Each lists its unit with all aliases, even if the unit
/// does not exist.
fn systemd(text: &str, uptime: Option<u64>) -> BTreeMap<String, Unit> {
    let mut units = BTreeMap::new();
    for block in text.split("\n\n") {
        let properties: BTreeMap<&str, &str> =
            block.lines().filter_map(|line| line.split_once('=')).collect();
        let property = |name: &str| properties.get(name).copied().unwrap_or_default();
        for name in property("Names").split(' ').filter(|name| !name.is_empty()).map(unquoted) {
            let state = ServiceState {
                exists: !matches!(property("LoadState"), "not-found" | ""),
                // not `activating`: that includes units that wait for a restart
                running: matches!(property("ActiveState"), "active" | "reloading" | "refreshing"),
                enabled: match property("UnitFileState") {
                    "enabled" | "enabled-runtime" | "alias" => Some(true),
                    // these are started by other units, and can be neither enabled nor disabled
                    "static" | "indirect" | "generated" | "transient" | "" => None,
                    _ => Some(false),
                },
                masked: property("LoadState") == "masked",
            };
            let restarted = !matches!(property("NRestarts"), "" | "0");
            let since = property("ActiveEnterTimestampMonotonic")
                .parse::<u64>()
                .ok()
                .map(|micros| micros / 1_000_000);
            let young = since.zip(uptime).is_none_or(|(since, now)| now < since + STEADY);
            let flaps = restarted && state.running && young;
            units.insert(
                name,
                Unit { state, generated: property("UnitFileState") == "generated", flaps },
            );
        }
    }
    units
}

/// Removes the quotes that systemctl puts around names with a backslash.
fn unquoted(name: &str) -> String {
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    inner.map_or_else(|| name.to_owned(), |inner| inner.replace("\\\\", "\\"))
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn service(state: &ServiceState) -> String {
    if !state.exists {
        return "there is none".to_owned();
    }
    let running = if state.running { "running" } else { "stopped" };
    match state.enabled {
        Some(true) => format!("{running}, starts with the node"),
        Some(false) => format!("{running}, does not start with the node"),
        None => running.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::observe::Observation;
    use expect_test::{Expect, expect};

    fn check(names: &[&str], answers: &[&[&str]], expected: Expect) {
        let mut state = node().0;
        let mut wanted = Observation::default();
        names.iter().for_each(|name| wanted.service(name));
        let answers: Vec<Answer<'_>> = answers.iter().map(|answer| answer.to_vec()).collect();
        state.read(&wanted, &answers).expect("it is understood");
        let line = |name: &String| match state.service(name).known() {
            Some(ServiceState { exists, running, enabled, .. }) => {
                format!("{name}: exists {exists}, running {running}, enabled {enabled:?}\n")
            }
            None => format!("{name}: unknown\n"),
        };
        expected.assert_eq(&wanted.services.keys().map(line).collect::<String>());
    }

    #[test]
    fn systemd_units_answer_for_their_aliases() {
        let units = "Names=mysql.service mariadb.service\nLoadState=loaded\nActiveState=active\n\
            UnitFileState=enabled\n\n\
            Names=nginx.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n\
            Names=apt-daily.timer\nLoadState=loaded\nActiveState=inactive\n\
            UnitFileState=disabled\n\n\
            Names=old.service\nLoadState=loaded\nActiveState=failed\nUnitFileState=generated\n\n\
            Names=dbus.service\nLoadState=loaded\nActiveState=active\nUnitFileState=static\n\n\
            Names=flapping.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\
            NRestarts=7\nActiveEnterTimestampMonotonic=999000000\n\n\
            Names=again.service\nLoadState=loaded\nActiveState=activating\nUnitFileState=enabled\n\
            NRestarts=7\n\n\
            Names=\"mnt-my\\\\x2ddata.mount\"\nLoadState=loaded\nActiveState=active\n\
            UnitFileState=static\n\n\
            Names=steady.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\
            NRestarts=1\nActiveEnterTimestampMonotonic=900000000";
        check(
            &[
                "mysql",
                "nginx",
                "apt-daily.timer",
                "old",
                "dbus",
                "flapping",
                "again",
                "steady",
                "mnt-my\\x2ddata.mount",
            ],
            &[&["units", units, "1000"], &["links", "old", "yes"]],
            expect![[r#"
                again: exists true, running false, enabled Some(true)
                apt-daily.timer: exists true, running false, enabled Some(false)
                dbus: exists true, running true, enabled None
                flapping: unknown
                mnt-my\x2ddata.mount: exists true, running true, enabled None
                mysql: exists true, running true, enabled Some(true)
                nginx: exists false, running false, enabled None
                old: exists true, running false, enabled Some(true)
                steady: exists true, running true, enabled Some(true)
            "#]],
        );
    }

    #[test]
    fn init_scripts_and_processes() {
        check(
            &["cron", "demo", "gone"],
            &[
                &["service", "cron", "no", "yes"],
                &["process", "demo", "77"],
                &["process", "cron", "78"],
            ],
            expect![[r#"
                cron: exists true, running false, enabled Some(true)
                demo: exists true, running true, enabled None
                gone: exists false, running false, enabled None
            "#]],
        );
    }
}
