//! Writes the observing script: the functions that are needed, and one call of each with everything
//! it is asked.

use std::collections::BTreeSet;

use crate::model::Observation;
use crate::script::{
    INIT, Library, PACKAGE_LISTS, PROCESS, PROVIDES, RUNIT, Script, UNIT, quote, shell,
};

const FACTS: &str = include_str!("facts.sh");
const FILES: &str = include_str!("files.sh");
const RECORDS: &str = include_str!("records.sh");
const PACKAGES: &str = include_str!("packages.sh");
const COMING: &str = include_str!("coming.sh");
const SERVICES: &str = include_str!("services.sh");
const USERS: &str = include_str!("users.sh");

/// The script that finds the facts of a node and answers all that is `wanted`. It can be fed to
/// `sh` as standard input.
///
/// `token` frames its answers: letters and digits that nothing on the node can know.
pub fn compile(wanted: &Observation, token: &str) -> String {
    let mut script = Script::new().raw("{").raw(&format!("token={}", quote(token))).raw(FACTS);
    if !wanted.files.is_empty() {
        script = files(wanted, script.raw(FILES));
    }
    if !wanted.packages.is_empty() {
        script = script
            .raw(PROVIDES)
            .raw(PACKAGES)
            .call(std::iter::once("packages").chain(wanted.packages.iter().map(String::as_str)));
    }
    if wanted.package_lists || !wanted.installs.is_empty() {
        script = script.raw(PACKAGE_LISTS);
    }
    if !wanted.installs.is_empty() || !wanted.removals.is_empty() {
        script = script.raw(COMING);
    }
    for (function, by_manager) in
        [("packages_to_come", &wanted.installs), ("packages_to_go", &wanted.removals)]
    {
        for (manager, names) in by_manager {
            script = script.call(
                [function, manager.as_str()].into_iter().chain(names.iter().map(String::as_str)),
            );
        }
    }
    if wanted.package_lists {
        script = script.raw(r#"answer package_lists "$(package_lists_age "$packages")""#);
    }
    if !wanted.services.is_empty() {
        script = script.raw(INIT).raw(RUNIT).raw(PROCESS).raw(UNIT).raw(SERVICES);
        script = script
            .call(std::iter::once("services").chain(wanted.services.keys().map(String::as_str)));
    }
    if !wanted.users.is_empty() || !wanted.groups.is_empty() {
        script = script.raw(USERS);
    }
    if !wanted.users.is_empty() {
        script =
            script.call(std::iter::once("users").chain(wanted.users.iter().map(String::as_str)));
    }
    if !wanted.groups.is_empty() {
        script =
            script.call(std::iter::once("groups").chain(wanted.groups.iter().map(String::as_str)));
    }
    for (index, command) in wanted.commands.iter().enumerate() {
        // a shell of its own, so that a syntax error or a variable of one says nothing about the
        // rest
        script = script.raw(&format!(
            "{} >/dev/null 2>&1\nanswer command {index} \"$?\"",
            shell(command, None)
        ));
    }
    // a shell can warn of what it keeps itself, such as a NUL character
    for (index, command) in wanted.readings.keys().enumerate() {
        script = script.raw(&format!(
            "{{ read=$({} 2>/dev/null); }} 2>/dev/null\n\
                answer reading {index} \"$?\" \"$read\"",
            shell(command, None)
        ));
    }
    if !wanted.edits.is_empty() {
        let paths: BTreeSet<&str> = wanted.edits.values().map(String::as_str).collect();
        script = script
            .raw(LARGE)
            .call(std::iter::once("find_large").chain(paths))
            .raw(&edit_library(wanted));
        for (index, (call, path)) in wanted.edits.iter().enumerate() {
            let look = format!(
                "{{ made=$( (set -e; edit_library; {}) 2>/dev/null ); }} 2>/dev/null",
                call.trim_end()
            );
            script = script.raw(&format!(
                "if large {}; then\n{look}\n\
                answer edit {index} \"$?\" \"$made\"\nfi",
                quote(path)
            ));
        }
    }
    if wanted.records {
        script = script.raw(RECORDS);
    }
    script.raw("answer end\n} </dev/null").as_str().to_owned()
}

/// Large files do not travel.
const LARGE: &str = r#"find_large() { large=$nl$(find "$@" -prune -type f -size +65536c 2>/dev/null)$nl; }
large() { case $large in *"$nl$1$nl"*) ;; *) return 1 ;; esac; }"#;

/// A function that defines what the edits call, and `edit_file` so that it prints the digest of
/// what they would make of the file.
fn edit_library(wanted: &Observation) -> String {
    let calls: String = wanted.edits.keys().map(String::as_str).collect();
    let library = Library::default().part_without("edit_file", &calls);
    let edit_file = "edit_file() \
        {\n  editing=$1\n  made=$(edited \"$1\" | sha256sum)\n  printf %s \"${made%% *}\"\n}";
    format!("edit_library() {{\n{library}\n{edit_file}\n}}")
}

/// So many files are asked in one call: a command line has an end.
const FILES_IN_ONE_CALL: usize = 1000;

fn files(wanted: &Observation, mut script: Script) -> Script {
    let mut calls: [(&str, Vec<&str>, usize); 6] = [
        ("describe", Vec::new(), 1),
        ("describe_odd", Vec::new(), 1),
        ("contents", Vec::new(), 2),
        ("contents_odd", Vec::new(), 2),
        ("content_of", Vec::new(), 1),
        ("digest", Vec::new(), 1),
    ];
    for (path, asked) in &wanted.files {
        calls[usize::from(path.contains('\n'))].1.push(path);
        match &asked.text_unless {
            _ if asked.text => calls[4].1.push(path),
            // what is no digest would be skipped when it is checked
            Some(expected) if !is_digest(expected) => calls[4].1.push(path),
            Some(expected) => calls[2 + usize::from(path.contains(['\n', '\r', '\\']))]
                .1
                .extend([expected.as_str(), path]),
            None if asked.digest => calls[5].1.push(path),
            None => {}
        }
    }
    for (call, words, width) in calls {
        for words in words.chunks(FILES_IN_ONE_CALL * width) {
            script = script.call(std::iter::once(call).chain(words.iter().copied()));
        }
    }
    if wanted.files.values().any(|asked| asked.text || asked.digest || asked.text_unless.is_some())
    {
        script = script.raw("secrets");
    }
    if wanted.files.values().any(|asked| asked.written) { script.raw("written") } else { script }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
