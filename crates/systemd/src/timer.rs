//! A timer: a command that systemd runs at certain times, as a timer and the service that it
//! starts.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::manager::{require, unit_name};
use super::text::{self, Settings, Texts, plain, quote_argument, quote_variable};
use super::unit::{Presence, UnitFile, place, remove, run, yes};

parameters! {
    /// Runs a command at certain times: the service `NAME.service`, and `NAME.timer`, which starts
    /// it.
    ///
    /// Both files are checked by systemd before they take their place. The timer runs and starts
    /// with the node. A run that is not over yet is not started again. Its output is in the
    /// journal: `journalctl -u NAME`.
    ///
    /// Example: `systemd.timer(request, "backup", command = "/usr/local/bin/backup --all", calendar = "*-*-* 02:30", randomized_delay = "30min", user = "backup")`
    pub(crate) struct Timer {
        /// Name, without a kind.
        name: String,
        /// Command, as one line of `ExecStart`: systemd splits it into words, and replaces
        /// variables and specifiers such as `%n`. It begins with an absolute path.
        #[serde(default)]
        command: Option<String>,
        /// Shell commands instead of `command`. The first one that fails ends them.
        #[serde(default)]
        script: Option<String>,
        /// When to run it, as `OnCalendar`, or a list of such times: `daily`, `Mon..Fri 08:00`.
        #[serde(default)]
        calendar: Texts,
        /// Run it this long after the node was booted: `15min`.
        #[serde(default)]
        on_boot: Option<String>,
        /// Run it this long after it was started last, and after the timer was started: `1h`.
        #[serde(default)]
        every: Option<String>,
        /// Delay each run by a random time up to this, so that not all nodes run at once: `30min`.
        #[serde(default)]
        randomized_delay: Option<String>,
        /// How exact the times are. Default: systemd's, 1 minute.
        #[serde(default)]
        accuracy: Option<String>,
        /// Make up for a run of `calendar` that was missed while the node was off.
        #[serde(default = "yes")]
        persistent: bool,
        /// User that runs it. Default: root.
        #[serde(default)]
        user: Option<String>,
        /// Group that it runs with. Default: the user's.
        #[serde(default)]
        group: Option<String>,
        /// Working directory.
        #[serde(default)]
        working_directory: Option<String>,
        /// Environment variables. Everybody on the node can read them.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// Files with environment variables, such as secrets.
        #[serde(default)]
        environment_files: Vec<String>,
        /// End it if it runs longer than this: `2h`. Default: it may run for ever.
        #[serde(default)]
        timeout: Option<String>,
        /// Units to start if it fails.
        #[serde(default)]
        on_failure: Texts,
        /// Description. Default: the name.
        #[serde(default)]
        description: Option<String>,
        /// More settings of the section `Service`: `{"Nice": 10}`.
        #[serde(default)]
        #[schemars(with = "Option<Settings>")]
        service: Option<Value>,
        /// Let systemd check the files before they take their place.
        #[serde(default = "yes")]
        verify: bool,
        /// `present`, or `absent`: timer and service are stopped and deleted.
        #[serde(default)]
        action: Presence,
    }
}

pub(crate) fn timer(request: &mut Request, timer: Timer) -> Result<()> {
    require(request)?;
    let name = timer.name.as_str();
    let (service_unit, timer_unit) =
        (unit_name(&format!("{name}.service"))?, unit_name(&format!("{name}.timer"))?);
    ensure!(
        !name.contains('@') && ![".service", ".timer"].iter().any(|kind| name.ends_with(kind)),
        "{name:?} cannot name a timer: give the name without @ and without .timer"
    );
    if timer.action == Presence::Absent {
        remove(request, &timer_unit)?;
        return remove(request, &service_unit);
    }
    let mut files = Vec::new();
    for (unit, sections) in
        [(&service_unit, service_sections(&timer)?), (&timer_unit, timer_sections(&timer)?)]
    {
        files.push(UnitFile {
            unit,
            text: text::of(unit, None, Some(&sections))?,
            verify: timer.verify,
            flag: format!("systemd {unit}"),
            overwrite_changes: false,
        });
    }
    place(request, &files)?;
    run(request, &timer_unit, Some(true), Some(true), Some(&format!("systemd {timer_unit}")))
}

