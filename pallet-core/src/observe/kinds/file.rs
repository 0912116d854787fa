//! Files, directories, links and anything else at a path.

use std::collections::BTreeMap;

use base64::Engine;
use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, malformed};
use super::super::kind::{Kind, KindDescription, contradictions, keep_same, open_or_same};
use crate::model::{Os, digest};
use crate::script::Script;

/// The questions about paths; links are not followed.
type FileQuestions = BTreeMap<String, FileQuestion>;

/// The questions about one path, in addition to its kind, owner, group and mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileQuestion {
    /// The SHA-256 digest of its content.
    pub digest: bool,
    /// Also its content, for a diff, unless the file has this digest, is larger than 64 KiB, or is
    /// not text.
    pub text_unless: Option<String>,
    /// Its content in any case, unless it is larger than 64 KiB or not text.
    pub text: bool,
    /// The digest that Pallet last wrote there. It is also reported for every file whose digest is
    /// not the expected one.
    pub written: bool,
}

/// The known state of paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    pub(crate) states: BTreeMap<String, FileState>,
    /// Small non-text contents, one character per byte, each with the digest of its file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) bytes: BTreeMap<String, (String, String)>,
}

/// The state of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It does not exist.
    Absent,
    /// A regular file.
    File {
        /// The SHA-256 digest of its content, in hexadecimal; `None` if unknown.
        digest: Option<String>,
        /// Its content, if requested and text.
        text: Option<String>,
        /// Its owner, group and mode.
        attributes: Attributes,
    },
    /// A directory.
    Directory(Attributes),
    /// A symbolic link.
    Link {
        /// Its target, as written in the link.
        target: String,
    },
    /// A named pipe.
    Fifo(Attributes),
    /// A device or a socket.
    Other,
}

/// The owner, group and mode of a file. In a declaration, `None` leaves an attribute unchanged; in
/// a state, `None` is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The owner's name.
    pub owner: Option<String>,
    /// The group's name.
    pub group: Option<String>,
    /// The permission bits, such as `0o644`.
    pub mode: Option<u32>,
}

impl FileState {
    /// Whether `seen` matches this state; unknown parts of this state match anything.
    pub fn allows(&self, seen: &FileState) -> bool {
        match (self, seen) {
            (
                FileState::File { digest, attributes, .. },
                FileState::File { digest: seen_digest, attributes: seen_attributes, .. },
            ) => open_or_same(digest, seen_digest) && attributes.allows(seen_attributes),
            (FileState::Directory(wanted), FileState::Directory(seen))
            | (FileState::Fifo(wanted), FileState::Fifo(seen)) => wanted.allows(seen),
            (wanted, seen) => wanted == seen,
        }
    }

    /// Like `allows`, but a digest that was not requested matches anything.
    fn could_be(&self, seen: &FileState) -> bool {
        match (self, seen) {
            (
                FileState::File { attributes, .. },
                FileState::File { digest: None, attributes: seen, .. },
            ) => attributes.allows(seen),
            (predicted, seen) => predicted.allows(seen),
        }
    }
}

impl FileState {
    /// Its owner, group and mode, if it has them.
    pub(crate) fn attributes_mut(&mut self) -> Option<&mut Attributes> {
        match self {
            FileState::File { attributes, .. }
            | FileState::Directory(attributes)
            | FileState::Fifo(attributes) => Some(attributes),
            FileState::Absent | FileState::Link { .. } | FileState::Other => None,
        }
    }
}

impl Attributes {
    /// Whether `seen` matches these attributes; `None` matches anything.
    pub fn allows(&self, seen: &Attributes) -> bool {
        open_or_same(&self.owner, &seen.owner)
            && open_or_same(&self.group, &seen.group)
            && open_or_same(&self.mode, &seen.mode)
    }

    /// These attributes, with missing ones taken from `base`.
    pub fn or(&self, base: &Attributes) -> Attributes {
        Attributes {
            owner: self.owner.clone().or_else(|| base.owner.clone()),
            group: self.group.clone().or_else(|| base.group.clone()),
            mode: self.mode.or(base.mode),
        }
    }
}

/// Maximum number of files per call: the length of a command line is limited.
const FILES_IN_ONE_CALL: usize = 1000;

impl Kind for Files {
    type Questions = FileQuestions;

    fn ask(questions: &mut FileQuestions, other: FileQuestions) {
        for (path, question) in other {
            let ours = questions.entry(path).or_default();
            ours.digest |= question.digest;
            ours.text |= question.text;
            ours.written |= question.written;
            ours.text_unless = ours.text_unless.take().or(question.text_unless);
        }
    }

