//! Ensures that a filesystem is mounted, now and after a restart, or that it is not. No-op: it is so, and /etc/fstab says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{Edit, Line, Missing, Wrong, joined, plan_no_line};
use super::ere::{Ere, literal};
use super::file_support::require_absolute;
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Attributes, Capabilities, Known, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// Ensures that a filesystem is mounted at a path, now and when the node starts, or that it is not. Nothing to do where `/etc/fstab` has the line
/// and something is mounted there already. The directory is made if it is missing. Changed options hold from the next time it is mounted.
///
/// Example: `mount(request, "/srv/data", device = "/dev/vdb1", fstype = "ext4", options = "noatime", check = 2)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// The absolute path of the directory.
    pub path: String,
    /// What is mounted: a device, `UUID=...`, `LABEL=...`, `server:/path`. Needed for `mounted` and `present`.
    #[serde(default)]
    pub device: Option<String>,
    /// The type of the filesystem: `ext4`, `nfs`, `tmpfs`. Needed for `mounted` and `present`.
    #[serde(default)]
    pub fstype: Option<String>,
    /// The options, with commas between them; `defaults` if none are given.
    #[serde(default = "defaults")]
    pub options: String,
    /// Whether dump saves it, 0 or 1; 0 if nothing is said.
    #[serde(default)]
    pub dump: u8,
    /// When it is checked at start: 0 never, 1 first, 2 later; 0 if nothing is said.
    #[serde(default)]
    pub check: u8,
    /// What to do.
    #[serde(default)]
    pub action: MountAction,
}

/// What to do with a filesystem.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MountAction {
    /// It is in /etc/fstab, and mounted.
    #[default]
    Mounted,
    /// It is in /etc/fstab, mounted or not.
    Present,
    /// It is not mounted; /etc/fstab stays as it is.
    Unmounted,
    /// It is neither mounted nor in /etc/fstab.
    Absent,
}

const TABLE: &str = "/etc/fstab";

fn defaults() -> String {
    "defaults".to_owned()
}

/// A field of /etc/fstab and of the kernel's list.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011")
}

impl Mount {
    /// `device` with a filesystem of this type, at `path`.
    pub fn new(path: impl Into<String>, device: impl Into<String>, fstype: impl Into<String>) -> Self {
        Mount {
            path: path.into(),
            device: Some(device.into()),
            fstype: Some(fstype.into()),
            options: defaults(),
            dump: 0,
            check: 0,
            action: MountAction::Mounted,
        }
    }

    /// With these options.
    pub fn options(mut self, options: impl Into<String>) -> Self {
        self.options = options.into();
        self
    }

    /// Checked at start: 1 first, 2 later.
    pub fn check(mut self, pass: u8) -> Self {
        self.check = pass;
        self
    }

    /// Something else than that it is mounted.
    pub fn action(mut self, action: MountAction) -> Self {
        self.action = action;
        self
    }

    fn fields(&self) -> Result<[String; 6], ActionError> {
        let needed = |what: &str, value: &Option<String>| match value {
            Some(value) => Ok(escaped(value)),
            None => Err(ActionError::arguments(Self::NAME, format!("{} has no {what}; say what is mounted there", self.path))),
        };
        let (device, fstype) = (needed("device", &self.device)?, needed("fstype", &self.fstype)?);
        Ok([device, escaped(&self.path), fstype, escaped(&self.options), self.dump.to_string(), self.check.to_string()])
    }

    /// Prints `mounted` if something is. As the library's is_mounted.
    fn reading(&self) -> String {
        let path = quote(&escaped(&self.path));
        format!("while read -r device path rest; do if [ \"$path\" = {path} ]; then echo mounted; break; fi; done </proc/self/mounts")
    }

    fn plan_table(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let own = format!(r"^[[:space:]]*[^#[:space:]]+[[:space:]]+{}[[:space:]]", literal(&escaped(&self.path)));
        let own = Ere::new(Self::NAME, "path", &own)?;
        if self.action == MountAction::Absent {
            return plan_no_line(&Edit::of(TABLE, Missing::Leave, Attributes::default()), node, &Wrong::Match(own));
        }
        let fields = self.fields()?;
        let enough = format!("^[[:space:]]*{}[[:space:]]*$", fields.each_ref().map(|field| literal(field)).join("[[:space:]]+"));
        let enough = Some(Ere::new(Self::NAME, "path", &enough)?);
        let line = Line { line: &fields.join(" "), replaces: Some(own), enough, place: None };
        line.plan(&Edit::of(TABLE, Missing::Create, Attributes::default()), node)
    }

    fn plan_mounted(&self, node: &mut NodeState) -> Option<Change> {
        let mounted = self.action == MountAction::Mounted;
        let (function, summary) = if mounted { ("ensure_mounted", "mount") } else { ("ensure_unmounted", "unmount") };
        let output = if mounted { "mounted" } else { "" };
        let script = Script::new().call([function, &self.path, &escaped(&self.path)]);
        let change = match node.reading(&self.reading()) {
            Known::Known(reading) if reading.output == output => return None,
            Known::Known(_) => Change::will(summary, script),
            Known::Unknown => Change::may(summary, script),
        };
        node.forget_files_below(&self.path);
        node.set_reading(&self.reading(), Reading { exit: 0, output: output.to_owned(), of: None });
        Some(change)
    }
}

