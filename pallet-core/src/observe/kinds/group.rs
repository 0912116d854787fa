//! User groups.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, entries, field};
use super::super::kind::{
    Kind, KindDescription, call_with_names, contradictions, describe, keep_same, open_or_same,
};
use super::ACCOUNTS;
use crate::model::Os;
use crate::script::Script;

/// A user group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// The numeric ID; `None` if unknown.
    pub gid: Option<u32>,
}

/// The known groups; `None`: the group does not exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Groups(pub(crate) BTreeMap<String, Option<GroupState>>);

impl Kind for Groups {
    type Questions = BTreeSet<String>;

    fn ask(questions: &mut BTreeSet<String>, other: BTreeSet<String>) {
        questions.extend(other);
    }

    fn functions(questions: &BTreeSet<String>) -> Vec<&'static str> {
        if questions.is_empty() { Vec::new() } else { vec![ACCOUNTS] }
    }

    fn script(questions: &BTreeSet<String>, script: Script) -> Script {
        call_with_names(script, "groups", questions)
    }

    fn read(
        &mut self,
        questions: &BTreeSet<String>,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        for answer in answers {
            let ["group", lines] = answer.as_slice() else { continue };
            let groups = entries(lines);
            for name in questions {
                let found = groups.get(name.as_str()).map(|fields| GroupState {
                    gid: field(fields, 2).and_then(|gid| gid.parse().ok()),
                });
                self.0.insert(name.clone(), found);
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
        contradictions("group", &self.0, &observed.0, |predicted, seen| match (predicted, seen) {
            (Some(predicted), Some(seen)) => open_or_same(&predicted.gid, &seen.gid),
            (predicted, seen) => predicted.is_none() == seen.is_none(),
        })
    }

    fn describe(&self, questions: &BTreeSet<String>, _outputs: bool) -> Vec<KindDescription> {
        let words = |state: &Option<GroupState>| match state {
            None => "there is none".to_owned(),
            Some(GroupState { gid: Some(gid) }) => format!("gid {gid}"),
            Some(GroupState { gid: None }) => "it is there".to_owned(),
        };
        describe("group", questions, &self.0, words)
    }
}
