//! The output of read-only commands, for questions that no other kind covers. For a file that is
//! too large to transfer, the library computes on the node what an edit would do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, malformed, number};
use super::super::kind::{Kind, KindDescription, contradictions, describe, keep_same};
use crate::model::Os;
use crate::script::{Library, Script, quote, shell};

/// Maximum number of characters of output that are shown.
const SHOWN: usize = 60;

/// Read-only commands and edits to evaluate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadingQuestions {
    /// Commands, each with the only path that it reads, if there is just one.
    pub commands: BTreeMap<String, Option<String>>,
    /// Edits of files, as calls of the library, each with its file. If the file is too large to
    /// transfer, the node computes the digest of the edited content.
    pub edits: BTreeMap<String, String>,
}

/// The result of a read-only command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its exit code.
    pub exit: i32,
    /// Its standard output, without trailing newlines.
    pub output: String,
    /// The only path that it reads, if there is just one. A path that ends with `/` means
    /// everything below it.
    pub of: Option<String>,
}

/// The results of commands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Readings(pub(crate) BTreeMap<String, Reading>);

impl Kind for Readings {
    type Questions = ReadingQuestions;

    fn ask(questions: &mut ReadingQuestions, other: ReadingQuestions) {
        questions.commands.extend(other.commands);
        questions.edits.extend(other.edits);
    }

    fn script(questions: &ReadingQuestions, mut script: Script) -> Script {
        // a shell may print warnings about the output it captures, such as NUL characters
        for (index, command) in questions.commands.keys().enumerate() {
            script = script.raw(&format!(
                "{{ read=$({} 2>/dev/null); }} 2>/dev/null\n\
                answer reading {index} \"$?\" \"$read\"",
                shell(command, None)
            ));
        }
        if questions.edits.is_empty() {
            return script;
        }
        let paths: BTreeSet<&str> = questions.edits.values().map(String::as_str).collect();
        script = script
            .raw(LARGE)
            .call(std::iter::once("find_large").chain(paths))
            .raw(&edit_library(&questions.edits));
        for (index, (call, path)) in questions.edits.iter().enumerate() {
            let look = format!(
                "{{ made=$( (set -e; edit_library; {}) 2>/dev/null ); }} 2>/dev/null",
                call.trim_end()
            );
            script = script.raw(&format!(
                "if large {}; then\n{look}\nanswer edit {index} \"$?\" \"$made\"\nfi",
                quote(path)
            ));
        }
        script
    }

    fn read(
        &mut self,
        questions: &ReadingQuestions,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            let (command, reading) = match answer.as_slice() {
                ["reading", index, exit, output] => {
                    let at: usize = number(answer, index)?;
                    let asked = questions.commands.iter().nth(at);
                    let (command, of) = asked.ok_or_else(|| malformed(answer))?;
                    let output = output.trim_end_matches('\n').to_owned();
                    (command, Reading { exit: number(answer, exit)?, output, of: of.clone() })
                }
                ["edit", index, exit, made] => {
                    let at: usize = number(answer, index)?;
                    let asked = questions.edits.iter().nth(at);
                    let (command, path) = asked.ok_or_else(|| malformed(answer))?;
                    let (output, of) = ((*made).to_owned(), Some(path.clone()));
                    (command, Reading { exit: number(answer, exit)?, output, of })
                }
                _ => continue,
            };
            self.0.insert(command.clone(), reading);
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
        contradictions("output of", &self.0, &observed.0, |predicted, seen| {
            (seen.exit, &seen.output) == (predicted.exit, &predicted.output)
        })
    }

    fn describe(&self, questions: &ReadingQuestions, outputs: bool) -> Vec<KindDescription> {
        describe("output of", questions.commands.keys(), &self.0, |read| reading(read, outputs))
    }
}

/// Shell functions that find large files, whose content is not transferred.
const LARGE: &str = r#"find_large() { large=$nl$(find "$@" -prune -type f -size +65536c 2>/dev/null)$nl; }
large() { case $large in *"$nl$1$nl"*) ;; *) return 1 ;; esac; }"#;

/// A shell function that defines what the edits call, with an `edit_file` that prints the digest of
/// the edited content instead of writing it.
fn edit_library(edits: &BTreeMap<String, String>) -> String {
    let calls: String = edits.keys().map(String::as_str).collect();
    let library = Library::default().part_without("edit_file", &calls);
    format!("edit_library() {{\n{library}\n{EDIT_FILE}\n}}")
}

/// Takes the place of the library's function that writes the edited file. An edit that fails, or
/// that the library refuses, has no digest: what it printed before is not what a file would hold.
const EDIT_FILE: &str = r#"edit_file() {
  editing=$1
  if [ -n "${text_only-}" ] && [ "$(tr -cd '\000' <"$1" | wc -c)" -gt 0 ]; then exit 1; fi
  # a pipe tells how its last command ended
  made=$({
    {
      edited "$1"
      echo "$?" >&4
    } | sha256sum
  } 4>&1)
  case $made in "0$newline"*) ;; *) exit 1 ;; esac
  made=${made#*"$newline"}
  printf %s "${made%% *}"
}"#;

fn reading(read: &Reading, outputs: bool) -> String {
    let first = read.output.lines().next().unwrap_or_default();
    let short: String = first.chars().take(SHOWN).collect();
    let more = if short.len() < read.output.len() { " ..." } else { "" };
    match outputs && !short.is_empty() {
        true => format!("exit {}: {short}{more}", read.exit),
        false => format!("exit {}", read.exit),
    }
}
