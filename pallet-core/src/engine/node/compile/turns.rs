//! Which waiting actions had their turn since their flag was set: of two identical ones, the second
//! runs only if the flag was set again.
//!
//! That is a file beside the flag, for this script alone: it is made when the action has run, and
//! goes when an action sets the flag. A run that is killed leaves the flag, and the next run calls
//! all that wait for it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::action::Waiting;
use crate::engine::node::phase_plan::PhasePlan;
use crate::script::flag_file;

/// The waiting actions that are in the script more than once, or had a turn before it.
pub(super) struct Turns<'a> {
    kept: BTreeSet<&'a Waiting>,
    served: BTreeSet<&'a Waiting>,
}

/// The name begins like those of logs, which every script removes.
fn file(waiting: &Waiting) -> String {
    format!("\"$flags\"/.log.had.{}", waiting.file())
}

impl<'a> Turns<'a> {
    pub(super) fn of(plan: &'a PhasePlan) -> Self {
        let served: BTreeSet<&Waiting> = plan.served.iter().collect();
        let (mut seen, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for action in plan.actions.iter().filter(|action| action.change.is_some()) {
            let Some(waiting) = &action.waiting else { continue };
            if !seen.insert(waiting) || served.contains(waiting) {
                kept.insert(waiting);
            }
        }
        Turns { kept, served }
    }

    /// Notes those that had their turn in an earlier script.
    pub(super) fn begin(&self, script: &mut String) {
        for waiting in self.kept.intersection(&self.served) {
            let _ = writeln!(script, ": > {}", file(waiting));
        }
    }

    fn kept(&self, waiting: &Waiting) -> Option<String> {
        self.kept.contains(waiting).then(|| file(waiting))
    }

    /// The test whether an action had its turn since its flag was set, if that is kept.
    pub(super) fn had(&self, waiting: &Waiting) -> Option<String> {
        self.kept(waiting).map(|file| format!("[ -e {file} ]"))
    }

    /// The opposite.
    pub(super) fn had_not(&self, waiting: &Waiting) -> Option<String> {
        self.kept(waiting).map(|file| format!("[ ! -e {file} ]"))
    }

    /// Notes that an action has its turn, if that is kept.
    pub(super) fn note(&self, waiting: &Waiting) -> Option<String> {
        self.kept(waiting).map(|file| format!(": > {file}\n"))
    }

    /// Calls all that wait for these flags again.
    pub(super) fn again<'f>(
        &self,
        script: &mut String,
        flags: impl Iterator<Item = &'f &'f String>,
    ) {
        for flag in flags.filter(|flag| self.kept.iter().any(|waiting| waiting.flag() == **flag)) {
            let _ = writeln!(script, "rm -f \"$flags\"/.log.had.{}.*", flag_file(flag));
        }
    }
}
