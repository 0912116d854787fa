//! How an operation ended, as far as its journal tells.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::header::JournalHeader;
use crate::engine::Totals;

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All nodes succeeded.
    Succeeded,
    /// Some nodes failed, or it could not continue.
    Failed,
    /// It was stopped before the end.
    Interrupted,
    /// It did not get to its end: its process is gone, or ran on another machine.
    Unfinished,
    /// It is running.
    Running,
}

impl Ending {
    /// How an operation with this header ended. `machine` is this machine and its boot.
    pub(super) fn of(header: &JournalHeader, totals: Option<&Totals>, machine: &str) -> Self {
        match totals {
            Some(totals) if totals.cancelled => Ending::Interrupted,
            Some(totals) if totals.ok => Ending::Succeeded,
            Some(_) => Ending::Failed,
            None => {
                let process = header.process();
                let runs = process.is_of(machine) && !process.is_dead(machine);
                if runs { Ending::Running } else { Ending::Unfinished }
            }
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Succeeded => "succeeded",
            Ending::Failed => "failed",
            Ending::Interrupted => "interrupted",
            Ending::Unfinished => "unfinished",
            Ending::Running => "running",
        })
    }
}