    fn functions(questions: &FileQuestions) -> Vec<&'static str> {
        if questions.is_empty() { Vec::new() } else { vec![include_str!("file.sh")] }
    }

    fn script(questions: &FileQuestions, mut script: Script) -> Script {
        let mut calls: [(&str, Vec<&str>, usize); 6] = [
            ("describe", Vec::new(), 1),
            ("describe_odd", Vec::new(), 1),
            ("contents", Vec::new(), 2),
            ("contents_odd", Vec::new(), 2),
            ("content_of", Vec::new(), 1),
            ("digest", Vec::new(), 1),
        ];
        for (path, asked) in questions {
            calls[usize::from(path.contains('\n'))].1.push(path);
            match &asked.text_unless {
                _ if asked.text => calls[4].1.push(path),
                // `sha256sum --check` would skip an expected value that is not a digest
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
        if questions.values().any(|asked| asked.text || asked.digest || asked.text_unless.is_some())
        {
            script = script.raw("secrets");
        }
        if questions.values().any(|asked| asked.written) { script.raw("written") } else { script }
    }

    fn read(
        &mut self,
        questions: &FileQuestions,
        answers: &[Answer<'_>],
        _os: &Os,
    ) -> Result<(), ObserveError> {
        let mut digests: BTreeMap<&str, String> = BTreeMap::new();
        let mut texts: BTreeMap<&str, String> = BTreeMap::new();
        let mut bytes: BTreeMap<&str, String> = BTreeMap::new();
        let mut checked = false;
        for answer in answers {
            match answer.as_slice() {
                ["as_expected" | "checked"] => checked = true,
                ["digest", path, digest] => drop(digests.insert(path, (*digest).to_owned())),
                // use the digest of this very content, in case the file changed since its digest
                // was read
                ["text", path, encoded] => {
                    let Some(content) = content(encoded) else { continue };
                    digests.insert(path, digest(&content));
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
                ["absent", path] => self.found(questions, path, FileState::Absent, answer)?,
                ["link", path, target] => self.found(
                    questions,
                    path,
                    FileState::Link { target: (*target).to_owned() },
                    answer,
                )?,
                ["stat", numbers, path] => {
                    self.look(questions, numbers, path).ok_or_else(|| malformed(answer))?
                }
                ["stats", lines] => {
                    // split at newlines only: a path may end with another line end, such as a
                    // carriage return
                    for line in lines.split('\n').filter(|line| !line.is_empty()) {
                        line.split_once(' ')
                            .and_then(|(numbers, path)| self.look(questions, numbers, path))
                            .ok_or_else(|| malformed(&[line]))?;
                    }
                }
                _ => {}
            }
        }
        for (path, question) in questions {
            let Some(FileState::File { attributes, .. }) = self.states.get(path) else { continue };
            let attributes = attributes.clone();
            let digest = match (digests.get(path.as_str()), &question.text_unless) {
                (Some(digest), _) => Some(digest.clone()).filter(|digest| digest.len() == 64),
                // `sha256sum --check` reported no mismatch, so it has the expected digest
                (None, Some(expected)) if checked => Some(expected.clone()),
                _ => None,
            };
            let text = texts
                .remove(path.as_str())
                .filter(|_| question.text || question.text_unless != digest);
            self.states
                .insert(path.clone(), FileState::File { digest: digest.clone(), text, attributes });
            if let (Some(bytes), Some(digest)) = (bytes.remove(path.as_str()), digest) {
                self.bytes.insert(path.clone(), (digest, bytes));
            }
        }
        Ok(())
    }

    fn keep_what_agrees(&mut self, other: &Self) {
        keep_same(&mut self.states, &other.states);
    }

    fn learn(&mut self, newer: Self) {
        self.states.extend(newer.states);
        self.bytes.extend(newer.bytes);
    }

    fn contradictions(&self, observed: &Self) -> Vec<String> {
        contradictions("file", &self.states, &observed.states, FileState::could_be)
    }

    fn describe(&self, questions: &FileQuestions, outputs: bool) -> Vec<KindDescription> {
        let describe = |path: &String| {
            let found = self.states.get(path).map(|state| file(state, outputs));
            KindDescription::new(format!("file {path}"), found)
        };
        questions.keys().map(describe).collect()
    }
}

impl Files {
    /// Reads one line of `stat`; links have an answer of their own.
    fn look(&mut self, questions: &FileQuestions, numbers: &str, path: &str) -> Option<()> {
        match stat(numbers)? {
            Some(state) => self.found(questions, path, state, &[path]).ok(),
            None => Some(()),
        }
    }

    fn found(
        &mut self,
        questions: &FileQuestions,
        path: &str,
        state: FileState,
        answer: &[&str],
    ) -> Result<(), ObserveError> {
        let (path, _) = questions.get_key_value(path).ok_or_else(|| malformed(answer))?;
        self.states.insert(path.clone(), state);
        Ok(())
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Parses `mode:uid:gid:size:user:group` from `stat`, with the mode in hexadecimal; the inner
/// `None` is a link.
fn stat(numbers: &str) -> Option<Option<FileState>> {
    let [mode, uid, gid, _size, user, group] =
        numbers.splitn(6, ':').collect::<Vec<_>>().try_into().ok()?;
    let mode = u32::from_str_radix(mode, 16).ok()?;
    // an ID without a name is used as the name
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

/// Decodes base64 that is broken into lines.
fn content(encoded: &str) -> Option<Vec<u8>> {
    let encoded: String = encoded.split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(encoded).ok()
}

/// Describes the state of a path.
fn file(state: &FileState, digests: bool) -> String {
    match state {
        FileState::Absent => "there is none".to_owned(),
        FileState::File { digest, attributes: of, .. } => {
            let digest = digest
                .as_ref()
                .filter(|_| digests)
                .map(|digest| format!(", sha256 {}", &digest[..digest.len().min(12)]))
                .unwrap_or_default();
            format!("a file{}{digest}", attributes(of))
        }
        FileState::Directory(of) => format!("a directory{}", attributes(of)),
        FileState::Link { target } => format!("a link to {target}"),
        FileState::Fifo(of) => format!("a named pipe{}", attributes(of)),
        FileState::Other => "a device or a socket".to_owned(),
    }
}

fn attributes(of: &Attributes) -> String {
    let owner = match (&of.owner, &of.group) {
        (None, None) => String::new(),
        (owner, group) => {
            format!(", {}:{}", owner.as_deref().unwrap_or("?"), group.as_deref().unwrap_or("?"))
        }
    };
    owner + &of.mode.map(|mode| format!(", mode {mode:04o}")).unwrap_or_default()
}
