//! Ensures a file with given content. No-op: it is there with that content and the wanted owner, group and mode.

use std::path::{Path, PathBuf};

use base64::Engine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::builders::attribute_builders;
use super::file_support::{attribute_words, attributes, kind, new_attributes, parent, plan_file, require_absolute};
use super::{Action, ActionError, Change, Upload, UploadSource, Workspace};
use crate::model::{FileState, Known, NodeState, Observation, digest};
use crate::script::{Script, quote};

/// Content up to this size travels within the script.
const INLINE: u64 = 64 * 1024;

/// Ensures a file with content given as text, as a file of the project, or as a template of the project with values filled in.
///
/// The file is replaced as a whole: the old content stays until the new one is on disk, with its owner and mode, and verified.
///
/// Example: `remote_file(request, "/etc/motd", content = "Welcome.\n")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// The absolute path on the node.
    pub path: String,
    /// The content.
    #[serde(default)]
    pub content: Option<String>,
    /// A file of the project that holds the content.
    #[serde(default)]
    pub local_file: Option<String>,
    /// A file of the project that is a template of the content.
    #[serde(default)]
    pub template: Option<String>,
    /// The values for the template.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// The owner's name; a new file is root's.
    #[serde(default)]
    pub owner: Option<String>,
    /// The group's name; a new file is of the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// The permissions, in octal; a new file has `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// A command that must accept the new content before it is put in place; the path of a file with it is added as the last word:
    /// `"visudo -cf"`.
    #[serde(default)]
    pub verify: Option<String>,
    #[serde(skip)]
    prepared: Option<Prepared>,
}

/// The content, once it was read.
#[derive(Debug, Clone, PartialEq)]
struct Prepared {
    digest: String,
    source: Source,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Text(String),
    Bytes(Vec<u8>),
    Large(UploadSource),
}

impl RemoteFile {
    fn at(path: impl Into<String>) -> Self {
        RemoteFile {
            path: path.into(),
            content: None,
            local_file: None,
            template: None,
            values: Map::new(),
            owner: None,
            group: None,
            mode: None,
            verify: None,
            prepared: None,
        }
    }

    /// A file at `path` with this content.
    pub fn content(path: impl Into<String>, content: impl Into<String>) -> Self {
        RemoteFile { content: Some(content.into()), ..Self::at(path) }
    }

    /// A file at `path` with the content of a file of the project.
    pub fn local_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        RemoteFile { local_file: Some(file.into()), ..Self::at(path) }
    }

    /// A file at `path` made of a template of the project.
    pub fn template(path: impl Into<String>, file: impl Into<String>, values: Map<String, Value>) -> Self {
        RemoteFile { template: Some(file.into()), values, ..Self::at(path) }
    }

    attribute_builders!();

    /// Accepted by this command before it is put in place.
    pub fn verify(mut self, command: impl Into<String>) -> Self {
        self.verify = Some(command.into());
        self
    }

    fn read(&self, workspace: &dyn Workspace) -> Result<Prepared, ActionError> {
        match (&self.content, &self.local_file, &self.template) {
            (Some(content), None, None) => Ok(Prepared::of(content.clone().into_bytes())),
            (None, Some(file), None) => {
                let (digest, size, path): (String, u64, PathBuf) = workspace.digest(Path::new(file))?;
                if size > INLINE {
                    return Ok(Prepared { digest, source: Source::Large(UploadSource::File(path)) });
                }
                Ok(Prepared::of(workspace.read(Path::new(file))?))
            }
            (None, None, Some(file)) => {
                let template = String::from_utf8(workspace.read(Path::new(file))?)
                    .map_err(|_| ActionError::arguments(Self::NAME, format!("the template {file} is not UTF-8 text")))?;
                Ok(Prepared::of(workspace.render(file, &template, &Value::Object(self.values.clone()))?.into_bytes()))
            }
            _ => Err(ActionError::arguments(Self::NAME, "give exactly one of content, local_file and template")),
        }
    }

    fn prepared(&self) -> Result<&Prepared, ActionError> {
        self.prepared.as_ref().ok_or_else(|| ActionError::arguments(Self::NAME, format!("the content of {} was not prepared", self.path)))
    }
}

impl Prepared {
    fn of(content: Vec<u8>) -> Self {
        let digest = digest(&content);
        let source = match String::from_utf8(content) {
            Ok(text) if text.len() as u64 <= INLINE && !text.contains('\0') => Source::Text(text),
            Ok(text) if text.len() as u64 <= INLINE => Source::Bytes(text.into_bytes()),
            Err(error) if error.as_bytes().len() as u64 <= INLINE => Source::Bytes(error.into_bytes()),
            Ok(text) => Source::Large(UploadSource::Bytes(text.into_bytes())),
            Err(error) => Source::Large(UploadSource::Bytes(error.into_bytes())),
        };
        Prepared { digest, source }
    }

    fn text(&self) -> Option<String> {
        match &self.source {
            Source::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A shell function that prints the content.
    fn script(&self) -> Script {
        Script::new().raw(&match &self.source {
            Source::Text(text) => format!("content() {{ printf %s {}; }}", quote(text)),
            Source::Bytes(bytes) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
                let lines: String = encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n").collect();
                format!("content() {{ base64 -d <<'END'\n{lines}END\n}}")
            }
            Source::Large(_) => format!("content() {{ cat -- \"$incoming\"/{}; }}", self.digest),
        })
    }
}

impl Action for RemoteFile {
    const NAME: &'static str = "remote_file";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        if self.template.is_none() && !self.values.is_empty() {
            return Err(ActionError::arguments(Self::NAME, "values are for a template; give template, or leave values away"));
        }
        self.prepared = Some(self.read(workspace)?);
        Ok(())
    }

    fn observe(&self, wanted: &mut Observation) {
        match &self.prepared {
            Some(prepared) => wanted.content(&self.path, &prepared.digest),
            None => wanted.digest(&self.path),
        }
        if let Some(parent) = parent(&self.path) {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let prepared = self.prepared()?;
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let mut travels = true;
        let attributes = match node.file(&self.path) {
            Known::Known(FileState::File { digest, attributes, .. }) => {
                travels = digest.as_ref() != Some(&prepared.digest);
                wanted.or(attributes)
            }
            Known::Known(FileState::Absent | FileState::Link { .. }) => new_attributes(node, &wanted, 0o644),
            Known::Known(other) => {
                let message = format!("{} is a {}; there can be no file of that name", self.path, kind(other));
                return Err(ActionError::node(message));
            }
            Known::Unknown => wanted.clone(),
        };
        let script = if travels {
            let verify = self.verify.clone().unwrap_or_default();
            let words = ["ensure_content".to_owned(), self.path.clone(), prepared.digest.clone()].into_iter();
            prepared.script().call(words.chain(attribute_words(&wanted)).chain([verify]))
        } else {
            Script::new().call(["ensure_attributes".to_owned(), self.path.clone()].into_iter().chain(attribute_words(&wanted)))
        };
        let state = FileState::File { digest: Some(prepared.digest.clone()), text: prepared.text(), attributes };
        let change = plan_file(node, &self.path, state, script)?;
        Ok(change.map(|change| match &prepared.source {
            Source::Large(source) if travels => change.with_upload(Upload { digest: prepared.digest.clone(), source: source.clone() }),
            _ => change,
        }))
    }
}

#[cfg(test)]
mod tests;
