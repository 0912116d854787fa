//! Backups by a timer.

use pallet_core::action::service_script::ServiceImpl;
use pallet_core::prelude::*;

use super::cluster::{Cluster, USER};
use super::sql::check_name;

parameters! {
    /// Makes backups at set times, and keeps the newest ones. A timer of systemd runs them.
    ///
    /// Each backup is a directory that is named by its time. It is complete, or it does not exist.
    ///
    /// Example: `postgresql.backup(request, "nightly", schedule = "02:30", keep = 14)`
    pub(crate) struct Backup {
        /// The name of the job.
        name: String,
        /// What a backup is.
        #[serde(default)]
        kind: Kind,
        /// Databases to dump. Default: all.
        #[serde(default)]
        databases: Vec<String>,
        /// When, as systemd writes it: `daily`, `hourly`, `02:30`, `Sun 03:00`.
        #[serde(default = "default_schedule")]
        schedule: String,
        /// The number of backups to keep.
        #[serde(default = "default_keep")]
        keep: u32,
        /// The directory of the backups, below `/var/backups`, `/srv` or `/mnt`. Default:
        /// `/var/backups/postgresql/CLUSTER/NAME`.
        #[serde(default)]
        directory: Option<String>,
        /// The cluster. Default: `main`.
        #[serde(default)]
        instance: Option<String>,
    }
}

/// What a backup is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Kind {
    /// A dump of each database by `pg_dump`, for `pg_restore`, and roles in `globals.sql`.
    #[default]
    Dump,
    /// A copy of the whole cluster by `pg_basebackup`, as compressed tar files.
    Base,
}

fn default_schedule() -> String {
    "daily".to_owned()
}

fn default_keep() -> u32 {
    7
}

pub(crate) fn backup(request: &mut Request, backup: Backup) -> Result<()> {
    let Backup { name, kind, databases, schedule, keep, directory, instance } = backup;
    check_file_name("a backup", &name)?;
    databases.iter().try_for_each(|database| check_name("a database", database))?;
    ensure!(
        kind == Kind::Dump || databases.is_empty(),
        "a backup of the kind base has all databases; omit databases"
    );
    ensure!((1..=100_000).contains(&keep), "keep must be 1 to 100000 backups");
    check_line("schedule", &schedule)?;
    let cluster = Cluster::of(request, instance.as_deref())?;
    let os = request.target()?.os;
    ensure!(
        os.service_manager == ServiceManager::Systemd,
        "backups need a timer of systemd, which {os} does not have"
    );
    let place = directory.clone();
    let directory =
        place.unwrap_or_else(|| format!("/var/backups/postgresql/{}/{name}", cluster.id));
    check_line("directory", &directory)?;
    ensure!(
        directory.starts_with('/') && !directory.contains(char::is_whitespace),
        "the directory {directory:?} must be an absolute path without spaces"
    );
    cluster.put(request)?;
    request.add(Directory::at(&directory).owner(USER).group(USER).mode(0o700))?;
    let kind = if kind == Kind::Dump { "dump" } else { "base" };
    let keep = keep.to_string();
    let mut words = vec![kind, &directory, &keep];
    words.extend(databases.iter().map(String::as_str));
    let command: Vec<_> =
        ["backup", &cluster.id].iter().chain(&words).map(|word| escape(word)).collect();
    let unit = format!("postgresql-backup-{}-{name}", cluster.id);
    let service = format!(
        "# written by pallet\n[Unit]\nDescription=Backup {name} of the PostgreSQL cluster {id}\n\
         After={service}.service\n\n[Service]\nType=oneshot\nUser={USER}\nNice=10\n\
         ExecStart=/bin/sh /usr/local/lib/pallet/postgresql {command}\n",
        id = cluster.id,
        service = cluster.service,
        command = command.join(" ")
    );
    let timer = format!(
        "# written by pallet\n[Unit]\nDescription=Backup {name} of the PostgreSQL cluster {}\n\n\
         [Timer]\nOnCalendar={schedule}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        cluster.id
    );
    let timer_unit = format!("{unit}.timer");
    let script = |name: String, content: String| {
        ServiceScript::content(name, content).service_impl(ServiceImpl::Systemd)
    };
    request.add(script(format!("{unit}.service"), service))?;
    request
        .add_with(script(timer_unit.clone(), timer), Options::new().flag_on_change(unit.clone()))?;
    request.add(Service::start(&timer_unit).enabled(true))?;
    request.add_with(Service::restart(&timer_unit), Options::new().if_flag(unit))
}

/// Refuses what would end a line of a unit, or what systemd would replace there.
fn check_line(what: &str, value: &str) -> Result<()> {
    ensure!(
        !value.is_empty() && !value.chars().any(|one| one.is_control() || "%\\".contains(one)),
        "the {what} {value:?} cannot stand in a unit of systemd"
    );
    Ok(())
}

/// A word of a command line of systemd.
fn escape(word: &str) -> String {
    let mut out = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '%' | '$' => out.extend([character, character]),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::Postgresql;
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(escape("a b\"c\\d%n$HOME"), "\"a b\\\"c\\\\d%%n$$HOME\"");
    }

    #[test]
    fn a_timer_runs_the_backup() {
        let mut recorder = Recorder::<Postgresql>::on("debian 12");
        recorder.call("backup", json!({"name": "nightly", "databases": ["app"]})).unwrap();
        let actions = recorder.actions();
        let unit = "postgresql-backup-15-main-nightly.service";
        let service = actions.iter().find(|action| action.subject == unit).unwrap();
        let content = service.arguments["content"].as_str().unwrap();
        assert!(
            content.contains(
                "postgresql \"backup\" \"15-main\" \"dump\" \
                 \"/var/backups/postgresql/15-main/nightly\" \"7\" \"app\"\n"
            ),
            "{content}"
        );
    }

    #[test]
    fn bad_jobs_are_refused() {
        for (more, said) in [
            (json!({"name": "../x"}), "cannot name a backup"),
            (json!({"schedule": "daily\nExecStart=/bin/sh"}), "cannot stand in a unit"),
            (json!({"directory": "srv"}), "absolute path"),
            (json!({"directory": "/etc/cron.d"}), "what the crate may do"),
            (json!({"keep": 0}), "1 to 100000"),
            (json!({"kind": "base", "databases": ["app"]}), "omit databases"),
        ] {
            let mut arguments = json!({"name": "nightly"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error = Recorder::<Postgresql>::on("debian 12")
                .call("backup", arguments.clone())
                .unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
