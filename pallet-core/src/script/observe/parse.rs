//! Reads what the observing script said.

use std::collections::BTreeMap;

use base64::Engine;

use super::super::flag_of_file;
use super::answer::{Answer, answers, malformed, number};
use super::observed::{ObserveError, Observed};
use super::{packages, services, simulated, users};
use crate::model::{
    self, Attributes, CommandState, Facts, FileState, Known, NodeState, Observation, Os, OsFamily,
    PackageManager, PackageState, Reading, ServiceManager,
};

/// Reads the `output` of the script that [`compile`](super::compile) made for the same `wanted` and
/// `token`.
pub fn parse(wanted: &Observation, token: &str, output: &[u8]) -> Result<Observed, ObserveError> {
    let output = String::from_utf8_lossy(output);
    let answers = answers(token, &output);
    if answers.last().is_none_or(|last| last.as_slice() != ["end"]) {
        let tail = output
            .trim_end()
            .chars()
            .rev()
            .take(200)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        return Err(ObserveError::Incomplete { last: tail });
    }
    let facts = facts(&answers)?;
    let mut state = NodeState::new(facts.os.clone());
    state.user.clone_from(&facts.user);
    files(wanted, &answers, &mut state)?;
    for answer in &answers {
        match answer.as_slice() {
            ["packages", text] => packages::read(wanted, text, &mut state),
            ["coming", asked, come, needs] => packages::read_coming(asked, come, needs, &mut state),
            ["simulated", name, said] => {
                let come = match state.os.package_manager {
                    PackageManager::Zypper => simulated::zypper(said),
                    _ => simulated::dnf(said),
                };
                if let Some(come) = come {
                    packages::read_coming(name, &come.join(" "), "", &mut state);
                }
            }
            ["unlisted", name, age] => state.set_unlisted(name, number(answer, age)?),
            ["leaving", asked, go] => packages::read_leaving(asked, go, &mut state),
            ["provided", name] => {
                state.set_package(name, PackageState::Installed { version: None });
            }
            ["package_lists", age] => {
                let age = if age.is_empty() { None } else { Some(number(answer, age)?) };
                state.set_package_lists_age(age);
            }
            ["command", index, exit] => {
                let index: usize = number(answer, index)?;
                let command = wanted.commands.iter().nth(index).ok_or_else(|| malformed(answer))?;
                state.set_command(command, CommandState { exit: number(answer, exit)? });
            }
            ["reading", index, exit, output] => {
                let index: usize = number(answer, index)?;
                let (script, of) =
                    wanted.readings.iter().nth(index).ok_or_else(|| malformed(answer))?;
                let output = output.trim_end_matches('\n').to_owned();
                state.set_reading(
                    script,
                    Reading { exit: number(answer, exit)?, output, of: of.clone() },
                );
            }
            ["edit", index, exit, made] => {
                let index: usize = number(answer, index)?;
                let (script, path) =
                    wanted.edits.iter().nth(index).ok_or_else(|| malformed(answer))?;
                let made = Reading {
                    exit: number(answer, exit)?,
                    output: (*made).to_owned(),
                    of: Some(path.clone()),
                };
                state.set_reading(script, made);
            }
            ["written", lines] => {
                for (digest, path) in lines.split('\n').filter_map(|line| line.split_once("  ")) {
                    // `-`: it was forgotten
                    state.set_written(path, Some(digest).filter(|digest| digest.len() == 64));
                }
            }
            ["secrets", lines] => {
                lines.lines().filter_map(|line| line.split_once("  ")).for_each(|(mark, path)| {
                    match mark {
                        // something without secrets stands there now
                        "!" => state.forget_secret(path),
                        digest => {
                            state.set_secret(path, Some(digest).filter(|digest| digest.len() == 64))
                        }
                    }
                })
            }
            ["applied", marks] => marks.lines().for_each(|mark| state.set_applied(mark)),
            _ => {}
        }
    }
    services::read(wanted, &answers, &mut state);
    users::read(wanted, &answers, &mut state);
    let leftovers = answers.iter().any(|answer| answer.as_slice() == ["leftovers"]);
    Ok(Observed { facts, state, leftovers })
}

