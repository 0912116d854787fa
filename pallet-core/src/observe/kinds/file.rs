//! Files, directories and all else that can stand at a path.

use std::collections::BTreeMap;

use base64::Engine;
use serde::{Deserialize, Serialize};

use super::super::ObserveError;
use super::super::answer::{Answer, malformed};
use super::super::kind::{Kind, KindDescription, contradictions, keep_same, open_or_same};
use crate::model::{Os, digest};
use crate::script::Script;

/// What is asked of paths, links not followed.
type FileQuestions = BTreeMap<String, FileQuestion>;

/// What is asked of one path besides its kind, owner, group and mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileQuestion {
    /// The SHA-256 digest of its content.
    pub digest: bool,
    /// Its content too, for a diff, unless its digest is this one, it is larger than 64 KiB, or it
    /// is not text.
    pub text_unless: Option<String>,
    /// Its content in any case, unless it is larger than 64 KiB or not text.
    pub text: bool,
    /// What Pallet last wrote there; that is told of every file whose digest is not the one that it
    /// should be.
    pub written: bool,
}

/// What stands at paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    pub(crate) states: BTreeMap<String, FileState>,
    /// What is not text, each byte a character, with the digest of the file that holds it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) bytes: BTreeMap<String, (String, String)>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Nothing.
    Absent,
    /// A regular file.
    File {
        /// The SHA-256 digest of its content, in hexadecimal; `None` if it is not known.
        digest: Option<String>,
        /// Its content, where it was asked for and is text.
        text: Option<String>,
        /// Its owner, group and mode.
        attributes: Attributes,
    },
    /// A directory.
    Directory(Attributes),
    /// A symbolic link.
    Link {
        /// Where it points, as it is written.
        target: String,
    },
    /// A named pipe.
    Fifo(Attributes),
    /// A device or a socket.
    Other,
}

/// The owner, group and mode of a file: in a wish, `None` leaves one as it is; in a state, `None`
/// is one that is not known.
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
    /// Whether `seen` is one of the states that this one, with what it leaves open, allows.
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

    /// The same, where a digest that was not asked for contradicts nothing.
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
    /// Its owner, group and mode, where it has them.
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
    /// Whether `seen` is one of the attributes that these, with what they leave open, allow.
    pub fn allows(&self, seen: &Attributes) -> bool {
        open_or_same(&self.owner, &seen.owner)
            && open_or_same(&self.group, &seen.group)
            && open_or_same(&self.mode, &seen.mode)
    }

    /// These, with what they leave open taken from `base`.
    pub fn or(&self, base: &Attributes) -> Attributes {
        Attributes {
            owner: self.owner.clone().or_else(|| base.owner.clone()),
            group: self.group.clone().or_else(|| base.group.clone()),
            mode: self.mode.or(base.mode),
        }
    }
}

/// So many files are asked in one call: a command line has an end.
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
                // content tells its digest, even where another was seen a moment before
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
                    // a path may end with what else would be taken for the end of a line
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
                // what was checked and not named has the expected digest
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
    /// Takes one line of `stat`; a link is told in another answer.
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

/// What stands at a path, in words.
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
