//! Ensures a file system on a device. No-op: the device has it, with the label, and fills the
//! device if it should.

mod kind;
mod label;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::kind::FilesystemType;
use self::label::check_label;
use super::file_support::require_absolute;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{NodeState, Observation, Reading};
use crate::script::{DEVICE, ESCAPES, FILESYSTEM, Script};

/// Ensures that a device has a file system. Does nothing if it has one of this type, whatever
/// options it was made with. `mount` mounts it.
///
/// A device that holds anything else is an error: another file system, swap space, a partition
/// table, a part of a volume or an array. `force` replaces it. While the device or a part of it is
/// in use, even `force` does not. The node needs the blkid of util-linux, to tell what is there,
/// and the programs of the file system, from packages such as `e2fsprogs`, `xfsprogs`,
/// `btrfs-progs` and
/// `dosfstools`.
///
/// Example: `filesystem(request, "/dev/vdb1", "ext4", label = "data", options = ["-m", "0"])`
///
/// Example: `filesystem(request, "/dev/vg/data", "xfs", resize = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    /// Absolute path of the device.
    pub device: String,
    /// Type: `ext4`, `xfs`, `btrfs` or `vfat`. Swap space is not one: use `swap`.
    #[serde(rename = "type")]
    pub kind: FilesystemType,
    /// Label. A file system that has another one gets it. At most 16 bytes for ext4, 12 for xfs,
    /// 255 for btrfs, and 11 for vfat, in capital letters. Default: any.
    #[serde(default)]
    pub label: Option<String>,
    /// Options of `mkfs.<type>`, each a word: `["-m", "0"]`. They matter only when it is made.
    #[serde(default)]
    pub options: Vec<String>,
    /// Replace anything else that the device holds. All of it is lost.
    #[serde(default)]
    pub force: bool,
    /// If the device has become larger, make the file system as large, mounted or not. It never
    /// shrinks. Not for vfat.
    #[serde(default)]
    pub resize: bool,
}

impl Filesystem {
    /// `device` has a file system of this type.
    pub fn new(device: impl Into<String>, kind: FilesystemType) -> Self {
        Filesystem {
            device: device.into(),
            kind,
            label: None,
            options: Vec::new(),
            force: false,
            resize: false,
        }
    }

    /// With this label.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Made with these options of mkfs.
    pub fn options<S: Into<String>>(mut self, options: impl IntoIterator<Item = S>) -> Self {
        self.options = options.into_iter().map(Into::into).collect();
        self
    }

    /// Replace anything else that the device holds.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// Make it as large as the device.
    pub fn resize(mut self) -> Self {
        self.resize = true;
        self
    }

    fn words(&self) -> [&str; 3] {
        let resize = if self.resize { "resize" } else { "" };
        [self.kind.name(), self.label.as_deref().unwrap_or_default(), resize]
    }

    /// Prints what is not as declared.
    fn reading(&self) -> String {
        let [kind, label, resize] = self.words();
        let call = Script::new().call(["filesystem_differs", &self.device, kind, label, resize]);
        format!("{ESCAPES}{DEVICE}{FILESYSTEM}{}", call.as_str())
    }

    fn script(&self) -> Script {
        let [kind, label, resize] = self.words();
        let force = if self.force { "force" } else { "" };
        let words = ["ensure_filesystem", &self.device, kind, label, force, resize];
        Script::new().call(words.into_iter().chain(self.options.iter().map(String::as_str)))
    }

    /// What to do about one thing that is not as declared, with its diff; or why it cannot be.
    fn difference(&self, line: &str) -> Result<Option<(String, String)>, ActionError> {
        let (device, kind) = (&self.device, self.kind.name());
        let cannot = |why: String| Err(ActionError::node(why));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let did = |summary: &str, diff: String| Ok(Some((summary.to_owned(), diff)));
        match word {
            "absent" => cannot(format!("there is no device {device}")),
            "other" => cannot(format!("{device} is not a block device")),
            "lacks" => {
                let (program, package) = rest.split_once(' ').unwrap_or((rest, rest));
                cannot(format!(
                    "{kind} on {device} needs {program}; declare package({package:?}) before it"
                ))
            }
            "used" => cannot(format!("{device} is {rest}; nothing is made on a device in use")),
            "holds" if rest == "?" => cannot(format!(
                "cannot tell what {device} has; if this node has no blkid of util-linux, declare \
                 package(\"util-linux\") or package(\"blkid\") before it"
            )),
            "holds" if rest.is_empty() => did(&format!("make {kind}"), format!("+ {kind}\n")),
            "holds" if self.force => {
                did(&format!("replace by {kind}"), format!("- {rest}\n+ {kind}\n"))
            }
            "holds" => cannot(format!(
                "{device} has {rest}; force = True replaces it, and all that is on it is lost"
            )),
            "label" => {
                let label = self.label.as_deref().unwrap_or_default();
                let was = if rest.is_empty() { String::new() } else { format!("- label {rest}\n") };
                did("change label", format!("{was}+ label {label}\n"))
            }
            "grow" => {
                let (has, could) = rest.split_once(' ').unwrap_or((rest, rest));
                did("grow", format!("- {has} bytes\n+ {could} bytes\n"))
            }
            _ => Ok(None),
        }
    }
}

impl Action for Filesystem {
    const NAME: &'static str = "filesystem";

    fn subject(&self) -> String {
        self.device.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.device)?;
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        if self.resize && self.kind == FilesystemType::Vfat {
            return wrong("vfat cannot grow".to_owned());
        }
        if let Some(option) = self.options.iter().find(|option| option.contains('\0')) {
            return wrong(format!("the option {option:?} holds a NUL character"));
        }
        match &self.label {
            Some(label) => check_label(self.kind, label).or_else(wrong),
            None => Ok(()),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        claims.value(format!("the file system of {}", self.device), "", self.kind.name());
        if let Some(label) = &self.label {
            claims.value(format!("the label of {}", self.device), "", label);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.device);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.reading(&self.reading());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let reading = self.reading();
        let change = match node.reading(&reading) {
            Known::Known(Reading { output, .. }) if output.is_empty() => return Ok(None),
            Known::Known(Reading { output, .. }) => {
                let all: Vec<Option<(String, String)>> =
                    output.lines().map(|line| self.difference(line)).collect::<Result<_, _>>()?;
                let (summaries, diffs): (Vec<_>, Vec<_>) = all.into_iter().flatten().unzip();
                Change::will(summaries.join(", "), self.script()).with_diff(diffs.concat())
            }
            Known::Unknown => {
                let kind = self.kind.name();
                Change::may(format!("make {kind}"), self.script()).with_diff(format!("+ {kind}\n"))
            }
        };
        node.set_reading(&reading, Reading { exit: 0, output: String::new(), of: None });
        Ok(Some(change))
    }
}

#[cfg(test)]
mod tests;
