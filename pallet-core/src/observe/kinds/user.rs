//! Users of a node: who they are, and their home, shell and groups.

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

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserState {
    /// The numeric ID; `None` if unknown.
    pub uid: Option<u32>,
    /// The name of the primary group; `None` if unknown.
    pub group: Option<String>,
    /// The names of the other groups; `None` if unknown.
    pub groups: Option<BTreeSet<String>>,
    /// The comment (GECOS) field; `None` if unknown.
    pub comment: Option<String>,
    /// The home directory; `None` if unknown.
    pub home: Option<String>,
    /// The login shell; `None` if unknown.
    pub shell: Option<String>,
    /// Whether the password is locked; `None` if unknown.
    pub locked: Option<bool>,
}

impl UserState {
    /// Whether `seen` matches this state; unknown parts of this state match anything.
    pub fn allows(&self, seen: &UserState) -> bool {
        open_or_same(&self.uid, &seen.uid)
            && open_or_same(&self.group, &seen.group)
            && open_or_same(&self.groups, &seen.groups)
            && open_or_same(&self.comment, &seen.comment)
            && open_or_same(&self.home, &seen.home)
            && open_or_same(&self.shell, &seen.shell)
            && open_or_same(&self.locked, &seen.locked)
    }
}

/// The known users; `None`: the user does not exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Users(pub(crate) BTreeMap<String, Option<UserState>>);

impl Kind for Users {
    type Questions = BTreeSet<String>;

    fn ask(questions: &mut BTreeSet<String>, other: BTreeSet<String>) {
        questions.extend(other);
    }

    fn functions(questions: &BTreeSet<String>) -> Vec<&'static str> {
        if questions.is_empty() { Vec::new() } else { vec![ACCOUNTS] }
    }

    fn script(questions: &BTreeSet<String>, script: Script) -> Script {
        call_with_names(script, "users", questions)
    }

    /// Reads entries of passwd and shadow, and the output of `id`.
    fn read(
        &mut self,
        questions: &BTreeSet<String>,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        let mut users = None;
        let mut ids = BTreeMap::new();
        let mut locked = BTreeMap::new();
        for answer in answers {
            match answer.as_slice() {
                ["passwd", lines] => users = Some(entries(lines)),
                ["ids", name, text] => {
                    ids.insert(*name, id(text));
                }
                ["shadow", lines] => {
                    let marks = lines.lines().filter_map(|line| line.split_once(':'));
                    locked.extend(marks.map(|(name, mark)| (name, mark == "!")));
                }
                _ => {}
            }
        }
        let Some(users) = users else { return Ok(()) };
        for name in questions {
            let found = users.get(name.as_str()).map(|fields| {
                let (group, groups) = ids.remove(name.as_str()).unwrap_or_default();
                let text = |index| field(fields, index).map(str::to_owned);
                UserState {
                    uid: field(fields, 2).and_then(|uid| uid.parse().ok()),
                    group,
                    groups,
                    comment: text(4),
                    home: text(5),
                    shell: text(6),
                    locked: locked.get(name.as_str()).copied(),
                }
            });
            self.0.insert(name.clone(), found);
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
        contradictions("user", &self.0, &observed.0, |predicted, seen| match (predicted, seen) {
            (Some(predicted), Some(seen)) => predicted.allows(seen),
            (predicted, seen) => predicted.is_none() == seen.is_none(),
        })
    }

    fn describe(&self, questions: &BTreeSet<String>, _outputs: bool) -> Vec<KindDescription> {
        let words =
            |state: &Option<UserState>| state.as_ref().map_or("there is none".to_owned(), user);
        describe("user", questions, &self.0, words)
    }
}

/// Parses the primary group and the other groups from `uid=1000(app) gid=1000(app)
/// groups=1000(app),27(sudo)`.
fn id(text: &str) -> (Option<String>, Option<BTreeSet<String>>) {
    let part = |key: &str| text.split_once(key).map(|(_, rest)| rest);
    let Some((group, others)) =
        part("gid=").map(|rest| rest.split_once(" groups=").unwrap_or((rest, "")))
    else {
        return (None, None);
    };
    let group = named(group);
    let others = others.split(" context=").next().unwrap_or_default();
    let others = others
        .split(',')
        .filter(|id| !id.is_empty())
        .map(named)
        .filter(|name| *name != group)
        .collect();
    (Some(group), Some(others))
}

/// The name in `27(sudo)`, or the number if there is no name.
fn named(id: &str) -> String {
    match id.split_once('(') {
        Some((_, name)) => name.trim_end_matches(')').to_owned(),
        None => id.to_owned(),
    }
}

fn user(state: &UserState) -> String {
    let parts = [
        state.uid.map(|uid| format!("uid {uid}")),
        state.group.as_ref().map(|group| format!("group {group}")),
        state.home.as_ref().map(|home| format!("home {home}")),
        state.shell.as_ref().map(|shell| format!("shell {shell}")),
        state.locked.filter(|locked| *locked).map(|_| "password locked".to_owned()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "it is there".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
    use crate::observe::Observation;
    use expect_test::expect;

    #[test]
    fn entries_of_the_wanted_alone() {
        let mut wanted = Observation::default();
        ["app", "gone", "1000"].iter().for_each(|name| wanted.user(name));
        ["www", "nobody's"].iter().for_each(|name| wanted.group(name));
        let mut state = node().0;
        let answers: [Answer<'_>; 4] = [
            vec!["passwd", "app:x:1000:1000:The App,,,:/srv/app:/bin/sh"],
            vec![
                "ids",
                "app",
                "uid=1000(app) gid=1000(app) groups=1000(app),27(sudo),31(domain \
                users),77 context=u:r:t:s0",
            ],
            vec!["shadow", "root:\napp:!\n"],
            vec!["group", "www:x:33:app\n"],
        ];
        state.read(&wanted, &answers).expect("it is understood");
        expect![[r#"
            Known(Some(UserState { uid: Some(1000), group: Some("app"), groups: Some({"77", "domain users", "sudo"}), comment: Some("The App,,,"), home: Some("/srv/app"), shell: Some("/bin/sh"), locked: Some(true) }))
            Known(None)
            Known(None)
            Known(Some(GroupState { gid: Some(33) }))
            Known(None)
        "#]]
        .assert_eq(&format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
            state.user("app"),
            state.user("gone"),
            state.user("1000"),
            state.group("www"),
            state.group("nobody's")
        ));
    }
}
