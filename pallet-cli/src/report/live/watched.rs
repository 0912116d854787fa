//! The operation that is watched, and its page.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use pallet_core::engine::{Ending, JournalError, JournalFollower, Journals};

use super::super::model::Report;
use super::super::page::{Mode, page, waiting};

/// How often a page whose operation runs shows a new time, in seconds, even if nothing happens.
const STEP: u64 = 5;

/// Whose operations are watched.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) journals: Journals,
    /// This machine and its boot.
    pub(crate) machine: String,
    /// The project's name.
    pub(crate) project: String,
    /// The project's directory, as journals name it.
    pub(crate) directory: String,
    /// The operation; `None`: the newest that runs, or else the next one.
    pub(crate) operation: Option<String>,
}

/// The operation that is watched, as soon as there is one.
pub(super) struct Watched {
    watch: Watch,
    follower: Option<JournalFollower>,
    /// The newest operation that was there when nothing was found.
    newest: Option<String>,
    /// The page that was made last, by its version.
    made: Option<(String, Arc<str>)>,
    /// When the page was asked for last.
    pub(super) asked: Option<Instant>,
    /// The page of the end was asked for.
    pub(super) has_shown_end: bool,
}

impl Watched {
    pub(super) fn new(watch: Watch) -> Self {
        Watched {
            watch,
            follower: None,
            newest: None,
            made: None,
            asked: None,
            has_shown_end: false,
        }
    }

    /// Reads what is new. Returns the operation and how it ended, or that it runs.
    pub(super) fn look(&mut self) -> Result<Option<(String, Ending)>, JournalError> {
        match &mut self.follower {
            Some(follower) => drop(follower.read_on()?),
            None => self.follower = self.find()?,
        }
        Ok(self.ending())
    }

    fn ending(&self) -> Option<(String, Ending)> {
        let journal = self.follower.as_ref()?.journal();
        Some((journal.header.operation.clone(), journal.ending(&self.watch.machine)))
    }

    /// The operation that is to be watched, if there is one now.
    fn find(&mut self) -> Result<Option<JournalFollower>, JournalError> {
        let Watch { journals, directory, operation, .. } = &self.watch;
        if let Some(operation) = operation {
            return Ok(Some(JournalFollower::open(journals.path(operation))?));
        }
        let all = journals.operations()?;
        // one without a header is only beginning
        let newest = all.iter().find(|one| journals.summary(one).is_ok()).cloned();
        let newest = newest.unwrap_or_default();
        let found = match &self.newest {
            // it may have ended meanwhile
            Some(before) => {
                let new = all.iter().take_while(|one| *one > before);
                new.filter(|one| self.is_own(one, directory, false)).last()
            }
            None => all.iter().find(|one| self.is_own(one, directory, true)),
        };
        if let Some(found) = found {
            return Ok(Some(JournalFollower::open(journals.path(found))?));
        }
        self.newest.get_or_insert(newest);
        Ok(None)
    }

    /// Whether this is an operation of the project. One whose header is not written yet will be
    /// looked at again.
    fn is_own(&self, operation: &str, directory: &str, running: bool) -> bool {
        self.watch.journals.summary(operation).is_ok_and(|summary| {
            summary.header.directory == directory && (!running || summary.ending == Ending::Running)
        })
    }

    /// The page as it is now, with its version.
    pub(super) fn page(&mut self) -> (String, Arc<str>) {
        self.asked = Some(Instant::now());
        let now = SystemTime::now();
        let Some(follower) = &self.follower else {
            return ("\"waiting\"".to_owned(), waiting(&self.watch.project).into());
        };
        let journal = follower.journal();
        let ending = journal.ending(&self.watch.machine);
        let time = match ending {
            Ending::Running => {
                let passed = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                passed.as_secs() / STEP
            }
            _ => 0,
        };
        self.has_shown_end |= ending != Ending::Running;
        let version = format!("\"{}-{ending}-{time}\"", journal.records.len());
        match &self.made {
            Some((known, page)) if *known == version => (version, page.clone()),
            _ => {
                let report = Report::of(journal, &self.watch.machine, now);
                let made: Arc<str> = page(&report, Mode::Live).into();
                self.made = Some((version.clone(), made.clone()));
                (version, made)
            }
        }
    }
}