fn service_sections(timer: &Timer) -> Result<Value> {
    let name = &timer.name;
    let command = match (&timer.command, &timer.script) {
        (Some(command), None) => command.clone(),
        (None, Some(script)) => format!("/bin/sh -ec {}", quote_argument(script.trim_end())),
        _ => bail!("give either command or script of the timer {name}"),
    };
    ensure!(!command.trim().is_empty(), "the command of the timer {name} is empty");
    let mut unit = json!({"Description": timer.description.as_ref().unwrap_or(name)});
    if !timer.on_failure.list().is_empty() {
        unit["OnFailure"] = json!(timer.on_failure.list());
    }
    let mut service = json!({"Type": "oneshot", "ExecStart": command});
    for (key, value) in [
        ("User", &timer.user),
        ("Group", &timer.group),
        ("WorkingDirectory", &timer.working_directory),
        ("TimeoutStartSec", &timer.timeout),
    ] {
        if let Some(value) = value {
            service[key] = json!(value);
        }
    }
    let environment = timer.environment.iter().map(|(name, value)| quote_variable(name, value));
    let environment = environment.collect::<Result<Vec<_>>>()?;
    for (key, values) in
        [("Environment", &environment), ("EnvironmentFile", &timer.environment_files)]
    {
        if !values.is_empty() {
            service[key] = json!(values);
        }
    }
    if let Some(more) = &timer.service {
        let more = more.as_object().context("service must be a dict")?;
        for (key, value) in more {
            let before = &service[key];
            ensure!(before.is_null(), "{key} of the timer {name} is set twice; omit it in service");
            service[key] = value.clone();
        }
    }
    Ok(json!({"Unit": unit, "Service": service}))
}

fn timer_sections(timer: &Timer) -> Result<Value> {
    let name = &timer.name;
    let calendar = timer.calendar.list();
    ensure!(
        !calendar.is_empty() || timer.on_boot.is_some() || timer.every.is_some(),
        "the timer {name} never runs; give calendar, on_boot or every"
    );
    let mut section = json!({});
    if !calendar.is_empty() {
        section["OnCalendar"] = json!(calendar);
        section["Persistent"] = json!(timer.persistent);
    }
    for (key, value) in [
        ("OnBootSec", &timer.on_boot),
        ("OnActiveSec", &timer.every),
        ("OnUnitActiveSec", &timer.every),
        ("RandomizedDelaySec", &timer.randomized_delay),
        ("AccuracySec", &timer.accuracy),
    ] {
        if let Some(value) = value {
            // empty values would take back the ones before
            ensure!(!value.trim().is_empty(), "{key} of the timer {name} is empty");
            section[key] = json!(plain(key, value)?);
        }
    }
    let description = timer.description.as_ref().unwrap_or(name);
    Ok(json!({
        "Unit": {"Description": description},
        "Timer": section,
        "Install": {"WantedBy": "timers.target"},
    }))
}

#[cfg(test)]
mod tests {
    use super::super::Systemd;
    use super::*;

    fn texts(arguments: Value) -> Vec<String> {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        recorder.call("timer", arguments).unwrap();
        let scripts = recorder.actions().into_iter().filter(|one| one.name == "service_script");
        scripts.map(|one| one.arguments["content"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_timer_is_two_units() {
        let texts = texts(json!({
            "name": "backup", "command": "/usr/bin/backup --all", "calendar": ["02:30", "14:30"],
            "randomized_delay": "30min", "user": "backup", "environment": {"A": "b c"},
            "service": {"Nice": 10},
        }));
        assert_eq!(
            texts,
            [
                "# written by pallet\n[Unit]\nDescription=backup\n\n[Service]\nType=oneshot\n\
                 ExecStart=/usr/bin/backup --all\nUser=backup\nEnvironment=\"A=b c\"\nNice=10\n",
                "# written by pallet\n[Unit]\nDescription=backup\n\n[Timer]\nOnCalendar=02:30\n\
                 OnCalendar=14:30\nPersistent=yes\nRandomizedDelaySec=30min\n\n\
                 [Install]\nWantedBy=timers.target\n"
            ]
        );
    }

    #[test]
    fn a_script_is_for_the_shell_alone() {
        let texts = texts(json!({"name": "a", "script": "date +%F\necho $HOME\n", "every": "1h"}));
        assert!(
            texts[0].contains("ExecStart=/bin/sh -ec \"date +%%F\\necho $$HOME\"\n"),
            "{}",
            texts[0]
        );
        assert!(texts[1].contains("OnActiveSec=1h\nOnUnitActiveSec=1h\n"), "{}", texts[1]);
    }

    #[test]
    fn only_the_timer_is_started() {
        let mut recorder = Recorder::<Systemd>::on("debian 12");
        let arguments = json!({"name": "a", "command": "/bin/true", "calendar": "daily"});
        recorder.call("timer", arguments).unwrap();
        let services: Vec<_> = recorder.declared();
        assert_eq!(services.iter().filter(|one| *one == "service a.timer").count(), 2);
        assert!(!services.contains(&"service a.service".to_owned()));
    }

    #[test]
    fn what_makes_no_timer_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a", "calendar": "daily"}), "either command or script"),
            (json!({"name": "a", "command": "/bin/true"}), "never runs"),
            (json!({"name": "a.timer", "command": "/bin/true", "every": "1h"}), "without .timer"),
            (json!({"name": "a", "command": "/bin/a\nUser=b", "every": "1h"}), "one line"),
            (json!({"name": "a", "command": "/bin/a", "every": ""}), "is empty"),
            (
                json!({"name": "a", "command": "/bin/a", "every": "1h", "user": "b",
                    "service": {"User": "c"}}),
                "set twice",
            ),
        ] {
            let error = Recorder::<Systemd>::on("debian 12").call("timer", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
