//! A directory with the content of an archive: what `remote_directory` and `archive` share.

mod record;
pub(super) mod source;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::record::Record;
use super::directory::Directory;
use super::file_support::{attribute_words, attributes};
use super::ownership::Ownership;
use super::remote_file::source::ContentSource;
use super::{Action, ActionError, Certainty, Change, Claims, Upload};
use crate::model::{Known, digest};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unpack {
    /// A tar file, compressed or not.
    Tar,
    /// A zip file.
    Zip,
}

/// An archive, and the directory that it is unpacked to.
#[derive(Debug)]
pub(super) struct Unpacking<'a> {
    /// The name of the action, for errors.
    pub(super) action: &'static str,
    pub(super) path: &'a str,
    /// `None`: the action was not prepared.
    pub(super) source: Option<&'a ContentSource>,
    /// The name of the archive, for output.
    pub(super) archive: String,
    pub(super) kind: Unpack,
    pub(super) strip: u32,
    /// Only these files and directories; empty: all.
    pub(super) files: &'a [String],
    pub(super) owner: &'a Option<String>,
    pub(super) group: &'a Option<String>,
    pub(super) mode: &'a Option<String>,
    /// Refuse an archive with anything but files, directories, and links that stay in it.
    pub(super) strict: bool,
    /// A path in the directory that decides whether the archive is unpacked, instead of the record.
    pub(super) creates: Option<&'a str>,
}

