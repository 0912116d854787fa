//! Ensures swap space: a file or a device that is used now and at boot, or that is not. No-op: it
//! is, with its size and priority, and /etc/fstab says so.

mod size;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::size::{bytes, shown};
use super::change::joined;
use super::file_support::{require_absolute, require_parent};
use super::mount::{Mount, MountAction};
use super::{Action, ActionError, Change, Claims, Existence, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{DEVICE, ESCAPES, SWAP, Script};

/// Ensures that a file or a device is used as swap space, now and at boot, or that it is not. Does
/// nothing if that is so, with the given size and priority, and `/etc/fstab` has the line.
///
/// A file is created with its `size`, for root alone. If it has another size, the system stops
/// using it, and it is made anew; that fails if the memory left is too small for what is in it.
/// A file that is not swap space is never replaced. On btrfs, the file is made without
/// copy-on-write; in memory, on overlays, ZFS and network file systems there can be no swap files,
/// which is an error.
///
/// A path below `/dev` is a device. It becomes swap space if it is empty. If it holds something
/// else, that is an error unless `force` is set; while it is in use, even then.
///
/// In `/etc/fstab`, swap space has one line, by the rules of `mount`.
///
/// Example: `swap(request, "/swapfile", size = "2G")`
///
/// Example: `swap(request, "/dev/vdb2", priority = 10)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// Absolute path of the file, or of the device below `/dev`. Without blanks.
    pub path: String,
    /// Size of the file: a number with `M`, `G` or `T`, for MiB, GiB and TiB. Required for a file,
    /// and not for a device.
    #[serde(default)]
    pub size: Option<String>,
    /// Priority, 0 to 32767: the system uses space with a higher one first. Default: it chooses a
    /// priority that is lower than all of these.
    #[serde(default)]
    pub priority: Option<u16>,
    /// Replace what a device holds. All of it is lost.
    #[serde(default)]
    pub force: bool,
    /// `create`, or `delete`: it is not used, has no line in `/etc/fstab`, and a file is deleted.
    #[serde(default)]
    pub action: Existence,
}

impl Swap {
    /// A file of this size, such as `2G`.
    pub fn file(path: impl Into<String>, size: impl Into<String>) -> Self {
        Swap { size: Some(size.into()), ..Swap::device(path) }
    }

    /// A device.
    pub fn device(path: impl Into<String>) -> Self {
        Swap {
            path: path.into(),
            size: None,
            priority: None,
            force: false,
            action: Existence::Create,
        }
    }

    /// With this priority, 0 to 32767.
    pub fn priority(mut self, priority: u16) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Replace what the device holds.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// It must not be used, and a file must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }

    fn is_device(&self) -> bool {
        self.path.starts_with("/dev/")
    }

    fn is_wanted(&self) -> bool {
        self.action == Existence::Create
    }

    /// Its entry in the table of file systems.
    fn entry(&self) -> Mount {
        let options = match self.priority {
            Some(priority) => format!("pri={priority}"),
            None => "defaults".to_owned(),
        };
        let action = match self.action {
            Existence::Create => MountAction::Mounted,
            Existence::Delete => MountAction::Absent,
        };
        Mount::new("none", &self.path, "swap").options(options).action(action)
    }

