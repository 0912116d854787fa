//! Pallet's records on the node: what it wrote, which files hold secrets, and which actions it
//! applied.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::Answer;
use super::super::kind::{Kind, KindDescription};
use super::secrets::Secrets;
use crate::model::Os;
use crate::script::Script;

/// Pallet's records on the node. Questions about files ask for parts of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// The digests of what Pallet last wrote, by path.
    pub(crate) written: BTreeMap<String, String>,
    /// The marks of applied actions.
    pub(crate) applied: BTreeSet<String>,
    pub(crate) secrets: Secrets,
}

impl Kind for Records {
    type Questions = bool;

    fn ask(questions: &mut bool, other: bool) {
        *questions |= other;
    }

    fn script(questions: &bool, script: Script) -> Script {
        if *questions { script.raw(include_str!("records.sh")) } else { script }
    }

    fn read(
        &mut self,
        _questions: &bool,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        let pairs = |line| str::split_once(line, "  ");
        for answer in answers {
            match answer.as_slice() {
                ["written", lines] => {
                    for (digest, path) in lines.split('\n').filter_map(pairs) {
                        // `-` means that the record was removed
                        match digest.len() == 64 {
                            true => drop(self.written.insert(path.to_owned(), digest.to_owned())),
                            false => drop(self.written.remove(path)),
                        }
                    }
                }
                ["secrets", lines] => {
                    for (mark, path) in lines.lines().filter_map(pairs) {
                        match mark {
                            // the file was replaced by content without secrets
                            "!" => self.secrets.remove_path(path),
                            digest => {
                                let digest = Some(digest).filter(|digest| digest.len() == 64);
                                self.secrets.add(path, digest);
                            }
                        }
                    }
                }
                ["applied", marks] => self.applied.extend(marks.lines().map(str::to_owned)),
                _ => {}
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, _other: &Self) {}

    fn learn(&mut self, newer: Self) {
        self.written.extend(newer.written);
        self.applied.extend(newer.applied);
        self.secrets.learn(newer.secrets);
    }

    fn describe(&self, questions: &bool, _outputs: bool) -> Vec<KindDescription> {
        let describe = || KindDescription::new("what Pallet recorded there", None);
        questions.then(describe).into_iter().collect()
    }
}
