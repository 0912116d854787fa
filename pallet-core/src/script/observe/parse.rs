//! Reads what the observing script said.

use std::collections::BTreeMap;

use base64::Engine;

use super::super::flag_of_file;
use super::{ObserveError, Observed, packages, services, users};
use crate::model::{
    self, Attributes, CommandState, Facts, FileState, NodeState, Observation, Os, OsFamily, PackageManager, PackageState, ServiceManager,
};

/// Reads the `output` of the script that [`compile`](super::compile) made for the same `wanted` and `token`.
pub fn parse(wanted: &Observation, token: &str, output: &[u8]) -> Result<Observed, ObserveError> {
    let output = String::from_utf8_lossy(output);
    let answers = answers(token, &output);
    if answers.last().is_none_or(|last| last.as_slice() != ["end"]) {
        let tail = output.trim_end().chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
        return Err(ObserveError::Incomplete { last: tail });
    }
    let facts = facts(&answers)?;
    let mut state = NodeState::new(facts.os.clone());
    state.user.clone_from(&facts.user);
    files(wanted, &answers, &mut state)?;
    for answer in &answers {
        match answer.as_slice() {
            ["packages", text] => packages::read(wanted, text, &mut state),
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
            _ => {}
        }
    }
    services::read(wanted, &answers, &mut state);
    users::read(wanted, &answers, &mut state);
    Ok(Observed { facts, state })
}

/// One answer's fields.
pub(super) type Answer<'a> = Vec<&'a str>;

/// The answers in the output, in order; whatever stands between them is nobody's.
fn answers<'a>(token: &str, output: &'a str) -> Vec<Answer<'a>> {
    let (open, close, separator) = (format!("{token}< {token} "), format!(" {token} {token}> {token} "), format!(" {token} "));
    let mut rest = output;
    let mut found = Vec::new();
    while let Some(start) = rest.find(&open) {
        rest = &rest[start + open.len()..];
        let Some(end) = rest.find(&close) else { break };
        found.push(rest[..end].split(&separator).collect());
        rest = &rest[end + close.len()..];
    }
    found
}

fn facts(answers: &[Answer<'_>]) -> Result<Facts, ObserveError> {
    let facts: BTreeMap<&str, &str> =
        answers.iter().filter(|answer| answer[0] == "fact" && answer.len() == 3).map(|a| (a[1], a[2])).collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let (hostname, arch) = fact("uname").rsplit_once(' ').ok_or_else(|| malformed(&["fact", "uname", fact("uname")]))?;
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

fn files(wanted: &Observation, answers: &[Answer<'_>], state: &mut NodeState) -> Result<(), ObserveError> {
    let mut digests = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for answer in answers {
        match answer.as_slice() {
            ["digests", lines] => digests.extend(lines.lines().filter_map(digest_line)),
            ["digest", path, digest] => {
                digests.insert((*path).to_owned(), (*digest).to_owned());
            }
            ["text", path, encoded] => {
                if let Some(text) = text(encoded) {
                    texts.insert((*path).to_owned(), text);
                }
            }
            _ => {}
        }
    }
    // what was said last of a path holds: it was asked for again because it had changed
    for answer in answers {
        let (path, found) = match answer.as_slice() {
            ["absent", path] => (path, FileState::Absent),
            ["link", path, target] => (path, FileState::Link { target: (*target).to_owned() }),
            ["stat", numbers, path] => (path, stat(numbers).ok_or_else(|| malformed(answer))?),
            _ => continue,
        };
        let Some((path, question)) = wanted.files.get_key_value(*path) else { return Err(malformed(answer)) };
        let found = match found {
            FileState::File { attributes, .. } => {
                let digest = digests.get(path).filter(|_| question.digest).cloned();
                // content that changed between the two looks says nothing
                let text = texts.get(path).filter(|text| digest.as_deref() == Some(model::digest(text.as_bytes()).as_str()));
                FileState::File { text: text.filter(|_| question.text_unless != digest).cloned(), digest, attributes }
            }
            other => other,
        };
        state.set_file(path, found);
    }
    Ok(())
}

/// Reads `mode:size:uid:gid:user:group` as `stat` says it, the mode in hexadecimal.
fn stat(numbers: &str) -> Option<FileState> {
    let [mode, _size, uid, gid, user, group] = numbers.splitn(6, ':').collect::<Vec<_>>().try_into().ok()?;
    let mode = u32::from_str_radix(mode, 16).ok()?;
    // an id without a name stands for itself
    let name = |name: &str, id: &str| Some(if name == "UNKNOWN" { id } else { name }.to_owned());
    let attributes = Attributes { owner: name(user, uid), group: name(group, gid), mode: Some(mode & 0o7777) };
    Some(match mode & 0o170_000 {
        0o100_000 => FileState::File { digest: None, text: None, attributes },
        0o040_000 => FileState::Directory(attributes),
        _ => FileState::Other,
    })
}

/// Reads a line of `sha256sum`. GNU's begins with a backslash where it had to escape the name, busybox's never does.
fn digest_line(line: &str) -> Option<(String, String)> {
    let (line, escaped) = line.strip_prefix('\\').map_or((line, false), |line| (line, true));
    let (digest, name) = line.split_at_checked(64)?;
    let name = name.strip_prefix("  ").or_else(|| name.strip_prefix(" *"))?;
    let name = if escaped { unescape(name) } else { name.to_owned() };
    digest.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| (name, digest.to_owned()))
}

fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(character) = rest.next() {
        plain.push(match character {
            '\\' => match rest.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}

/// Text from base64: UTF-8 without NUL.
fn text(encoded: &str) -> Option<String> {
    let encoded: String = encoded.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn number<T: std::str::FromStr>(answer: &[&str], text: &str) -> Result<T, ObserveError> {
    text.parse().map_err(|_| malformed(answer))
}

fn malformed(answer: &[&str]) -> ObserveError {
    ObserveError::Malformed { answer: answer.join(" ") }
}
