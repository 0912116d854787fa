//! The exit codes of read-only commands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, malformed, number};
use super::super::kind::{Kind, KindDescription, contradictions, describe, keep_same};
use crate::model::Os;
use crate::script::{Script, shell};

/// The result of a read-only command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandState {
    /// Its exit code.
    pub exit: i32,
}

/// The results of commands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Commands(pub(crate) BTreeMap<String, CommandState>);

impl Kind for Commands {
    type Questions = BTreeSet<String>;

    fn ask(questions: &mut BTreeSet<String>, other: BTreeSet<String>) {
        questions.extend(other);
    }

    fn script(questions: &BTreeSet<String>, mut script: Script) -> Script {
        for (index, command) in questions.iter().enumerate() {
            // each runs in its own shell, so that a syntax error or a variable does not affect the
            // others
            script = script.raw(&format!(
                "{} >/dev/null 2>&1\nanswer command {index} \"$?\"",
                shell(command, None)
            ));
        }
        script
    }

    fn read(
        &mut self,
        questions: &BTreeSet<String>,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            if let ["command", index, exit] = answer.as_slice() {
                let index: usize = number(answer, index)?;
                let command = questions.iter().nth(index).ok_or_else(|| malformed(answer))?;
                self.0.insert(command.clone(), CommandState { exit: number(answer, exit)? });
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        keep_same(&mut self.0, &other.0);
    }

    fn learn(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }

    fn contradictions(&self, observed: &Self) -> Vec<String> {
        contradictions("command", &self.0, &observed.0, PartialEq::eq)
    }

    fn describe(&self, questions: &BTreeSet<String>, _outputs: bool) -> Vec<KindDescription> {
        describe("command", questions, &self.0, |state| format!("exit {}", state.exit))
    }
}