impl Unpacking<'_> {
    /// Prints `full` if the directory is not empty.
    fn reading(&self) -> String {
        format!("if [ -n \"$(ls -A -- {})\" ]; then echo full; fi", quote(self.path))
    }

    fn kind_word(&self) -> &'static str {
        match self.kind {
            Unpack::Tar => "tar",
            Unpack::Zip => "zip",
        }
    }

    /// Identifies the way in which the archive is unpacked.
    pub(super) fn how(&self) -> String {
        let how = (self.kind_word(), self.strip, self.files);
        let how = format!("{how:?}");
        digest(if self.strict { format!("strict {how}") } else { how }.as_bytes())
    }

    fn record(&self) -> Record<'_> {
        let url = match self.source {
            Some(ContentSource::Download(download)) => Some(download.url()),
            _ => None,
        };
        let archive = url.map_or_else(|| self.archive.clone(), str::to_owned);
        Record { path: self.path, archive, how: self.how() }
    }

    /// The name in the archive of what it must create.
    fn created(&self) -> &str {
        let below = self.creates.and_then(|path| path.strip_prefix(self.path)).unwrap_or_default();
        below.trim_start_matches('/')
    }

    fn wanted(&self) -> Result<Attributes, ActionError> {
        attributes(self.action, self.owner, self.group, self.mode)
    }

    fn ownership(&self) -> Ownership<'_> {
        Ownership::new(self.path, self.owner, self.group)
    }

    pub(super) fn claims(&self, claims: &mut Claims) {
        claims.path(self.path, "a directory");
        let wanted = Attributes {
            owner: self.owner.clone(),
            group: self.group.clone(),
            ..Attributes::default()
        };
        claims.attributes(self.path, &wanted);
        claims.owned_below(self.path, wanted.owner.as_deref(), wanted.group.as_deref());
    }

    pub(super) fn observe(&self, wanted: &mut Observation) {
        wanted.file(self.path);
        self.creates.iter().for_each(|path| wanted.file(path));
        wanted.reading(&self.reading());
        self.ownership().observe(wanted);
        let record = self.record();
        let records = record.files();
        match (self.source, self.identity(None)) {
            (Some(ContentSource::Node(file)), _) => {
                wanted.digest(file);
                records.iter().for_each(|file| wanted.digest(file));
            }
            (_, Ok(Some(identity))) => {
                records.iter().for_each(|file| wanted.content(file, &record.digest(&identity)))
            }
            _ => records.iter().for_each(|file| wanted.digest(file)),
        }
    }

    /// Whether the archive needs not be unpacked, if known.
    fn is_right(&self, node: &NodeState, recorded: Option<&str>) -> Option<bool> {
        if let Some(creates) = self.creates {
            return match (node.file(self.path), node.file(creates)) {
                (Known::Known(FileState::Absent), _) => Some(false),
                (_, Known::Known(state)) => Some(*state != FileState::Absent),
                (_, Known::Unknown) => None,
            };
        }
        let empty = matches!(
            node.reading(&self.reading()), Known::Known(reading) if reading.output.is_empty()
        );
        match (node.file(self.path), self.record().state(node)) {
            (Known::Known(FileState::Absent), _) => Some(false),
            // the directory was emptied or recreated meanwhile
            (Known::Known(_), _) if empty => Some(false),
            (_, Known::Known(FileState::File { digest: Some(digest), .. })) => {
                recorded.map(|recorded| recorded == digest)
            }
            (_, Known::Known(FileState::File { .. }) | Known::Unknown) => None,
            _ => Some(false),
        }
    }

    pub(super) fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (wanted, record) = (self.wanted()?, self.record());
        // an archive that is not needed may be gone
        let there = self.creates.is_some() && self.is_right(node, None) == Some(true);
        let identity = if there { None } else { self.identity(Some(node))? };
        let recorded = identity.map(|identity| record.digest(&identity));
        let right = self.is_right(node, recorded.as_deref());
        let (owner, group, mode) = (self.owner.clone(), self.group.clone(), self.mode.clone());
        let recursive = owner.is_some() || group.is_some();
        let directory =
            Directory { owner, group, mode, recursive, ..Directory::at(self.path) }.plan(node)?;
        if right == Some(true) {
            return Ok(directory);
        }
        let ownership = self.ownership();
        let anew = if right == Some(false) { "1" } else { "" };
        let script = Script::new()
            .raw(&format!("unpacked_anew={anew}"))
            .and(self.script(node, &wanted, &ownership)?);
        node.set_reading(&self.reading(), Reading { exit: 0, output: "full".to_owned(), of: None });
        let state = node.file(self.path).cloned();
        node.forget_files_below(self.path);
        if let Known::Known(state) = state {
            node.set_file(self.path, state);
        }
        node.set_file(
            &record.file(node),
            FileState::File { digest: recorded, text: None, attributes: Attributes::default() },
        );
        ownership.remember(node);
        let verb = if right == Some(false) { "unpack" } else { "ensure it is unpacked:" };
        let sure = right == Some(false)
            || directory.as_ref().is_some_and(|change| change.certainty == Certainty::Will);
        let certainty = if sure { Certainty::Will } else { Certainty::May };
        let diff = format!(
            "{}+ content of {}\n",
            directory.map(|change| change.diff).unwrap_or_default(),
            self.archive
        );
        let change =
            Change { certainty, ..Change::will(format!("{verb} {}", self.archive), script) }
                .with_diff(diff);
        Ok(Some(match self.source()? {
            ContentSource::Content(content) => match content.upload() {
                Some(source) => change.with_upload(Upload {
                    digest: content.digest.clone(),
                    source,
                    path: None,
                }),
                None => change,
            },
            _ => change,
        }))
    }

    fn script(
        &self,
        node: &NodeState,
        wanted: &Attributes,
        ownership: &Ownership<'_>,
    ) -> Result<Script, ActionError> {
        let source = self.source()?;
        let remember = self.record().script(node);
        let mut words: Vec<String> = attribute_words(wanted).into();
        words.extend([self.kind_word().to_owned(), self.strip.to_string()]);
        words.extend(self.files.iter().cloned());
        let words: String = words.iter().map(|word| format!(" {}", quote(word))).collect();
        let (path, how) = (quote(self.path), self.how());
        let unpack = match (source, self.identity(None)?) {
            (ContentSource::Node(file), _) => Script::new()
                .raw(&format!("read_from {}\narchive=$source\ndigest_of \"$archive\"", quote(file)))
                .and(remember)
                .raw(&format!("ensure_unpacked {path} \"$digest {how}\"{words}")),
            (source, identity) => Script::new()
                .raw(&format!("archive=\n{}", source.script()))
                .and(remember)
                .raw(&format!(
                    "ensure_unpacked {path} {}{words}",
                    quote(&format!("{} {how}", identity.unwrap_or_default()))
                )),
        };
        let unpack = match self.creates.map(quote) {
            None => unpack,
            Some(creates) => Script::new()
                .raw(&format!(
                    "if is_missing {creates}; then\nunpacked_anew=1 unpacked_creates={}",
                    quote(self.created())
                ))
                .and(unpack)
                .raw("else")
                .call(
                    ["ensure_directory", self.path]
                        .map(str::to_owned)
                        .into_iter()
                        .chain(attribute_words(wanted)),
                )
                .raw("fi"),
        };
        let script = Script::new();
        let script = if self.strict { script.raw("unpacked_strictly=1") } else { script };
        Ok(script.and(unpack).and(ownership.script()))
    }
}
