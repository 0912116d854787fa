//! Removes old journals.

use std::io::ErrorKind;
use std::time::{Duration, SystemTime};

use super::ending::Ending;
use super::error::JournalError;
use super::journals::Journals;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Journals {
    /// Removes the journals of operations that began more than so many days ago, and all but those
    /// of the newest `operations`. Returns how many were removed. The journal of a running
    /// operation stays. Others may do the same at the same time.
    pub fn prune(&self, days: u32, operations: usize) -> Result<usize, JournalError> {
        let now = SystemTime::now();
        let mut removed = 0;
        for (number, operation) in self.operations()?.into_iter().enumerate() {
            let age = Self::began(&operation)
                .and_then(|began| now.duration_since(began).ok())
                .unwrap_or_default();
            let kept = number < operations && age <= DAY.saturating_mul(days);
            if kept || self.may_run(&operation, age) {
                continue;
            }
            let path = self.path(&operation);
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
