//! Ensures the value of a kernel setting, now and after a restart. No-op: it has the value, and the file says so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{Edit, Missing, joined, require_line};
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Attributes, Capabilities, Known, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// Ensures that a setting of the kernel has a value, now and after the node starts again. Nothing to do where it has the value already and
/// `/etc/sysctl.d/60-pallet-<key>.conf` says so. The kernel must keep the value as it is written.
///
/// Example: `sysctl(request, "net.ipv4.ip_forward", "1")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    /// The key, such as `vm.swappiness`; with `/` between its parts where one of them holds a dot: `net/ipv4/conf/eth0.1/forwarding`.
    pub key: String,
    /// The value; how it is spaced does not matter.
    pub value: String,
    /// Whether it is also written to a file, so that it holds after a restart; true if nothing is said.
    #[serde(default = "yes")]
    pub persist: bool,
}

fn yes() -> bool {
    true
}

impl Sysctl {
    /// A setting of the kernel.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Sysctl { key: key.into(), value: value.into(), persist: true }
    }

    /// Only until the node starts again.
    pub fn not_persistent(mut self) -> Self {
        self.persist = false;
        self
    }

    /// Where the kernel has it.
    fn path(&self) -> String {
        let key = if self.key.contains('/') { self.key.clone() } else { self.key.replace('.', "/") };
        format!("/proc/sys/{key}")
    }

    fn file(&self) -> String {
        format!("/etc/sysctl.d/60-pallet-{}.conf", self.key.replace('/', "-"))
    }

    fn wanted(&self) -> String {
        self.value.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn reading(&self) -> String {
        // as the library's running_value
        format!("value=$(cat {} 2>/dev/null) && set -f && set -- $value && printf %s \"$*\"", quote(&self.path()))
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
                return Err(ActionError::node(format!("there is no kernel setting {}; load its module before, if it belongs to one", self.key)));
            }
            Known::Unknown => Change::may("set", script),
        };
        node.set_reading(&reading, Reading { exit: 0, output: wanted, of: None });
        Ok(Some(change))
    }
}

impl Sysctl {
    /// What stands in the file that the node reads when it starts.
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
        if !self.key.bytes().all(plain) || !self.key.split('/').all(part) || self.key.split('.').any(str::is_empty) {
            return Err(ActionError::arguments(Self::NAME, format!("{:?} is not a key such as vm.swappiness", self.key)));
        }
        require_line(Self::NAME, "the value", &self.value)?;
        if self.wanted().is_empty() {
            return Err(ActionError::arguments(Self::NAME, format!("there is no value for {}", self.key)));
        }
        Ok(())
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path());
        if self.persist {
            needed.path(&self.file());
        }
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.reading(&self.reading());
        if self.persist {
            Edit::of(&self.file(), Missing::Create, Attributes::default()).observe_whole(wanted, &self.content());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let running = self.plan_running(node)?;
        if !self.persist {
            return Ok(running);
        }
        let content = self.content();
        let attributes = Attributes { owner: Some("root".into()), group: Some("root".into()), mode: Some(0o644) };
        let persistent = Edit::of(&self.file(), Missing::Create, attributes).plan_whole(node, &content)?;
        Ok(joined(persistent, running))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    const FILE: &str = "/etc/sysctl.d/60-pallet-net.ipv4.tcp_rmem.conf";

    fn setting() -> Sysctl {
        Sysctl::new("net.ipv4.tcp_rmem", "1 2\t3")
    }

    fn running(mut node: NodeBuilder, exit: i32, value: &str) -> NodeBuilder {
        node.0.set_reading(&setting().reading(), Reading { exit, output: value.into(), of: None });
        node
    }

    #[test]
    fn sets_what_is_missing_or_other() {
        check(setting(), running(node().without_file(FILE), 0, "1 2 4"), expect![[r#"
            will create file, set
            + file root:root 0644
            @@ -0,0 +1 @@
            +net.ipv4.tcp_rmem = 1 2 3
            - net.ipv4.tcp_rmem = 1 2 4
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            edited() { printf %s 'net.ipv4.tcp_rmem = 1 2 3
            '; }
            edit_file /etc/sysctl.d/60-pallet-net.ipv4.tcp_rmem.conf create root root 0644
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]]);
        check(setting(), running(node().file(FILE, "net.ipv4.tcp_rmem = 1 2 3\n", 0o644), 0, "1 2 4"), expect![[r#"
            will set
            - net.ipv4.tcp_rmem = 1 2 4
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]]);
        check(setting().not_persistent(), running(node(), 0, "0 0 0"), expect![[r#"
            will set
            - net.ipv4.tcp_rmem = 0 0 0
            + net.ipv4.tcp_rmem = 1 2 3
            ---
            ensure_running /proc/sys/net/ipv4/tcp_rmem '1 2 3'
        "#]]);
    }

    #[test]
    fn leaves_what_is_right() {
        check(setting(), running(node().file(FILE, "net.ipv4.tcp_rmem = 1 2 3\n", 0o644), 0, "1 2 3"), expect!["nothing to do"]);
        check(setting().not_persistent(), running(node(), 0, "1 2 3"), expect!["nothing to do"]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(Sysctl::new("net/ipv4/conf/eth0.1/forwarding", "1"), node(), expect![[r#"
            may edit file, set
            ---
            edited() { printf %s 'net/ipv4/conf/eth0.1/forwarding = 1
            '; }
            edit_file /etc/sysctl.d/60-pallet-net-ipv4-conf-eth0.1-forwarding.conf create root root 0644
            ensure_running /proc/sys/net/ipv4/conf/eth0.1/forwarding 1
        "#]]);
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(setting(), running(node(), 1, ""), expect!["error: there is no kernel setting net.ipv4.tcp_rmem; load its module before, if it belongs to one"]);
        check(Sysctl::new("../x", "1"), node(), expect![[r#"error: sysctl: "../x" is not a key such as vm.swappiness"#]]);
        check(Sysctl::new("a.b", " "), node(), expect!["error: sysctl: there is no value for a.b"]);
    }
}
