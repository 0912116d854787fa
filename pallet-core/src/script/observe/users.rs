//! Reads what a node says of users and groups.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answer;
use crate::model::{GroupState, NodeState, Observation, UserState};

/// Reads entries of passwd, group and shadow, and what `id` says.
pub(super) fn read(wanted: &Observation, answers: &[Answer<'_>], state: &mut NodeState) {
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
                locked.extend(lines.lines().filter_map(|line| {
                    line.split_once(':').map(|(name, mark)| (name, mark == "!"))
                }))
            }
            ["group", lines] => {
                let groups = entries(lines);
                for name in &wanted.groups {
                    let found = groups.get(name.as_str()).map(|fields| GroupState {
                        gid: field(fields, 2).and_then(|gid| gid.parse().ok()),
                    });
                    state.set_group(name, found);
                }
            }
            _ => {}
        }
    }
    let Some(users) = users else { return };
    for name in &wanted.users {
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
        state.set_user(name, found);
    }
}

/// Entries of passwd or group by their names.
fn entries(lines: &str) -> BTreeMap<&str, Vec<&str>> {
    lines
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .map(|fields| (fields[0], fields))
        .collect()
}

fn field<'a>(fields: &[&'a str], index: usize) -> Option<&'a str> {
    fields.get(index).copied()
}

/// Reads the primary and the other groups from `uid=1000(app) gid=1000(app)
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

/// The name in `27(sudo)`, or the number where there is no name.
fn named(id: &str) -> String {
    match id.split_once('(') {
        Some((_, name)) => name.trim_end_matches(')').to_owned(),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::check::node;
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
        read(&wanted, &answers, &mut state);
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