    /// The size of the file; 0 if the action needs none.
    fn bytes(&self) -> Result<u64, ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        match &self.size {
            Some(size) => match bytes(size) {
                Some(bytes) => Ok(bytes),
                None => wrong(format!(
                    "the size {size:?} is not a number with M, G or T, such as 512M or 2G"
                )),
            },
            None if self.is_device() || !self.is_wanted() => Ok(0),
            None => wrong(format!("{} has no size; give one, such as size = \"2G\"", self.path)),
        }
    }

    /// The priority as a word; empty if none is wanted.
    fn priority_word(&self) -> String {
        self.priority.map(|priority| priority.to_string()).unwrap_or_default()
    }

    /// Prints what is not as declared.
    fn reading(&self) -> String {
        let priority = self.priority_word();
        let size = self.bytes().unwrap_or_default().to_string();
        let words = match (self.is_wanted(), self.is_device()) {
            (false, _) => vec!["swap_left", &self.path],
            (true, true) => vec!["swap_device_differs", &self.path, &priority],
            (true, false) => vec!["swap_file_differs", &self.path, &size, &priority],
        };
        format!("{ESCAPES}{DEVICE}{SWAP}{}", Script::new().call(words).as_str())
    }

    /// The script that makes it so.
    fn script(&self) -> Result<Script, ActionError> {
        let (priority, size) = (self.priority_word(), self.bytes()?.to_string());
        let force = if self.force { "force" } else { "" };
        Ok(Script::new().call(match (self.is_wanted(), self.is_device()) {
            (false, _) => vec!["ensure_no_swap_space", &self.path],
            (true, true) => vec!["ensure_swap_device", &self.path, &priority, force],
            (true, false) => vec!["ensure_swap_file", &self.path, &size, &priority],
        }))
    }

    /// What to do about one thing that is not as declared, with its diff; or why it cannot be.
    fn difference(&self, line: &str) -> Result<(&'static str, String), ActionError> {
        let path = &self.path;
        let cannot = |why: String| Err(ActionError::node(why));
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let wanted = self.bytes()?;
        let size = |text: &str| text.parse().map_or_else(|_| text.to_owned(), shown);
        Ok(match word {
            "absent" if self.is_device() => return cannot(format!("there is no device {path}")),
            "absent" => ("create", format!("+ swap file of {}\n", shown(wanted))),
            "link" => return cannot(format!("{path} is a link, not a file; name where it leads")),
            "other" if self.is_device() => {
                return cannot(format!("{path} is not a block device"));
            }
            "other" => return cannot(format!("{path} is not a file")),
            "unfit" => {
                return cannot(format!(
                    "no file on {rest} can be swap space; choose another path than {path}"
                ));
            }
            "foreign" if self.is_wanted() => {
                return cannot(format!(
                    "{path} is a file that is no swap space; delete it with file({path:?}, action \
                     = \"delete\") before, or choose another path"
                ));
            }
            "foreign" => {
                return cannot(format!(
                    "{path} is a file that is no swap space; delete it with file({path:?}, action \
                     = \"delete\") if nobody needs it"
                ));
            }
            "used" if self.is_wanted() => {
                return cannot(format!("{path} is {rest}; nothing is made on a device in use"));
            }
            "used" => ("stop using as swap", String::new()),
            "holds" if rest == "?" => {
                return cannot(format!(
                    "cannot tell what {path} has; if this node has no blkid of util-linux, declare \
                     package(\"util-linux\") or package(\"blkid\") before it"
                ));
            }
            "holds" if !rest.is_empty() && !self.force => {
                return cannot(format!(
                    "{path} has {rest}; force = True replaces it, and all that is on it is lost"
                ));
            }
            "holds" if rest.is_empty() => ("make swap space", "+ swap space\n".to_owned()),
            "holds" => ("replace", format!("- {rest}\n+ swap space\n")),
            "mode" => ("change owner or mode", format!("- file {rest}\n+ file 0:0:600\n")),
            "size" => ("resize", format!("- {}\n+ {}\n", size(rest), shown(wanted))),
            "priority" => (
                "change priority",
                format!("- priority {rest}\n+ priority {}\n", self.priority_word()),
            ),
            "file" => ("delete file", "- swap file\n".to_owned()),
            _ => ("use as swap", String::new()),
        })
    }

    fn plan_space(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (reading, script) = (self.reading(), self.script()?);
        let change = match node.reading(&reading) {
            Known::Known(Reading { output, .. }) if output.is_empty() => return Ok(None),
            Known::Known(Reading { output, .. }) => {
                let all: Vec<(&str, String)> =
                    output.lines().map(|line| self.difference(line)).collect::<Result<_, _>>()?;
                let summary: Vec<&str> = all.iter().map(|(summary, _)| *summary).collect();
                let diff: String = all.iter().map(|(_, diff)| diff.as_str()).collect();
                Change::will(summary.join(", "), script).with_diff(diff)
            }
            Known::Unknown => {
                let summary =
                    if self.is_wanted() { "use as swap" } else { "stop using as swap, delete" };
                Change::may(summary, script)
            }
        };
        node.set_reading(&reading, Reading { exit: 0, output: String::new(), of: None });
        if !self.is_device() {
            node.forget_files_below(&self.path);
        }
        Ok(Some(change))
    }
}

impl Action for Swap {
    const NAME: &'static str = "swap";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        if self
            .path
            .contains(|char: char| char.is_whitespace() || char.is_control() || char == '\\')
        {
            return wrong(format!("the path {:?} has a blank or a backslash", self.path));
        }
        if self.is_device() && self.size.is_some() {
            return wrong(format!("{} is a device, which has its own size", self.path));
        }
        if self.force && !self.is_device() {
            return wrong(format!("force is for devices, and {} is a file", self.path));
        }
        if self.priority.is_some_and(|priority| priority > 32_767) {
            return wrong("a priority is from 0 to 32767".to_owned());
        }
        self.bytes()?;
        self.entry().prepare(workspace)
    }

    fn claims(&self, claims: &mut Claims) {
        self.entry().claims(claims);
        if self.is_device() {
            return;
        }
        if self.is_wanted() {
            claims.path(&self.path, "a file");
            claims.value(
                format!("the size of {}", self.path),
                "",
                self.bytes().unwrap_or_default().to_string(),
            );
            claims.attributes(
                &self.path,
                &Attributes {
                    owner: Some("root".into()),
                    group: Some("root".into()),
                    mode: Some(0o600),
                },
            );
        } else {
            claims.path(&self.path, "nothing");
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.entry().needs(needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.reading(&self.reading());
        self.entry().observe_table(wanted);
        if let Some(parent) = super::file_support::parent(&self.path).filter(|_| !self.is_device())
        {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        if self.is_wanted() && !self.is_device() {
            let file =
                FileState::File { digest: None, text: None, attributes: Attributes::default() };
            require_parent(node, &self.path, &file)?;
        }
        // what cannot be used gets no entry, which would delay the next boot
        let space = self.plan_space(node)?;
        let table = self.entry().plan_table(node)?;
        // a file goes last: its entry would name nothing
        let goes = space.is_some() && !self.is_wanted() && !self.is_device();
        Ok(joined([space, table]).map(|change| match goes {
            true => Change { script: change.script.call(["ensure_absent", &self.path]), ..change },
            false => change,
        }))
    }
}

#[cfg(test)]
mod tests;