fn facts(answers: &[Answer<'_>]) -> Result<Facts, ObserveError> {
    let facts: BTreeMap<&str, &str> = answers
        .iter()
        .filter(|answer| answer[0] == "fact" && answer.len() == 3)
        .map(|a| (a[1], a[2]))
        .collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let (hostname, arch) = fact("uname")
        .rsplit_once(' ')
        .ok_or_else(|| malformed(&["fact", "uname", fact("uname")]))?;
    let id = if fact("id").is_empty() { "unknown" } else { fact("id") };
    Ok(Facts {
        os: Os {
            id: id.to_owned(),
            version: fact("version").to_owned(),
            family: OsFamily::of(id, fact("id_like")),
            arch: arch.to_owned(),
            package_manager: word(fact("packages"), PackageManager::Unknown),
            service_manager: word(fact("services"), ServiceManager::Process),
        },
        hostname: hostname.to_owned(),
        user: fact("user").to_owned(),
        cores: fact("cores").parse().unwrap_or(1),
        ram: fact("ram").parse::<u64>().unwrap_or(0) / 1024,
        bootstrapped: fact("bootstrapped") == "yes",
        pending_flags: answers
            .iter()
            .filter(|answer| answer[0] == "flag" && answer.len() == 2)
            .filter_map(|a| flag_of_file(a[1]))
            .collect(),
    })
}

/// A value by its word in serialized data.
fn word<T: serde::de::DeserializeOwned>(word: &str, default: T) -> T {
    serde_json::from_value(serde_json::Value::from(word)).unwrap_or(default)
}

fn files(
    wanted: &Observation,
    answers: &[Answer<'_>],
    state: &mut NodeState,
) -> Result<(), ObserveError> {
    let mut digests: BTreeMap<&str, String> = BTreeMap::new();
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let mut bytes: BTreeMap<&str, String> = BTreeMap::new();
    let mut checked = false;
    for answer in answers {
        match answer.as_slice() {
            ["as_expected" | "checked"] => checked = true,
            ["digest", path, digest] => drop(digests.insert(path, (*digest).to_owned())),
            // content tells its digest, even where another was seen a moment before
            ["text", path, encoded] => {
                let Some(content) = content(encoded) else { continue };
                digests.insert(path, model::digest(&content));
                match String::from_utf8(content) {
                    Ok(text) if text.contains('\0') => {}
                    Ok(text) => drop(texts.insert(path, text)),
                    Err(other) if other.as_bytes().contains(&0) => {}
                    Err(other) => drop(bytes.insert(
                        *path,
                        other.as_bytes().iter().copied().map(char::from).collect::<String>(),
                    )),
                }
            }
            _ => {}
        }
    }
    for answer in answers {
        match answer.as_slice() {
            ["absent", path] => found(wanted, path, FileState::Absent, answer, state)?,
            ["link", path, target] => found(
                wanted,
                path,
                FileState::Link { target: (*target).to_owned() },
                answer,
                state,
            )?,
            ["stat", numbers, path] => {
                look(wanted, numbers, path, state).ok_or_else(|| malformed(answer))?
            }
            ["stats", lines] => {
                // a path may end with what else would be taken for the end of a line
                for line in lines.split('\n').filter(|line| !line.is_empty()) {
                    line.split_once(' ')
                        .and_then(|(numbers, path)| look(wanted, numbers, path, state))
                        .ok_or_else(|| malformed(&[line]))?;
                }
            }
            _ => {}
        }
    }
    for (path, question) in &wanted.files {
        let Known::Known(FileState::File { attributes, .. }) = state.file(path) else { continue };
        let attributes = attributes.clone();
        let digest = match (digests.get(path.as_str()), &question.text_unless) {
            (Some(digest), _) => Some(digest.clone()).filter(|digest| digest.len() == 64),
            // what was checked and not named has the expected digest
            (None, Some(expected)) if checked => Some(expected.clone()),
            _ => None,
        };
        let text =
            texts.remove(path.as_str()).filter(|_| question.text || question.text_unless != digest);
        state.set_file(path, FileState::File { digest, text, attributes });
        if let Some(bytes) = bytes.remove(path.as_str()) {
            state.set_bytes(path, bytes);
        }
    }
    Ok(())
}

/// Takes one line of `stat`; a link is told in another answer.
fn look(wanted: &Observation, numbers: &str, path: &str, state: &mut NodeState) -> Option<()> {
    match stat(numbers)? {
        Some(state_of) => found(wanted, path, state_of, &[path], state).ok(),
        None => Some(()),
    }
}

fn found(
    wanted: &Observation,
    path: &str,
    what: FileState,
    answer: &[&str],
    state: &mut NodeState,
) -> Result<(), ObserveError> {
    let (path, _) = wanted.files.get_key_value(path).ok_or_else(|| malformed(answer))?;
    state.set_file(path, what);
    Ok(())
}

/// Reads `mode:uid:gid:size:user:group` as `stat` says it, the mode in hexadecimal; the inner
/// `None` is a link.
fn stat(numbers: &str) -> Option<Option<FileState>> {
    let [mode, uid, gid, _size, user, group] =
        numbers.splitn(6, ':').collect::<Vec<_>>().try_into().ok()?;
    let mode = u32::from_str_radix(mode, 16).ok()?;
    // an id without a name stands for itself
    let name = |name: &str, id: &str| Some(if name == "UNKNOWN" { id } else { name }.to_owned());
    let attributes =
        Attributes { owner: name(user, uid), group: name(group, gid), mode: Some(mode & 0o7777) };
    Some(match mode & 0o170_000 {
        0o100_000 => Some(FileState::File { digest: None, text: None, attributes }),
        0o040_000 => Some(FileState::Directory(attributes)),
        0o120_000 => None,
        0o010_000 => Some(FileState::Fifo(attributes)),
        _ => Some(FileState::Other),
    })
}

/// Content from base64, which is broken into lines.
fn content(encoded: &str) -> Option<Vec<u8>> {
    let encoded: String = encoded.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(encoded).ok()
}
