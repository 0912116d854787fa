//! Removes old journals.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use super::ending::Ending;
use super::error::JournalError;
use super::file::open;
use super::journals::Journals;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One in so many is kept beyond the limit.
const SLACK: usize = 20;

impl Journals {
    /// Removes the journals of operations on the project in this directory that began more than so
    /// many days ago, and all but those of about the newest `operations`. Returns how many were
    /// removed. The journal of a running operation stays. Others may do the same at the same time.
    pub fn prune(
        &self,
        project: &str,
        days: u32,
        operations: usize,
    ) -> Result<usize, JournalError> {
        let now = SystemTime::now();
        let (mut removed, mut number) = (0, 0);
        let all = self.operations()?;
        // whose each is takes time to find out, so some more are kept
        let too_many = all.len() > operations + operations / SLACK;
        for operation in all {
            let age = Self::began(&operation)
                .and_then(|began| now.duration_since(began).ok())
                .unwrap_or_default();
            let old = age > DAY.saturating_mul(days);
            if !old && !too_many {
                continue;
            }
            let path = self.path(&operation);
            // a project in another directory may have the same name, and other limits
            match open(&path) {
                Ok((header, _)) if header.directory != project => continue,
                Ok(_) => number += 1,
                Err(_) if !old => continue,
                Err(_) => {}
            }
            if !old && number <= operations || self.may_run(&operation, age) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(JournalError::io("remove the journal", &path, error)),
            }
        }
        Ok(removed)
    }

    /// Whether an operation of this age may still run. Of one on another machine with the same
    /// home, this is unknown until it ends.
    fn may_run(&self, operation: &str, age: Duration) -> bool {
        self.summary(operation).is_ok_and(|summary| match summary.ending {
            Ending::Running => true,
            Ending::Unfinished => !summary.header.process().is_of(&self.machine) && age < DAY,
            _ => false,
        })
    }
}
