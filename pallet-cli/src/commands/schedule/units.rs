//! The units of systemd that look for drift.

use std::fmt::Write;

/// What the units do, and when.
#[derive(Debug)]
pub(super) struct Units<'a> {
    pub(super) project: &'a str,
    /// The project's directory.
    pub(super) directory: &'a str,
    /// The program and its arguments.
    pub(super) command: &'a [String],
    /// Variables that the program needs.
    pub(super) variables: &'a [(String, String)],
    /// The user of a unit of the system.
    pub(super) user: Option<&'a str>,
    pub(super) when: &'a When,
    /// Whether it configures the nodes.
    pub(super) apply: bool,
    /// The unit to start if there is drift or the check fails.
    pub(super) on_failure: Option<&'a str>,
}

/// When the check runs.
#[derive(Debug)]
pub(super) enum When {
    /// The time between two checks, in seconds.
    Every(u64),
    /// A calendar expression of systemd.
    Calendar(String),
}

/// The comment that says which project a unit is for.
const PROJECT: &str = "# Project: ";

impl Units<'_> {
    /// The unit that runs the check.
    pub(super) fn service(&self) -> String {
        let mut text = self.beginning(if self.apply { "Lift" } else { "Drift check" });
        if self.user.is_some() {
            text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
        }
        if let Some(unit) = self.on_failure {
            let _ = writeln!(text, "OnFailure={unit}");
        }
        text.push_str("\n[Service]\nType=oneshot\n");
        if let Some(user) = self.user {
            let _ = writeln!(text, "User={user}");
        }
        for (name, value) in self.variables {
            let _ = writeln!(text, "Environment={}", quoted(&format!("{name}={value}"), false));
        }
        let words: Vec<_> = self.command.iter().map(|word| quoted(word, true)).collect();
        let _ = writeln!(text, "ExecStart={}", words.join(" "));
        text
    }

    /// The unit that starts it.
    pub(super) fn timer(&self) -> String {
        let what = if self.apply { "Regular lift" } else { "Regular drift check" };
        let mut text = self.beginning(what);
        text.push_str("\n[Timer]\n");
        match self.when {
            When::Every(seconds) => {
                let _ = write!(text, "OnActiveSec=2min\nOnUnitActiveSec={seconds}s\n");
            }
            When::Calendar(when) => {
                let _ = write!(text, "OnCalendar={when}\nPersistent=true\n");
            }
        }
        text.push_str("\n[Install]\nWantedBy=timers.target\n");
        text
    }

    fn beginning(&self, what: &str) -> String {
        format!(
            "# Written by `pallet-cli schedule install`, which overwrites it when run again.\n\
             {PROJECT}{}\n[Unit]\nDescription={what} of the Pallet project {}\n",
            self.directory,
            self.project.replace('%', "%%")
        )
    }
}

/// The name of a project's units without its ending.
pub(super) fn name(project: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let project: String = project.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    format!("pallet-drift-{project}")
}

/// The directory of the project that a unit is for.
pub(super) fn directory_of(unit: &str) -> Option<&str> {
    unit.lines().find_map(|line| line.strip_prefix(PROJECT))
}

/// A word as systemd reads it. In commands, `$` begins a variable.
fn quoted(word: &str, command: bool) -> String {
    let mut out = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '%' => out.push_str("%%"),
            '$' if command => out.push_str("$$"),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_they_were() {
        assert_eq!(quoted("/srv/my shop", true), "\"/srv/my shop\"");
        assert_eq!(quoted("100% $HOME \"a\\b\"", true), "\"100%% $$HOME \\\"a\\\\b\\\"\"");
        assert_eq!(quoted("A=$B", false), "\"A=$B\"");
        assert_eq!(name("my shop/%2"), "pallet-drift-my-shop--2");
    }

    #[test]
    fn a_unit_knows_its_project() {
        let units = Units {
            project: "shop",
            directory: "/srv/my shop",
            command: &["/usr/bin/pallet-cli".to_owned()],
            variables: &[],
            user: None,
            when: &When::Every(60),
            apply: false,
            on_failure: Some("mail@%n.service"),
        };
        assert_eq!(directory_of(&units.service()), Some("/srv/my shop"));
        assert_eq!(directory_of(&units.timer()), Some("/srv/my shop"));
        assert!(units.service().contains("\nOnFailure=mail@%n.service\n"));
        assert!(units.timer().contains("\nOnUnitActiveSec=60s\n"));
    }
}
