//! Ensures the value of a kernel setting, now and after a reboot. No-op: it has the value, and the
//! file sets it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::joined;
use super::edit::{Edit, Missing, require_line};
use super::file_support::plan_delete;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// Ensures that a kernel setting has a value, now and after a reboot. Does nothing if it already
/// has the value and `/etc/sysctl.d/zz-pallet-<key>.conf` sets it. The kernel must keep the value
/// as written.
///
/// At boot, the node reads the files of `/etc/sysctl.d`, `/run/sysctl.d` and `/usr/lib/sysctl.d` in
/// the order of their names, and on some systems `/etc/sysctl.conf` after them; the last one wins.
/// If `/etc/sysctl.conf`, or a later file of `/etc/sysctl.d`, sets the same key to another value,
/// that line is changed as well. If any other file does, it is an error.
///
/// Example: `sysctl(request, "net.ipv4.ip_forward", "1")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// Key, such as `vm.swappiness`. Use `/` as the separator if a part contains a dot:
    /// `net/ipv4/conf/eth0.1/forwarding`.
    pub key: String,
    /// Value. Its spacing does not matter.
    pub value: String,
    /// Also write the value to a file, so that it survives a reboot. Default: true.
    #[serde(default = "yes")]
    pub persist: bool,
}

fn yes() -> bool {
    true
}

impl Sysctl {
    /// A kernel setting.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Sysctl { key: key.into(), value: value.into(), persist: true }
    }

    /// Only until the next reboot.
    pub fn not_persistent(mut self) -> Self {
        self.persist = false;
        self
    }

    /// The path of the setting in /proc.
    fn path(&self) -> String {
        let [_, with_slashes] = self.keys();
        format!("/proc/sys/{with_slashes}")
    }

    /// The file of this setting. It is read after all others except a few with later names, and
    /// /etc/sysctl.conf.
    fn file(&self) -> String {
        format!("/etc/sysctl.d/zz-pallet-{}.conf", self.key.replace('/', "-"))
    }

    /// The file that older versions of Pallet wrote; others could override it.
    fn old_file(&self) -> String {
        format!("/etc/sysctl.d/60-pallet-{}.conf", self.key.replace('/', "-"))
    }

    /// The key in both notations: with dots, and with slashes.
    fn keys(&self) -> [String; 2] {
        let swapped = self.key.chars().map(|char| match char {
            '.' => '/',
            '/' => '.',
            other => other,
        });
        let swapped = swapped.collect();
        if self.key.contains('/') {
            [swapped, self.key.clone()]
        } else {
            [self.key.clone(), swapped]
        }
    }

    /// Prints the files that are read after ours and set another value, with the value. Like the
    /// library's later_settings.
    fn later(&self) -> String {
        let [dots, slashes] = self.keys();
        let file = self.file();
        let ours = file.rsplit('/').next().unwrap_or_default();
        format!("ours={}\n", quote(ours))
            + "for file in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf \
                /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf \
                /etc/sysctl.conf; do\n\
                if [ ! -f \"$file\" ] || \
                { [ \"$file\" != /etc/sysctl.conf ] && ! [ \"${file##*/}\" \\> \"$ours\" ]; }; \
                then continue; fi\n\
                last=\n\
                while read -r line || [ -n \"$line\" ]; do\n\
                case $line in '#'* | ';'*) continue ;; *=*) ;; *) continue ;; esac\n\
                key=${line%%=*} key=${key#-}\n\
                key=${key%\"${key##*[![:space:]]}\"}\n"
            + &format!(
                "case $key in {} | {}) last=${{line#*=}} ;; esac\n",
                quote(&dots),
                quote(&slashes)
            )
            + "done <\"$file\"\n\
               set -f; IFS=' \t\r'; set -- $last; set +f; unset IFS\n"
            + &format!(
                "case \"$*\" in '' | {}) ;; *) echo \"$file = $*\" ;; esac\n",
                quote(&self.wanted())
            )
            + "done"
    }

    /// Plans to set the value in files that are read after ours too.
    fn plan_later(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (reading, [dots, slashes], wanted, file) =
            (self.later(), self.keys(), self.wanted(), self.file());
        let script = Script::new().call(["ensure_later_settings", &file, &dots, &slashes, &wanted]);
        let change = match node.reading(&reading) {
            Known::Known(Reading { output, .. }) if output.is_empty() => return Ok(None),
            Known::Known(Reading { output, .. }) => {
                let (mut diff, mut files) = (String::new(), Vec::new());
                for (place, value) in output.lines().filter_map(|line| line.split_once(" = ")) {
                    if !place.starts_with("/etc/") {
                        return Err(ActionError::node(format!(
                            "{place} sets {} to {value}, and is read behind {file} when the node \
                             starts; take it away there",
                            self.key
                        )));
                    }
                    diff.push_str(&format!(
                        "- {} = {value} in {place}\n\
                        + {} = {wanted} in {place}\n",
                        self.key, self.key
                    ));
                    files.push(place.to_owned());
                }
                files.iter().for_each(|file| node.forget_files_below(file));
                Change::will("set where it is read last", script).with_diff(diff)
            }
            Known::Unknown => {
                node.forget_files_below("/etc/sysctl.conf");
                Change::may("set where it is read last", script)
            }
        };
        node.set_reading(&reading, Reading { exit: 0, output: String::new(), of: None });
        Ok(Some(change))
    }

    fn wanted(&self) -> String {
        self.value.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn reading(&self) -> String {
        // like the library's running_value
        format!(
            "value=$(cat {} 2>/dev/null) && set -f && set -- $value && printf %s \"$*\"",
            quote(&self.path())
        )
    }

    fn plan_running(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let (reading, path, wanted) = (self.reading(), self.path(), self.wanted());
        let script = Script::new().call(["ensure_running", &path, &wanted]);
        let change = match node.reading(&reading) {
            Known::Known(Reading { exit: 0, output, .. }) if *output == wanted => return Ok(None),
            Known::Known(Reading { exit: 0, output, .. }) => {
                let diff = format!("- {} = {output}\n+ {} = {wanted}\n", self.key, self.key);
                Change::will("set", script).with_diff(diff)
            }
            Known::Known(_) => {
                return Err(ActionError::node(format!(
                    "there is no kernel setting {}; load its module before, if it belongs to one",
                    self.key
                )));
            }
            Known::Unknown => {
                Change::may("set", script).with_diff(format!("+ {} = {wanted}\n", self.key))
            }
        };
        node.set_reading(&reading, Reading { exit: 0, output: wanted, of: Some(path) });
        Ok(Some(change))
    }
}

