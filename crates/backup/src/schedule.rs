//! What is backed up, and when.

use std::fmt::Write;

use pallet_core::prelude::*;

use super::check::{check_line, check_path, check_tag};
use super::job::{self, Times};
use super::program::command;

parameters! {
    /// Backs up paths of this node at certain times: the timer `backup-NAME.timer`. To back up at
    /// once, start `backup-NAME.service`.
    ///
    /// Example: `backup.schedule(request, "database", "offsite", paths = ["/var/backups/db.sql"], before = "pg_dumpall -U postgres >/var/backups/db.sql", calendar = "*-*-* 02:30")`
    pub(crate) struct Schedule {
        /// Names the backup, its timer and the tag of its snapshots.
        name: String,
        /// The repository, as `backup.repository` names it.
        repository: String,
        /// Absolute paths of files and directories.
        #[serde(default)]
        paths: Vec<String>,
        /// Patterns of what is left out: `*.tmp`, `/srv/data/cache`.
        #[serde(default)]
        exclude: Vec<String>,
        /// Leave out directories that contain a file of this name: `.nobackup`.
        #[serde(default)]
        exclude_if_present: Vec<String>,
        /// Leave out directories that are marked as caches (CACHEDIR.TAG).
        #[serde(default = "yes")]
        exclude_caches: bool,
        /// Stay on the file systems of the paths.
        #[serde(default)]
        one_file_system: bool,
        /// More tags of the snapshots.
        #[serde(default)]
        tags: Vec<String>,
        /// Shell commands before it, such as a dump. If one fails, nothing is backed up.
        #[serde(default)]
        before: String,
        /// Shell commands after it, in any case.
        #[serde(default)]
        after: String,
        /// When, as `OnCalendar=` of systemd.
        #[serde(default = "daily")]
        calendar: String,
        /// Begin up to this much later, so that nodes differ.
        #[serde(default = "delay")]
        randomized_delay: String,
        /// `create`, or `delete` the schedule. Its snapshots stay.
        #[serde(default)]
        action: Existence,
    }
}

fn yes() -> bool {
    true
}

fn daily() -> String {
    "*-*-* 02:00".to_owned()
}

pub(crate) fn delay() -> String {
    "30min".to_owned()
}

pub(crate) fn schedule(request: &mut Request, schedule: Schedule) -> Result<()> {
    check_file_name("a backup", &schedule.name)?;
    if schedule.action == Existence::Delete {
        return job::remove(request, &schedule.name);
    }
    let script = script(&schedule)?;
    let times =
        Times { calendar: &schedule.calendar, randomized_delay: &schedule.randomized_delay };
    let description = format!("backup {}", schedule.name);
    job::put(request, (&schedule.name, description), script, &times)
}

fn script(schedule: &Schedule) -> Result<String> {
    let Schedule { name, repository, paths, before, after, .. } = schedule;
    check_file_name("a repository", repository)?;
    ensure!(!paths.is_empty(), "backup {name}: give at least one path");
    paths.iter().try_for_each(|path| check_path(path))?;
    let mut words = vec!["backup".to_owned()];
    for tag in [name].into_iter().chain(&schedule.tags) {
        check_tag(tag)?;
        words.push(format!("--tag={tag}"));
    }
    for (option, values) in
        [("exclude", &schedule.exclude), ("exclude-if-present", &schedule.exclude_if_present)]
    {
        for value in values {
            check_line(option, value)?;
            words.push(format!("--{option}={value}"));
        }
    }
    if schedule.exclude_caches {
        words.push("--exclude-caches".to_owned());
    }
    if schedule.one_file_system {
        words.push("--one-file-system".to_owned());
    }
    words.push("--".to_owned());
    words.extend(paths.iter().cloned());
    let mut out = "# written by pallet\nset -eu\n".to_owned();
    if !after.is_empty() {
        writeln!(out, "after() {{\n:\n{}\n}}\ntrap after EXIT", after.trim_end())?;
    }
    if !before.is_empty() {
        writeln!(out, "{}", before.trim_end())?;
    }
    writeln!(out, "{}", command(repository, &words))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Backup;
    use super::*;

    #[test]
    fn a_backup_is_a_script_and_a_timer() {
        let mut recorder = Recorder::<Backup>::on("debian 12");
        let arguments = json!({"name": "data", "repository": "offsite", "paths": ["/srv/a b"],
            "exclude": ["*.tmp"], "before": "dump", "after": "clean"});
        recorder.call("schedule", arguments).unwrap();
        assert_eq!(
            recorder.actions()[1].arguments["content"],
            "# written by pallet\nset -eu\nafter() {\n:\nclean\n}\ntrap after EXIT\ndump\n\
             sh /usr/local/lib/pallet/restic-repository offsite backup --tag=data \
             '--exclude=*.tmp' --exclude-caches -- '/srv/a b'\n"
        );
        let call = recorder.calls().remove(0);
        assert_eq!((call.config_crate.as_str(), call.function.as_str()), ("systemd", "timer"));
        assert_eq!(call.arguments["name"], "backup-data");
        assert_eq!(call.arguments["command"], "/bin/sh /etc/restic/jobs/data");
    }

    #[test]
    fn what_makes_no_backup_is_refused() {
        for (arguments, said) in [
            (json!({"name": "a b", "repository": "r"}), "cannot name a backup"),
            (json!({"name": "a", "repository": ""}), "cannot name a repository"),
            (json!({"name": "a", "repository": "r"}), "at least one path"),
            (json!({"name": "a", "repository": "r", "paths": ["srv"]}), "no absolute path"),
            (json!({"name": "a", "repository": "r", "paths": ["/"], "tags": ["a,b"]}), "a tag"),
            (json!({"name": "a", "repository": "r", "paths": ["/"], "calendar": ""}), "one line"),
        ] {
            let error =
                Recorder::<Backup>::on("debian 12").call("schedule", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
