//! Ensures that a filesystem is mounted, now and at boot, or that it is not. No-op: it is, and
//! /etc/fstab says so.

mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::table::{defaults, directory, edited, escaped};
use super::change::joined;
use super::edit::{Edit, Missing};
use super::file_support::require_absolute;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// Ensures that a filesystem is mounted now and at boot, or that it is not. Does nothing if
/// `/etc/fstab` has the line and something is mounted at the path. A missing directory is created.
/// Changed options take effect at the next mount. Each path has one line in `/etc/fstab`; other
/// lines for it are removed.
///
/// With `fstype = "swap"` it manages swap space, whose path is `"none"`: each device has one line,
/// and is used as swap or not.
///
/// Example: `mount(request, "/srv/data", device = "/dev/vdb1", fstype = "ext4", options = "noatime", check = 2)`
///
/// Example: `mount(request, "none", device = "/swapfile", fstype = "swap", options = "pri=5")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Absolute path of the directory. `none` for swap space.
    pub path: String,
    /// What to mount: a device, `UUID=...`, `LABEL=...`, `server:/path`. Required for `mounted` and
    /// `present`.
    #[serde(default)]
    pub device: Option<String>,
    /// Filesystem type: `ext4`, `nfs`, `tmpfs`; `swap` for swap space. Required for `mounted` and
    /// `present`.
    #[serde(default)]
    pub fstype: Option<String>,
    /// Mount options, separated by commas. Default: `defaults`.
    #[serde(default = "defaults")]
    pub options: String,
    /// Whether dump backs it up, 0 or 1. Default: 0.
    #[serde(default)]
    pub dump: u8,
    /// Order of the check at boot: 0 never, 1 first, 2 later. Default: 0.
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

