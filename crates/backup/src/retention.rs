//! Which snapshots are kept, and whether the repository is well.

use pallet_core::prelude::*;

use super::check::{check_line, check_tag};
use super::job::{self, Times};
use super::program::command;
use super::schedule::delay;

parameters! {
    /// Removes old snapshots at certain times, and the data that only they needed. One node of
    /// those that share a repository is enough. Each host and set of paths is counted by itself.
    ///
    /// Example: `backup.retention(request, "offsite", daily = 7, weekly = 5, monthly = 12)`
    pub(crate) struct Retention {
        /// The repository.
        repository: String,
        /// Keep this number of the latest snapshots.
        #[serde(default)]
        last: u32,
        /// Keep the latest of this number of hours.
        #[serde(default)]
        hourly: u32,
        /// Keep the latest of this number of days.
        #[serde(default)]
        daily: u32,
        /// Keep the latest of this number of weeks.
        #[serde(default)]
        weekly: u32,
        /// Keep the latest of this number of months.
        #[serde(default)]
        monthly: u32,
        /// Keep the latest of this number of years.
        #[serde(default)]
        yearly: u32,
        /// Keep all that are newer than this before the latest: `14d`, `1y6m`.
        #[serde(default)]
        within: Option<String>,
        /// Keep all with these tags.
        #[serde(default)]
        tags: Vec<String>,
        /// Also remove data that no snapshot needs.
        #[serde(default = "yes")]
        prune: bool,
        /// When, as `OnCalendar=` of systemd.
        #[serde(default = "weekly")]
        calendar: String,
        /// Begin up to this much later.
        #[serde(default = "delay")]
        randomized_delay: String,
        /// `create`, or `delete` the timer.
        #[serde(default)]
        action: Existence,
    }

    /// Checks at certain times that the repository is whole. If it is not,
    /// `backup-REPOSITORY-check.service` fails.
    ///
    /// Example: `backup.check(request, "offsite", read_data = "5%")`
    pub(crate) struct Check {
        /// The repository.
        repository: String,
        /// Also read so much of its data: `5%`, `1/10`, `500M`. Default: none.
        #[serde(default)]
        read_data: Option<String>,
        /// When, as `OnCalendar=` of systemd.
        #[serde(default = "monthly")]
        calendar: String,
        /// Begin up to this much later.
        #[serde(default = "delay")]
        randomized_delay: String,
        /// `create`, or `delete` the timer.
        #[serde(default)]
        action: Existence,
    }
}

fn yes() -> bool {
    true
}

fn weekly() -> String {
    "Sun *-*-* 05:00".to_owned()
}

fn monthly() -> String {
    "*-*-01 06:00".to_owned()
}

pub(crate) fn retention(request: &mut Request, retention: Retention) -> Result<()> {
    let repository = &retention.repository;
    check_file_name("a repository", repository)?;
    let name = format!("{repository}-retention");
    if retention.action == Existence::Delete {
        return job::remove(request, &name);
    }
    let mut words = vec!["forget".to_owned()];
    for (what, number) in [
        ("last", retention.last),
        ("hourly", retention.hourly),
        ("daily", retention.daily),
        ("weekly", retention.weekly),
        ("monthly", retention.monthly),
        ("yearly", retention.yearly),
    ] {
        if number > 0 {
            words.push(format!("--keep-{what}={number}"));
        }
    }
    if let Some(within) = &retention.within {
        let good = |c: char| c.is_ascii_digit() || "ymdh".contains(c);
        ensure!(
            within.ends_with(['y', 'm', 'd', 'h'])
                && within.starts_with(|c: char| c.is_ascii_digit())
                && within.chars().all(good),
            "within {within:?} is no duration: write it as 14d or 1y6m"
        );
        words.push(format!("--keep-within={within}"));
    }
    for tag in &retention.tags {
        check_tag(tag)?;
        words.push(format!("--keep-tag={tag}"));
    }
    ensure!(
        words.len() > 1,
        "retention of {repository}: say what to keep, or all would be removed"
    );
    if retention.prune {
        words.push("--prune".to_owned());
    }
    put(request, repository, &name, &words, (&retention.calendar, &retention.randomized_delay))
}

pub(crate) fn check(request: &mut Request, check: Check) -> Result<()> {
    let repository = &check.repository;
    check_file_name("a repository", repository)?;
    let name = format!("{repository}-check");
    if check.action == Existence::Delete {
        return job::remove(request, &name);
    }
    let mut words = vec!["check".to_owned()];
    if let Some(part) = &check.read_data {
        check_line("read_data", part)?;
        words.push(format!("--read-data-subset={part}"));
    }
    put(request, repository, &name, &words, (&check.calendar, &check.randomized_delay))
}

fn put(
    request: &mut Request,
    repository: &str,
    name: &str,
    words: &[String],
    (calendar, randomized_delay): (&str, &str),
) -> Result<()> {
    let script = format!("# written by pallet\nset -eu\n{}\n", command(repository, words));
    let description = format!("{} of the backup repository {repository}", words[0]);
    job::put(request, (name, description), script, &Times { calendar, randomized_delay })
}

#[cfg(test)]
mod tests {
    use super::super::Backup;
    use super::*;

    #[test]
    fn what_is_kept_is_said() {
        let mut recorder = Recorder::<Backup>::on("debian 12");
        let arguments = json!({"repository": "offsite", "daily": 7, "within": "14d"});
        recorder.call("retention", arguments).unwrap();
        let script = recorder.actions()[1].arguments["content"].to_string();
        assert!(
            script.contains("offsite forget --keep-daily=7 --keep-within=14d --prune"),
            "{script}"
        );
        assert_eq!(recorder.calls()[0].arguments["name"], "backup-offsite-retention");
        recorder.call("check", json!({"repository": "offsite", "read_data": "5%"})).unwrap();
        let script = recorder.actions()[3].arguments["content"].to_string();
        assert!(script.contains("offsite check --read-data-subset=5%"), "{script}");
    }

    #[test]
    fn a_retention_that_keeps_nothing_is_refused() {
        for (arguments, said) in [
            (json!({"repository": "a"}), "say what to keep"),
            (json!({"repository": "a", "within": "14"}), "no duration"),
            (json!({"repository": "a/b", "daily": 1}), "cannot name a repository"),
        ] {
            let error =
                Recorder::<Backup>::on("debian 12").call("retention", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
