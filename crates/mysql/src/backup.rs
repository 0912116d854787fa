//! Backups by a timer.

use pallet_core::action::service_script::ServiceImpl;
use pallet_core::prelude::*;

use super::server;
use super::sql::check_name;

const PROGRAM: &str = "/usr/local/lib/pallet/mysql-backup";

parameters! {
    /// Makes backups at set times, and keeps the newest ones. A timer of systemd runs them.
    ///
    /// Each backup is a directory that is named by its time. It is complete, or it does not exist.
    ///
    /// Example: `mysql.backup(request, "nightly", schedule = "02:30", keep = 14)`
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
        /// `/var/backups/mysql/NAME`.
        #[serde(default)]
        directory: Option<String>,
    }
}

/// What a backup is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Kind {
    /// A dump of each database by `mariadb-dump`, as compressed SQL; users are in `mysql.sql.gz`.
    #[default]
    Dump,
    /// A copy of the data directory by `mariadb-backup`, ready to be used.
    Base,
}

fn default_schedule() -> String {
    "daily".to_owned()
}

fn default_keep() -> u32 {
    7
}

pub(crate) fn backup(request: &mut Request, backup: Backup) -> Result<()> {
    let Backup { name, kind, databases, schedule, keep, directory } = backup;
    check_file_name("a backup", &name)?;
    databases.iter().try_for_each(|database| check_name("a database", database, 64))?;
    ensure!(
        kind == Kind::Dump || databases.is_empty(),
        "a backup of the kind base has all databases; omit databases"
    );
    ensure!((1..=100_000).contains(&keep), "keep must be 1 to 100000 backups");
    check_line("schedule", &schedule)?;
    let os = request.target()?.os;
    ensure!(
        os.service_manager == ServiceManager::Systemd,
        "backups need a timer of systemd, which {os} does not have"
    );
    let directory = directory.unwrap_or_else(|| format!("/var/backups/mysql/{name}"));
    check_line("directory", &directory)?;
    ensure!(
        directory.starts_with('/') && !directory.contains(char::is_whitespace),
        "the directory {directory:?} must be an absolute path without spaces"
    );
    server::put(request)?;
    let program = RemoteFile::content(PROGRAM, include_str!("mysql-backup.sh"));
    request.add(program.owner("root").group("root").mode(0o644))?;
    let system = server::system(request)?;
    if kind == Kind::Base {
        request.add(Package::install(system.backup))?;
    }
    request.add(Directory::at(&directory).owner("root").group("root").mode(0o700))?;
    let kind = if kind == Kind::Dump { "dump" } else { "base" };
    let keep = keep.to_string();
    let mut words = vec![kind, &directory, &keep];
    words.extend(databases.iter().map(String::as_str));
    let command: Vec<_> = words.iter().map(|word| escape(word)).collect();
    let unit = format!("mysql-backup-{name}");
    let about = format!("# written by pallet\n[Unit]\nDescription=Backup {name} of MariaDB\n");
    let service = format!(
        "{about}After={}.service\n\n[Service]\nType=oneshot\nNice=10\nExecStart=/bin/sh {PROGRAM} \
         {}\n",
        system.service,
        command.join(" ")
    );
    let timer = format!(
        "{about}\n[Timer]\nOnCalendar={schedule}\nPersistent=true\n\n[Install]\n\
         WantedBy=timers.target\n"
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
    use super::super::Mysql;
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(escape("a b\"c\\d%n$HOME"), "\"a b\\\"c\\\\d%%n$$HOME\"");
    }

    #[test]
    fn a_timer_runs_the_backup() {
        let mut recorder = Recorder::<Mysql>::on("debian 12");
        recorder.call("backup", json!({"name": "nightly", "databases": ["app"]})).unwrap();
        let actions = recorder.actions();
        let unit = "mysql-backup-nightly.service";
        let service = actions.iter().find(|action| action.subject == unit).unwrap();
        let content = service.arguments["content"].as_str().unwrap();
        assert!(
            content.contains(
                "/usr/local/lib/pallet/mysql-backup \"dump\" \
                 \"/var/backups/mysql/nightly\" \"7\" \"app\"\n"
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
            let error =
                Recorder::<Mysql>::on("debian 12").call("backup", arguments.clone()).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