impl Sysctl {
    /// The content of the file that the node reads at boot.
    fn content(&self) -> String {
        format!("{} = {}\n", self.key, self.wanted())
    }
}

impl Action for Sysctl {
    const NAME: &'static str = "sysctl";

    fn subject(&self) -> String {
        self.key.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@".contains(&byte);
        let part = |part: &str| !part.is_empty() && part != "..";
        if !self.key.bytes().all(plain)
            || !self.key.split('/').all(part)
            || self.key.split('.').any(str::is_empty)
        {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{:?} is not a key such as vm.swappiness", self.key),
            ));
        }
        require_line(Self::NAME, "the value", &self.value)?;
        if self.wanted().is_empty() {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("there is no value for {}", self.key),
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        let [dots, _] = self.keys();
        claims.value(format!("the value of {dots}"), "", self.wanted());
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path());
        if self.persist {
            [&self.file(), &self.old_file(), "/etc/sysctl.conf"]
                .into_iter()
                .for_each(|path| needed.path(path));
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        // a kernel module may bring the setting
        wanted.reading_of(&self.path(), &self.reading());
        if self.persist {
            Edit::of(&self.file(), Missing::Create, Attributes::default())
                .observe_whole(wanted, &self.content());
            wanted.file(&self.old_file());
            wanted.reading_of("/etc/sysctl.conf", &self.later());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let running = self.plan_running(node)?;
        if !self.persist {
            return Ok(running);
        }
        let content = self.content();
        let attributes = Attributes {
            owner: Some("root".into()),
            group: Some("root".into()),
            mode: Some(0o644),
        };
        let persistent =
            Edit::of(&self.file(), Missing::Create, attributes).plan_whole(node, &content)?;
        let old = match node.file(&self.old_file()) {
            Known::Known(FileState::File { .. }) => plan_delete(node, &self.old_file()),
            _ => None,
        };
        let later = self.plan_later(node)?;
        Ok(joined([persistent, old, later, running]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    const FILE: &str = "/etc/sysctl.d/zz-pallet-net.ipv4.tcp_rmem.conf";

    fn setting() -> Sysctl {
        Sysctl::new("net.ipv4.tcp_rmem", "1 2\t3")
    }

    fn running(mut node: NodeBuilder, exit: i32, value: &str) -> NodeBuilder {
        node.0.set_reading(&setting().reading(), Reading { exit, output: value.into(), of: None });
        node.0
            .set_reading(&setting().later(), Reading { exit: 0, output: String::new(), of: None });
        node
    }

    #[test]
    fn sets_what_is_missing_or_other() {
        check(
            setting(),
            running(node().without_file(FILE), 0, "1 2 4"),
            expect![[r#"
            will create file, set
            + file root:root 0644
            @@ -0,0 +1 @@
            +net.ipv4.tcp_rmem = 1 2 3
            - net.ipv4.tcp_rmem = 1 2 4
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            edited() { printf %s 'net.ipv4.tcp_rmem = 1 2 3
            '; }
            edit_file /etc/sysctl.d/zz-pallet-net.ipv4.tcp_rmem.conf create root root 0644
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]],
        );
        check(
            setting(),
            running(node().file(FILE, "net.ipv4.tcp_rmem = 1 2 3\n", 0o644), 0, "1 2 4"),
            expect![[r#"
            will set
            - net.ipv4.tcp_rmem = 1 2 4
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]],
        );
        check(
            setting().not_persistent(),
            running(node(), 0, "0 0 0"),
            expect![[r#"
            will set
            - net.ipv4.tcp_rmem = 0 0 0
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            setting(),
            running(node().file(FILE, "net.ipv4.tcp_rmem = 1 2 3\n", 0o644), 0, "1 2 3"),
            expect!["nothing to do"],
        );
        check(setting().not_persistent(), running(node(), 0, "1 2 3"), expect!["nothing to do"]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Sysctl::new("net/ipv4/conf/eth0.1/forwarding", "1"),
            node(),
            expect![[r#"
            may edit file, set where it is read last, set
            + file root:root 0644
            +net/ipv4/conf/eth0.1/forwarding = 1
            + net/ipv4/conf/eth0.1/forwarding = 1
            ---
            edited() { printf %s 'net/ipv4/conf/eth0.1/forwarding = 1
            '; }
            edit_file /etc/sysctl.d/zz-pallet-net-ipv4-conf-eth0.1-forwarding.conf create root root 0644
            ensure_later_settings /etc/sysctl.d/zz-pallet-net-ipv4-conf-eth0.1-forwarding.conf net.ipv4.conf.eth0/1.forwarding net/ipv4/conf/eth0.1/forwarding 1
            ensure_running /proc/sys/net/ipv4/conf/eth0.1/forwarding 1
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            setting(),
            running(node(), 1, ""),
            expect![
                "error: there is no kernel setting \
            net.ipv4.tcp_rmem; load its module before, if it belongs to one"
            ],
        );
        check(
            Sysctl::new("../x", "1"),
            node(),
            expect![[r#"error: sysctl: "../x" is not a key such as vm.swappiness"#]],
        );
        check(Sysctl::new("a.b", " "), node(), expect!["error: sysctl: there is no value for a.b"]);
    }

    #[test]
    fn fault_15_what_is_read_later_says_the_same() {
        let later = |output: &str| {
            let mut node =
                running(node().file(FILE, "net.ipv4.tcp_rmem = 1 2 3\n", 0o644), 0, "1 2 3");
            node.0.set_reading(
                &setting().later(),
                Reading { exit: 0, output: output.into(), of: None },
            );
            node
        };
        check(
            setting(),
            later("/etc/sysctl.conf = 4 5 6\n/etc/sysctl.d/zzz.conf = 7 8 9"),
            expect![[r#"
            will set where it is read last
            - net.ipv4.tcp_rmem = 4 5 6 in /etc/sysctl.conf
            + net.ipv4.tcp_rmem = 1 2 3 in /etc/sysctl.conf
            - net.ipv4.tcp_rmem = 7 8 9 in /etc/sysctl.d/zzz.conf
            + net.ipv4.tcp_rmem = 1 2 3 in /etc/sysctl.d/zzz.conf
            ---
            ensure_later_settings /etc/sysctl.d/zz-pallet-net.ipv4.tcp_rmem.conf net.ipv4.tcp_rmem net/ipv4/tcp_rmem '1 2 3'
        "#]],
        );
        check(
            setting(),
            later("/usr/lib/sysctl.d/zzz.conf = 4 5 6"),
            expect![
                "error: \
            /usr/lib/sysctl.d/zzz.conf sets net.ipv4.tcp_rmem to 4 5 6, and is read behind \
            /etc/sysctl.d/zz-pallet-net.ipv4.tcp_rmem.conf when the node starts; take it away there"
            ],
        );
        let old = later("").file(
            "/etc/sysctl.d/60-pallet-net.ipv4.tcp_rmem.conf",
            "net.ipv4.tcp_rmem = 1 2 3\n",
            0o644,
        );
        check(
            setting(),
            old,
            expect![[r#"
            will delete file
            - file root:root 0644
            @@ -1 +0,0 @@
            -net.ipv4.tcp_rmem = 1 2 3
            ---
            ensure_absent /etc/sysctl.d/60-pallet-net.ipv4.tcp_rmem.conf
        "#]],
        );
    }
}
