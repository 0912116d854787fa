//! All people of a company, and which of them belong on a node.

use std::collections::BTreeSet;

use pallet_core::prelude::*;

use super::group::Presence;
use super::person::{Person, user};
use super::removal::{Remove, remove};

parameters! {
    /// Ensures that the people of a list can log in, and that those who should not are removed.
    ///
    /// Each person has the parameters of `users.user`, and may have `teams`, and `action`. With
    /// `teams`, only people of one of these teams belong on the node: all others of the list are
    /// removed as by `users.remove`, and so is who has `action = "absent"`. Who is not in the list
    /// is left alone, so keep people who left in it, as absent.
    ///
    /// Example: `users.people(request, {"ann": {"keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"], "teams": ["web"]}, "bob": {"action": "absent"}}, teams = ["web"])`
    pub(crate) struct People {
        /// People: a dict of names, or a list of dicts with a `name`.
        #[schemars(with = "Listed")]
        people: Value,
        /// Teams whose people belong on this node. Default: all people do.
        #[serde(default)]
        teams: Option<BTreeSet<String>>,
        /// Parameters for each person who does not have them: `{"shell": "/bin/bash"}`.
        #[serde(default)]
        #[schemars(with = "Option<std::collections::BTreeMap<String, Value>>")]
        defaults: Option<Value>,
        /// Also delete the home directories of people who are removed.
        #[serde(default)]
        remove_home: bool,
    }
}

/// The schema of people.
#[derive(JsonSchema)]
#[schemars(crate = "::pallet_core::schemars", untagged)]
#[allow(dead_code)]
enum Listed {
    ByName(std::collections::BTreeMap<String, std::collections::BTreeMap<String, Value>>),
    InOrder(Vec<std::collections::BTreeMap<String, Value>>),
}

/// What is only said in a list of people.
#[derive(Default, Deserialize)]
#[serde(crate = "::pallet_core::serde", default)]
struct InList {
    teams: BTreeSet<String>,
    action: Presence,
}

pub(crate) fn people(request: &mut Request, arguments: People) -> Result<()> {
    let People { people, teams, defaults, remove_home } = arguments;
    let mut names = BTreeSet::new();
    for (name, person) in by_name(people)? {
        ensure!(names.insert(name.clone()), "{name} is in the list of people twice");
        let (in_list, person) = read(&name, person, defaults.as_ref())?;
        let belongs = teams.as_ref().is_none_or(|teams| !teams.is_disjoint(&in_list.teams));
        if belongs && in_list.action == Presence::Present {
            user(request, person)?;
        } else {
            remove(request, Remove { name, remove_home })?;
        }
    }
    Ok(())
}

/// The people with their names, in their order.
fn by_name(people: Value) -> Result<Vec<(String, Value)>> {
    Ok(match people {
        Value::Object(people) => people.into_iter().collect(),
        Value::Array(people) => {
            let name = |person: &Value| {
                let name = person["name"].as_str().map(str::to_owned);
                name.context("each person in the list needs a name")
            };
            people.into_iter().map(|person| Ok((name(&person)?, person))).collect::<Result<_>>()?
        }
        _ => bail!("people must be a dict, or a list of dicts"),
    })
}

fn read(name: &str, person: Value, defaults: Option<&Value>) -> Result<(InList, Person)> {
    let mut all = json!({"name": name});
    for values in [defaults, Some(&person)].into_iter().flatten() {
        let values = values.as_object().with_context(|| format!("{name} must have a dict"))?;
        for (key, value) in values {
            all[key] = value.clone();
        }
    }
    ensure!(all["name"] == *name, "{name} has another name in its dict; omit that");
    let in_list = InList::deserialize(&all).with_context(|| format!("the person {name}"))?;
    if let Some(all) = all.as_object_mut() {
        all.remove("teams");
        all.remove("action");
    }
    let person = Person::deserialize(all).with_context(|| format!("the person {name}"))?;
    Ok((in_list, person))
}

#[cfg(test)]
mod tests {
    use super::super::Users;
    use super::*;

    fn declared(arguments: Value) -> Vec<String> {
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder.call("people", arguments).unwrap();
        let users = recorder.actions().into_iter().filter(|action| action.name == "user");
        let word = |action: &RecordedAction| {
            action.arguments["action"].as_str().unwrap_or_default().to_owned()
        };
        users.map(|action| format!("{} {}", word(&action), action.subject)).collect()
    }

    #[test]
    fn only_people_of_the_teams_belong_on_a_node() {
        let people = json!({
            "ann": {"teams": ["web", "ops"]},
            "bob": {"teams": ["web"], "action": "absent"},
            "eve": {"teams": ["sales"]},
            "zoe": {},
        });
        assert_eq!(
            declared(json!({"people": people, "teams": ["web"]})),
            ["manage ann", "remove bob", "remove eve", "remove zoe"]
        );
        assert_eq!(
            declared(json!({"people": people})),
            ["manage ann", "remove bob", "manage eve", "manage zoe"]
        );
    }

    #[test]
    fn a_list_is_as_good_as_a_dict() {
        let people = json!([{"name": "ann", "shell": "/bin/sh"}, {"name": "bob"}]);
        let mut recorder = Recorder::<Users>::on("debian 12");
        recorder
            .call("people", json!({"people": people, "defaults": {"shell": "/bin/bash"}}))
            .unwrap();
        let shells: Vec<_> =
            recorder.actions().iter().map(|one| one.arguments["shell"].clone()).collect();
        assert_eq!(shells, [json!("/bin/sh"), json!("/bin/bash")]);
    }

    #[test]
    fn what_is_no_list_of_people_is_refused() {
        for (people, said) in [
            (json!([{"shell": "/bin/sh"}]), "needs a name"),
            (json!([{"name": "a"}, {"name": "a"}]), "twice"),
            (json!({"a": {"name": "b"}}), "another name"),
            (json!({"a": {"sehll": "/bin/sh"}}), "the person a"),
            (json!({"a": "b"}), "must have a dict"),
            (json!("a"), "must be a dict"),
        ] {
            let error = Recorder::<Users>::on("debian 12")
                .call("people", json!({"people": people}))
                .unwrap_err();
            assert!(error.to_string().contains(said), "{people}: {error}");
        }
    }
}