impl Action for Mount {
    const NAME: &'static str = "mount";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        let texts = [Some(&self.path), self.device.as_ref(), self.fstype.as_ref(), Some(&self.options)];
        if texts.into_iter().flatten().any(|text| text.is_empty() || text.contains(['\n', '\0', '#'])) {
            return Err(ActionError::arguments(Self::NAME, format!("the line of {} in {TABLE} would have an empty field, a newline or a #", self.path)));
        }
        if matches!(self.action, MountAction::Mounted | MountAction::Present) {
            self.fields()?;
        }
        Ok(())
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.below(&self.path);
        needed.path(TABLE);
        // a name such as tmpfs is none
        self.device.iter().filter(|device| device.starts_with('/')).for_each(|device| needed.path(device));
    }

    fn observe(&self, wanted: &mut Observation) {
        if self.action != MountAction::Unmounted {
            wanted.text(TABLE);
        }
        if self.action != MountAction::Present {
            wanted.reading(&self.reading());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let table = if self.action == MountAction::Unmounted { None } else { self.plan_table(node)? };
        let mounted = if self.action == MountAction::Present { None } else { self.plan_mounted(node) };
        Ok(joined(table, mounted))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    fn data() -> Mount {
        Mount::new("/srv/my data", "/dev/vdb1", "ext4").options("noatime").check(2)
    }

    fn with(table: &str, mounted: bool) -> NodeBuilder {
        let mut node = node().file(TABLE, table, 0o644);
        let output = if mounted { "mounted".into() } else { String::new() };
        node.0.set_reading(&data().reading(), Reading { exit: 0, output, of: None });
        node
    }

    #[test]
    fn mounts_what_is_not() {
        check(data(), with("# x\n/dev/vda1 / ext4 defaults 0 1\n", false), expect![[r#"
            will change content, mount
            @@ -1,2 +1,3 @@
             # x
             /dev/vda1 / ext4 defaults 0 1
            +/dev/vdb1 /srv/my\040data ext4 noatime 0 2
            ---
            ensure_line /etc/fstab create '' '' '' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2' '^[[:space:]]*[^#[:space:]]+[[:space:]]+/srv/my\\040data[[:space:]]' itself '' '' '^[[:space:]]*/dev/vdb1[[:space:]]+/srv/my\\040data[[:space:]]+ext4[[:space:]]+noatime[[:space:]]+0[[:space:]]+2[[:space:]]*$'
            ensure_mounted '/srv/my data' '/srv/my\040data'
        "#]]);
        check(data().action(MountAction::Present), with("/dev/vdb2\t/srv/my\\040data ext4 defaults 0 0\n", false), expect![[r#"
            will change content
            @@ -1 +1 @@
            -/dev/vdb2	/srv/my\040data ext4 defaults 0 0
            +/dev/vdb1 /srv/my\040data ext4 noatime 0 2
            ---
            ensure_line /etc/fstab create '' '' '' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2' '^[[:space:]]*[^#[:space:]]+[[:space:]]+/srv/my\\040data[[:space:]]' itself '' '' '^[[:space:]]*/dev/vdb1[[:space:]]+/srv/my\\040data[[:space:]]+ext4[[:space:]]+noatime[[:space:]]+0[[:space:]]+2[[:space:]]*$'
        "#]]);
    }

    #[test]
    fn leaves_what_is_right() {
        check(data(), with("/dev/vdb1\t/srv/my\\040data\text4\tnoatime 0 2\n", true), expect!["nothing to do"]);
        check(data().action(MountAction::Unmounted), with("", false), expect!["nothing to do"]);
        check(data().action(MountAction::Absent), with("# /dev/vdb1 /srv/my\\040data x y 0 0\n", false), expect!["nothing to do"]);
    }

    #[test]
    fn unmounts() {
        check(data().action(MountAction::Absent), with("/dev/vdb1 /srv/my\\040data ext4 x\n", true), expect![[r#"
            will change content, unmount
            @@ -1 +0,0 @@
            -/dev/vdb1 /srv/my\040data ext4 x
            ---
            ensure_no_line /etc/fstab leave '' '' '' -E '^[[:space:]]*[^#[:space:]]+[[:space:]]+/srv/my\\040data[[:space:]]'
            ensure_unmounted '/srv/my data' '/srv/my\040data'
        "#]]);
        check(data().action(MountAction::Unmounted), with("", true), expect![[r#"
            will unmount
            ---
            ensure_unmounted '/srv/my data' '/srv/my\040data'
        "#]]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(data(), node(), expect![[r#"
            may edit file, mount
            ---
            ensure_line /etc/fstab create '' '' '' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2' '^[[:space:]]*[^#[:space:]]+[[:space:]]+/srv/my\\040data[[:space:]]' itself '' '' '^[[:space:]]*/dev/vdb1[[:space:]]+/srv/my\\040data[[:space:]]+ext4[[:space:]]+noatime[[:space:]]+0[[:space:]]+2[[:space:]]*$'
            ensure_mounted '/srv/my data' '/srv/my\040data'
        "#]]);
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(Mount { device: None, ..data() }, node(), expect!["error: mount: /srv/my data has no device; say what is mounted there"]);
        check(data().options("a\nb"), node(), expect!["error: mount: the line of /srv/my data in /etc/fstab would have an empty field, a newline or a #"]);
        check(Mount::new("none", "/dev/vdb2", "swap"), node(), expect![[r#"error: mount: the path "none" is not absolute; write it from /"#]]);
    }
}