impl Mount {
    /// `device` with a filesystem of this type, at `path`.
    pub fn new(
        path: impl Into<String>,
        device: impl Into<String>,
        fstype: impl Into<String>,
    ) -> Self {
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

    /// Check it at boot: 1 first, 2 later.
    pub fn check(mut self, pass: u8) -> Self {
        self.check = pass;
        self
    }

    /// Sets what to do with the filesystem.
    pub fn action(mut self, action: MountAction) -> Self {
        self.action = action;
        self
    }

    fn fields(&self) -> Result<[String; 6], ActionError> {
        let needed = |what: &str, value: &Option<String>| match value {
            Some(value) => Ok(escaped(value)),
            None => Err(ActionError::arguments(
                Self::NAME,
                format!("{} has no {what}; say what is mounted there", self.path),
            )),
        };
        let (device, fstype) = (needed("device", &self.device)?, needed("fstype", &self.fstype)?);
        Ok([
            device,
            escaped(&self.path),
            fstype,
            escaped(&self.options),
            self.dump.to_string(),
            self.check.to_string(),
        ])
    }

    fn is_swap(&self) -> bool {
        self.fstype.as_deref() == Some("swap")
    }

    /// The subject of its entry in the table: the directory or, for swap space, the device.
    fn about(&self) -> String {
        if self.is_swap() {
            format!("swap {}", self.device.as_deref().unwrap_or_default())
        } else {
            format!("on {}", directory(&self.path))
        }
    }

    /// The path of the swap device on the node.
    fn swap_device(&self) -> String {
        let device = self.device.as_deref().unwrap_or_default();
        let tags = [
            ("UUID=", "uuid"),
            ("LABEL=", "label"),
            ("PARTUUID=", "partuuid"),
            ("PARTLABEL=", "partlabel"),
        ];
        let tagged = tags.iter().find_map(|(tag, by)| {
            Some(format!("/dev/disk/by-{by}/{}", device.strip_prefix(tag)?.trim_matches('"')))
        });
        tagged.unwrap_or_else(|| device.to_owned())
    }

    /// Prints `mounted` if something is, like the library's is_mounted and swap_is_on.
    fn reading(&self) -> String {
        if self.is_swap() {
            let device = quote(&self.swap_device());
            return format!(
                "device=$(readlink -f -- {device}) || device={device}\n\
                 while read -r name rest; do if [ \"$name\" = \"$device\" ]; then echo mounted; \
                 break; fi; done </proc/swaps"
            );
        }
        let path = escaped(directory(&self.path).as_str());
        // newer kernels escape `#` too
        let other = path.replace('#', "\\043");
        let is = |path: &str| format!("[ \"$path\" = {} ]", quote(path));
        let found =
            if other == path { is(&path) } else { format!("{} || {}", is(&path), is(&other)) };
        format!(
            "while read -r device path rest; do if {found}; then echo mounted; break; fi; done \
            </proc/self/mounts"
        )
    }

    /// Plans its entry in the table.
    pub(super) fn plan_table(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let absent = self.action == MountAction::Absent;
        let (about, line) =
            (self.about(), if absent { String::new() } else { self.fields()?.join(" ") });
        let edit = Edit::of(
            TABLE,
            if absent { Missing::Leave } else { Missing::Create },
            Attributes::default(),
        );
        let how = if absent { "absent" } else { "present" };
        edit.plan(node, edit.call("ensure_mount_entry", &[how, &about, &line]), |text| {
            edited(text, &about, &line)
        })
    }

    /// Asks for the state that [`Mount::plan_table`] needs.
    pub(super) fn observe_table(&self, wanted: &mut Observation) {
        wanted.text(TABLE);
    }

    fn plan_mounted(&self, node: &mut NodeState) -> Option<Change> {
        let mounted = self.action == MountAction::Mounted;
        let output = if mounted { "mounted" } else { "" };
        let (path, device, options) =
            (directory(&self.path), self.swap_device(), self.options.as_str());
        let field = escaped(&path);
        let (fstype, source) = (
            self.fstype.as_deref().unwrap_or_default(),
            self.device.as_deref().unwrap_or_default(),
        );
        let (words, summary) = match (self.is_swap(), mounted) {
            (false, true) => {
                (vec!["ensure_mounted", &path, &field, fstype, source, options], "mount")
            }
            (false, false) => (vec!["ensure_unmounted", &path, &field], "unmount"),
            (true, true) => (vec!["ensure_swap", &device, options], "use as swap"),
            (true, false) => (vec!["ensure_no_swap", &device], "stop using as swap"),
        };
        let script = Script::new().call(words);
        let change = match node.reading(&self.reading()) {
            Known::Known(reading) if reading.output == output => return None,
            Known::Known(_) => Change::will(summary, script),
            Known::Unknown => Change::may(summary, script),
        };
        if !self.is_swap() {
            node.forget_files_below(&self.path);
        }
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
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        if !self.is_swap() {
            require_absolute(Self::NAME, &self.path)?;
        } else if self.path != "none" && self.path != "swap" {
            return wrong(format!(
                "swap space has no directory; write \"none\" in place of {:?}",
                self.path
            ));
        } else if self.device.as_deref().is_none_or(|device| device.contains([' ', '\t', '\\'])) {
            return wrong(
                "swap space needs a device or a file, without blanks in its name".to_owned(),
            );
        }
        let texts =
            [Some(&self.path), self.device.as_ref(), self.fstype.as_ref(), Some(&self.options)];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.is_empty() || text.contains(['\n', '\r', '\0']))
        {
            return wrong(format!(
                "the line of {} in {TABLE} would have an empty field or a newline",
                self.path
            ));
        }
        if self.device.as_ref().is_some_and(|device| device.starts_with('#')) {
            return wrong(format!(
                "the line of {} in {TABLE} would begin with a #, which makes it a comment",
                self.path
            ));
        }
        if matches!(self.action, MountAction::Mounted | MountAction::Present) {
            self.fields()?;
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        let about = self.about();
        let (entry, mounted) = match self.action {
            MountAction::Mounted => (self.fields().ok(), Some(true)),
            MountAction::Present => (self.fields().ok(), None),
            MountAction::Unmounted => (None, Some(false)),
            MountAction::Absent => (Some(Default::default()), Some(false)),
        };
        let what = about.strip_prefix("on ").unwrap_or(&about);
        if matches!(self.action, MountAction::Mounted | MountAction::Present) && !self.is_swap() {
            claims.path(&self.path, "a directory");
        }
        entry.into_iter().for_each(|entry| {
            claims.value(format!("the entry of {what} in {TABLE}"), "", entry.join("\n"))
        });
        mounted.into_iter().for_each(|mounted| {
            claims.value(format!("whether {what} is in use"), "", mounted.to_string())
        });
    }

    fn needs(&self, needed: &mut Capabilities) {
        if !self.is_swap() {
            needed.below(&self.path);
        }
        needed.path(TABLE);
        // the device may be just a name, such as tmpfs
        self.device
            .iter()
            .filter(|device| device.starts_with('/'))
            .for_each(|device| needed.path(device));
    }

    fn observe(&self, wanted: &mut Observation) {
        if self.action != MountAction::Unmounted {
            self.observe_table(wanted);
        }
        if self.action != MountAction::Present {
            wanted.reading(&self.reading());
        }
        if !self.is_swap() {
            wanted.file(&self.path);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let mounts =
            matches!(self.action, MountAction::Mounted | MountAction::Present) && !self.is_swap();
        if mounts
            && matches!(node.file(&self.path), Known::Known(FileState::File { .. }))
            && self.options.split(',').all(|option| option != "bind")
        {
            return Err(ActionError::node(format!(
                "{} is a file; nothing but another file can be mounted there, with the option bind",
                self.path
            )));
        }
        // mount first: a filesystem that cannot be mounted gets no entry, which would delay the
        // next boot
        let mounted =
            if self.action == MountAction::Present { None } else { self.plan_mounted(node) };
        let table =
            if self.action == MountAction::Unmounted { None } else { self.plan_table(node)? };
        Ok(joined([mounted, table]))
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
        check(
            data(),
            with("# x\n/dev/vda1 / ext4 defaults 0 1\n", false),
            expect![[r#"
            will mount, change content
            @@ -1,2 +1,3 @@
             # x
             /dev/vda1 / ext4 defaults 0 1
            +/dev/vdb1 /srv/my\040data ext4 noatime 0 2
            ---
            ensure_mounted '/srv/my data' '/srv/my\040data' ext4 /dev/vdb1 noatime
            ensure_mount_entry /etc/fstab create '' '' '' present 'on /srv/my data' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2'
        "#]],
        );
        check(
            data().action(MountAction::Present),
            with("/dev/vdb2\t/srv/my\\040data ext4 defaults 0 0\n", false),
            expect![[r#"
            will change content
            @@ -1 +1 @@
            -/dev/vdb2	/srv/my\040data ext4 defaults 0 0
            +/dev/vdb1 /srv/my\040data ext4 noatime 0 2
            ---
            ensure_mount_entry /etc/fstab create '' '' '' present 'on /srv/my data' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2'
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            data(),
            with("/dev/vdb1\t/srv/my\\040data\text4\tnoatime 0 2\n", true),
            expect!["nothing to do"],
        );
        check(data().action(MountAction::Unmounted), with("", false), expect!["nothing to do"]);
        check(
            data().action(MountAction::Absent),
            with("# /dev/vdb1 /srv/my\\040data x y 0 0\n", false),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn unmounts() {
        check(
            data().action(MountAction::Absent),
            with("/dev/vdb1 /srv/my\\040data ext4 x\n", true),
            expect![[r#"
            will unmount, change content
            @@ -1 +0,0 @@
            -/dev/vdb1 /srv/my\040data ext4 x
            ---
            ensure_unmounted '/srv/my data' '/srv/my\040data'
            ensure_mount_entry /etc/fstab leave '' '' '' absent 'on /srv/my data' ''
        "#]],
        );
        check(
            data().action(MountAction::Unmounted),
            with("", true),
            expect![[r#"
            will unmount
            ---
            ensure_unmounted '/srv/my data' '/srv/my\040data'
        "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            data(),
            node(),
            expect![[r#"
            may mount, edit file
            +/dev/vdb1 /srv/my\040data ext4 noatime 0 2
            ---
            ensure_mounted '/srv/my data' '/srv/my\040data' ext4 /dev/vdb1 noatime
            ensure_mount_entry /etc/fstab create '' '' '' present 'on /srv/my data' '/dev/vdb1 /srv/my\040data ext4 noatime 0 2'
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Mount { device: None, ..data() },
            node(),
            expect!["error: mount: /srv/my data has no device; say what is mounted there"],
        );
        check(
            data().options("a\nb"),
            node(),
            expect![
                "error: mount: the line of /srv/my data in \
            /etc/fstab would have an empty field or a newline"
            ],
        );
        check(
            Mount::new("none", "/dev/vdb2", "swap"),
            node(),
            expect![[r#"
            may use as swap, edit file
            +/dev/vdb2 none swap defaults 0 0
            ---
            ensure_swap /dev/vdb2 defaults
            ensure_mount_entry /etc/fstab create '' '' '' present 'swap /dev/vdb2' '/dev/vdb2 none swap defaults 0 0'
        "#]],
        );
    }

    #[test]
    fn fault_05_a_hash_within_a_device_is_no_comment() {
        let hash = Mount::new("/mnt/y", "sshfs#u@h:/p", "fuse").action(MountAction::Present);
        check(
            hash,
            node().file(TABLE, "", 0o644),
            expect![[r#"
            will change content
            @@ -0,0 +1 @@
            +sshfs#u@h:/p /mnt/y fuse defaults 0 0
            ---
            ensure_mount_entry /etc/fstab create '' '' '' present 'on /mnt/y' 'sshfs#u@h:/p /mnt/y fuse defaults 0 0'
        "#]],
        );
    }

    #[test]
    fn swap_space_is_used_or_not() {
        let swap = || Mount::new("none", "/swapfile", "swap").options("pri=5");
        let with = |table: &str, used: bool| {
            let mut node = node().file(TABLE, table, 0o644);
            let output = if used { "mounted".into() } else { String::new() };
            node.0.set_reading(&swap().reading(), Reading { exit: 0, output, of: None });
            node
        };
        check(
            swap(),
            with("", false),
            expect![[r#"
            will use as swap, change content
            @@ -0,0 +1 @@
            +/swapfile none swap pri=5 0 0
            ---
            ensure_swap /swapfile pri=5
            ensure_mount_entry /etc/fstab create '' '' '' present 'swap /swapfile' '/swapfile none swap pri=5 0 0'
        "#]],
        );
        check(swap(), with("/swapfile swap swap pri=5\n", true), expect!["nothing to do"]);
        check(
            swap().action(MountAction::Absent),
            with("/swapfile swap swap pri=5\n", true),
            expect![[r#"
            will stop using as swap, change content
            @@ -1 +0,0 @@
            -/swapfile swap swap pri=5
            ---
            ensure_no_swap /swapfile
            ensure_mount_entry /etc/fstab leave '' '' '' absent 'swap /swapfile' ''
        "#]],
        );
        check(
            Mount::new("/mnt", "/swapfile", "swap"),
            node(),
            expect![[
                r#"error: mount: swap space has no directory; write "none" in place of "/mnt""#
            ]],
        );
    }
}
