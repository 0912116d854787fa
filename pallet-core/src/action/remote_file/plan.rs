//! Plans a file with given content, which is known here, or only on the node.

use super::super::download::Checksum;
use super::super::file_support::{
    all_of, attribute_words, diff, kind, new_attributes, only_of_kind, plan_file, require_parent,
    summary,
};
use super::super::{Action as _, ActionError, Change, SymbolicLink, Upload};
use super::source::{ContentSource, md5_of, note, note_text};
use crate::model::{Known, digest};
use crate::observe::{Attributes, FileState, NodeState, Reading};
use crate::script::{Script, quote};

/// A file to plan.
pub(in super::super) struct FilePlan<'a> {
    pub(in super::super) path: &'a str,
    pub(in super::super) source: &'a ContentSource,
    pub(in super::super) wanted: Attributes,
    /// A command that must succeed before the file is replaced.
    pub(in super::super) verify: Option<&'a str>,
    /// How many older versions are kept; `None`: the default number.
    pub(in super::super) max_versions: Option<u32>,
    /// Whether content that was changed by hand is overwritten.
    pub(in super::super) overwrite: bool,
}

impl FilePlan<'_> {
    pub(in super::super) fn change(
        &self,
        node: &mut NodeState,
    ) -> Result<Option<Change>, ActionError> {
        let path = self.path;
        if let ContentSource::Link(target) = self.source {
            return SymbolicLink::new(path, target).force().plan(node);
        }
        require_parent(node, path, &self.state(None, Attributes::default()))?;
        let new = self.digest(node)?;
        let current = node.file(path).cloned();
        let change = match &current {
            Known::Known(FileState::File { digest, text, attributes }) => {
                let by_hand = digest
                    .as_deref()
                    .zip(node.written(path))
                    .is_some_and(|(digest, written)| digest != written);
                let after = self.wanted.or(attributes);
                match self.is_right(node, digest.as_deref(), new.as_deref(), by_hand) {
                    Some(true) => {
                        let state = FileState::File {
                            digest: digest.clone(),
                            text: text.clone(),
                            attributes: after,
                        };
                        let words = ["ensure_attributes", path]
                            .map(str::to_owned)
                            .into_iter()
                            .chain(attribute_words(&self.wanted));
                        let change = plan_file(node, path, state, Script::new().call(words))?;
                        self.remember(node);
                        return Ok(change);
                    }
                    Some(false) if by_hand && !self.overwrite => {
                        let (Known::Known(current), state) = (&current, self.state(new, after))
                        else {
                            return Ok(None);
                        };
                        return Ok(Some(
                            Change::drifted("content changed by hand")
                                .with_diff(self.diff(current, &state)),
                        ));
                    }
                    Some(false) => self.will(node, self.state(new, after)),
                    None => self.may(node, new, agreed(attributes, &after)),
                }
            }
            Known::Known(FileState::Absent | FileState::Link { .. }) => {
                let attributes = new_attributes(node, &self.wanted, 0o644);
                self.will(node, self.state(new, attributes))
            }
            Known::Known(other) => {
                return Err(ActionError::node(format!(
                    "{path} is a {}; there can be no file of that name",
                    kind(other)
                )));
            }
            Known::Unknown => self.may(node, new, Attributes::default()),
        };
        Ok(Some(self.with_upload(change)))
    }

    /// The digest that the content will have, if known.
    fn digest(&self, node: &NodeState) -> Result<Option<String>, ActionError> {
        let ContentSource::Node(source) = self.source else {
            return Ok(self.source.digest().map(str::to_owned));
        };
        match node.file(source) {
            Known::Known(FileState::File { digest, .. }) => Ok(digest.clone()),
            Known::Known(FileState::Absent) => Err(ActionError::node(format!(
                "there is no file {source} on the node to be copied"
            ))),
            Known::Known(FileState::Link { target }) => Err(ActionError::node(format!(
                "{source} is a link to {target}; name the file itself to be copied"
            ))),
            Known::Known(other) => Err(ActionError::node(format!(
                "{source} is a {}, not a file to be copied",
                kind(other)
            ))),
            Known::Unknown => Ok(None),
        }
    }

    /// Whether a file with the digest `old` has the right content; `None` if the node must find
    /// out.
    fn is_right(
        &self,
        node: &NodeState,
        old: Option<&str>,
        new: Option<&str>,
        by_hand: bool,
    ) -> Option<bool> {
        let path = self.path;
        let ContentSource::Download(download) = self.source else { return Some(old? == new?) };
        match &download.checksum {
            Checksum::Sha256(digest) => Some(old? == digest),
            Checksum::Md5(digest) => match node.reading(&md5_of(path)) {
                Known::Known(reading) if reading.exit == 0 => {
                    Some(reading.output.split(' ').next() == Some(digest))
                }
                _ => None,
            },
            _ if node.user != "root" => Some(true),
            _ if by_hand => Some(false),
            _ => match node.file(&note(path)) {
                Known::Known(FileState::File { digest: noted, .. }) => {
                    noted.as_ref().map(|noted| *noted == digest(note_text(download).as_bytes()))
                }
                Known::Known(_) => Some(false),
                Known::Unknown => None,
            },
        }
    }

    fn will(&self, node: &mut NodeState, state: FileState) -> Change {
        let path = self.path;
        let change = match node.set_file(path, state.clone()) {
            Known::Known(current) => {
                let summary = match (&current, &state) {
                    (FileState::File { .. }, FileState::File { .. }) => "change content".to_owned(),
                    _ => summary(&current, &state),
                };
                Change::will(summary, self.script()).with_diff(self.diff(&current, &state))
            }
            Known::Unknown => Change::may("ensure file", self.script()),
        };
        self.remember(node);
        change
    }

    /// Plans a change that the node decides on. Content that was changed by hand is kept, so unless
    /// it is overwritten, the content is unknown afterwards.
    fn may(&self, node: &mut NodeState, new: Option<String>, attributes: Attributes) -> Change {
        let path = self.path;
        let shown = self.unknown(node, new.clone());
        let script = only_of_kind(node, path, "file link", self.script());
        if self.overwrite {
            node.set_file(path, self.state(new, self.wanted.clone()));
            self.remember(node);
        } else {
            node.set_file(path, FileState::File { digest: None, text: None, attributes });
            node.forget_files_below(&note(path));
            node.forget_reading(&md5_of(path));
        }
        Change::may("ensure file", script).with_diff(shown)
    }

    /// A diff if the current state is unknown.
    fn unknown(&self, node: &NodeState, new: Option<String>) -> String {
        match node.file(self.path) {
            Known::Unknown => all_of(&self.state(new, self.wanted.clone())) + &self.from(),
            Known::Known(current) => self.diff(current, &self.state(new, self.wanted.clone())),
        }
    }

    fn state(&self, digest: Option<String>, attributes: Attributes) -> FileState {
        let text = match self.source {
            ContentSource::Content(content) => content.text(),
            _ => None,
        };
        FileState::File { digest, text, attributes }
    }

    /// Updates the known state that tells whether the content is right.
    fn remember(&self, node: &mut NodeState) {
        let path = self.path;
        let ContentSource::Download(download) = self.source else {
            return node.forget_files_below(&note(path));
        };
        match &download.checksum {
            Checksum::Sha256(_) => node.forget_files_below(&note(path)),
            Checksum::Md5(digest) => {
                let reading =
                    Reading { exit: 0, output: format!("{digest}  -"), of: Some(path.to_owned()) };
                node.set_reading(&md5_of(path), reading);
                node.forget_files_below(&note(path));
            }
            // only root records where the file came from
            _ if node.user == "root" => {
                let text = note_text(download);
                let attributes = Attributes { mode: Some(0o600), ..Attributes::default() };
                node.set_file(
                    &note(path),
                    FileState::File {
                        digest: Some(digest(text.as_bytes())),
                        text: Some(text),
                        attributes,
                    },
                );
            }
            _ => {}
        }
    }

    fn diff(&self, current: &FileState, state: &FileState) -> String {
        diff(current, state) + &self.from()
    }

    fn from(&self) -> String {
        match self.source {
            ContentSource::Download(download) => format!("+ content from {}\n", download.shown()),
            ContentSource::Node(path) => format!("+ content of {path}\n"),
            _ => String::new(),
        }
    }

    fn script(&self) -> Script {
        let FilePlan { path, verify, max_versions, .. } = *self;
        let mut words: Vec<String> = attribute_words(&self.wanted).into();
        words.push(verify.unwrap_or_default().to_owned());
        words.push(max_versions.map(|number| number.to_string()).unwrap_or_default());
        words.push(if self.overwrite { "overwrite".to_owned() } else { String::new() });
        // trailing empty words are defaults, and can be omitted
        while words.len() > 4 && words.last().is_some_and(String::is_empty) {
            words.pop();
        }
        let words: String = words.iter().map(|word| format!(" {}", quote(word))).collect();
        let path = quote(path);
        let call = match self.source {
            ContentSource::Node(_) => format!(
                "digest_of \"$source\"\n\
                ensure_content {path} \"$digest\"{words}"
            ),
            ContentSource::Download(download) => match &download.checksum {
                Checksum::Sha256(digest) => format!("ensure_content {path} {digest}{words}"),
                Checksum::Md5(digest) => format!("ensure_download md5:{digest} {path}{words}"),
                _ => format!("ensure_download {} {path}{words}", download.origin()),
            },
            source => {
                format!("ensure_content {path} {}{words}", source.digest().unwrap_or_default())
            }
        };
        let script = Script::new().raw(&self.source.script()).raw(&call);
        match self.source {
            ContentSource::Content(_) if verify.is_none() => script.of_one_file(),
            _ => script,
        }
    }

    fn with_upload(&self, change: Change) -> Change {
        let ContentSource::Content(content) = self.source else { return change };
        match content.upload() {
            Some(source) => change.with_upload(Upload {
                digest: content.digest.clone(),
                source,
                path: Some(self.path.to_owned()),
            }),
            None => change,
        }
    }
}

/// The attributes that are the same in both.
fn agreed(one: &Attributes, other: &Attributes) -> Attributes {
    fn same<T: PartialEq + Clone>(one: &Option<T>, other: &Option<T>) -> Option<T> {
        one.clone().filter(|_| one == other)
    }
    Attributes {
        owner: same(&one.owner, &other.owner),
        group: same(&one.group, &other.group),
        mode: same(&one.mode, &other.mode),
    }
}
