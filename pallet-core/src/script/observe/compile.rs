//! Writes the observing script: the functions that are needed, and one call of each with everything it is asked.

use crate::model::Observation;
use crate::script::{INIT, PACKAGE_LISTS, PROCESS, PROVIDES, Script, quote};

const FACTS: &str = include_str!("facts.sh");
const FILES: &str = include_str!("files.sh");
const PACKAGES: &str = include_str!("packages.sh");
const SERVICES: &str = include_str!("services.sh");
const USERS: &str = include_str!("users.sh");

/// The script that finds the facts of a node and answers all that is `wanted`. It can be fed to `sh` as standard input.
///
/// `token` frames its answers: letters and digits that nothing on the node can know.
pub fn compile(wanted: &Observation, token: &str) -> String {
    let mut script = Script::new().raw("{").raw(&format!("token={}", quote(token))).raw(FACTS);
    if !wanted.files.is_empty() {
        script = files(wanted, script.raw(FILES));
    }
    if !wanted.packages.is_empty() {
        script = script.raw(PROVIDES).raw(PACKAGES).call(std::iter::once("packages").chain(wanted.packages.iter().map(String::as_str)));
    }
    if wanted.package_lists {
        script = script.raw(PACKAGE_LISTS).raw(r#"answer package_lists "$(package_lists_age "$packages")""#);
    }
    if !wanted.services.is_empty() {
        script = script.raw(INIT).raw(PROCESS).raw(SERVICES);
        script = script.call(std::iter::once("services").chain(wanted.services.keys().map(String::as_str)));
    }
    if !wanted.users.is_empty() || !wanted.groups.is_empty() {
        script = script.raw(USERS);
    }
    if !wanted.users.is_empty() {
        script = script.call(std::iter::once("users").chain(wanted.users.iter().map(String::as_str)));
    }
    if !wanted.groups.is_empty() {
        script = script.call(std::iter::once("groups").chain(wanted.groups.iter().map(String::as_str)));
    }
    for (index, command) in wanted.commands.iter().enumerate() {
        // a shell of its own, so that a syntax error or a variable of one says nothing about the rest
        script = script.raw(&format!("sh -c {} </dev/null >/dev/null 2>&1\nanswer command {index} \"$?\"", quote(command)));
    }
    script.raw("answer end\n} </dev/null").as_str().to_owned()
}

fn files(wanted: &Observation, script: Script) -> Script {
    let asked = |call: &'static str| std::iter::once(call);
    let mut script = script.call(asked("describe").chain(wanted.files.keys().map(String::as_str)));
    let digests: Vec<&str> = wanted.files.iter().filter(|(_, asked)| asked.digest).map(|(path, _)| path.as_str()).collect();
    if !digests.is_empty() {
        script = script.call(asked("digest").chain(digests));
    }
    let texts: Vec<&str> = wanted
        .files
        .iter()
        .filter_map(|(path, asked)| asked.text_unless.as_deref().map(|digest| [path.as_str(), digest]))
        .flatten()
        .collect();
    if !texts.is_empty() {
        script = script.call(asked("text").chain(texts));
    }
    script
}
