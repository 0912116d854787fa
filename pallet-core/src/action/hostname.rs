//! Ensures the node's host name, now and after a reboot. No-op: the running name and the files have
//! it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::joined;
use super::edit::{Edit, Line, LinePosition, Missing};
use super::ere::{Ere, any_case};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known, OsFamily};
use crate::observe::{Attributes, NodeState, Observation, Reading};
use crate::script::Script;

/// Ensures the host name of the node.
///
/// It is set in three places: the running name, `/etc/hostname`, and on Debian-family systems the
/// line 127.0.1.1 of `/etc/hosts`. Does nothing if all of them are set.
///
/// Example: `hostname(request, "web-1.example.com")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hostname {
    /// Host name: letters, digits and `-`, with or without a domain.
    pub name: String,
}

const RUNNING: &str = "/proc/sys/kernel/hostname";
const FILE: &str = "/etc/hostname";
const HOSTS: &str = "/etc/hosts";

impl Hostname {
    /// Sets this host name.
    pub fn new(name: impl Into<String>) -> Self {
        Hostname { name: name.into() }
    }

    fn reading() -> String {
        format!("cat {RUNNING}")
    }

    fn plan_running(&self, node: &mut NodeState) -> Option<Change> {
        let script = Script::new().call(["ensure_running", RUNNING, &self.name]);
        let change = match node.reading(&Self::reading()) {
            Known::Known(reading) if reading.output == self.name => return None,
            Known::Known(reading) => {
                let diff = format!("- host name {}\n+ host name {}\n", reading.output, self.name);
                Change::will("set", script).with_diff(diff)
            }
            Known::Unknown => {
                Change::may("set", script).with_diff(format!("+ host name {}\n", self.name))
            }
        };
        node.set_reading(
            &Self::reading(),
            Reading { exit: 0, output: self.name.clone(), of: None },
        );
        Some(change)
    }

    fn plan_hosts(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let line = match self.name.split_once('.') {
            Some((short, _)) => format!("127.0.1.1\t{} {short}", self.name),
            None => format!("127.0.1.1\t{}", self.name),
        };
        let own = |rest: &str| {
            Ere::new(Self::NAME, "name", &format!(r"^[[:space:]]*127\.0\.1\.1[[:space:]]{rest}"))
        };
        let line = Line {
            line: &line,
            replaces: Some(own("")?),
            // other names on the line are allowed; host names are case-insensitive
            enough: Some(own(&format!(
                "+([^#]*[[:space:]])?{}([[:space:]]|$)",
                any_case(&self.name)
            ))?),
            place: Some((
                LinePosition::After,
                Ere::new(Self::NAME, "name", r"^[[:space:]]*127\.0\.0\.1[[:space:]]")?,
            )),
        };
        line.plan(&Edit::of(HOSTS, Missing::Create, Attributes::default()), node)
    }
}

impl Action for Hostname {
    const NAME: &'static str = "hostname";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(plain)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if self.name.len() > 64 || !self.name.split('.').all(label) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!(
                    "{:?} is not a host name: letters, digits and - between dots, at most 64 \
                    characters",
                    self.name
                ),
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.value("the host name", "", &self.name);
        let name = self.name.clone();
        claims.part(FILE, move |text| text.trim() == name);
    }

    fn needs(&self, needed: &mut Capabilities) {
        [FILE, HOSTS].into_iter().for_each(|path| needed.path(path));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.text(FILE);
        // which of the files it will be depends on the system
        wanted.text(HOSTS);
        wanted.reading(&Self::reading());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let file = Edit::of(FILE, Missing::Create, Attributes::default())
            .plan_whole(node, &format!("{}\n", self.name))?;
        let hosts = if node.os.family == OsFamily::Debian { self.plan_hosts(node)? } else { None };
        let running = self.plan_running(node);
        Ok(joined([file, hosts, running]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    fn named(name: &str, hosts: &str) -> NodeBuilder {
        let mut node = node().file(FILE, &format!("{name}\n"), 0o644).file(HOSTS, hosts, 0o644);
        node.0
            .set_reading(&Hostname::reading(), Reading { exit: 0, output: name.into(), of: None });
        node
    }

    #[test]
    fn names_the_node() {
        check(
            Hostname::new("web.example.com"),
            named(
                "old",
                "127.0.0.1 localhost\n\
            ::1 localhost\n",
            ),
            expect![[r#"
            will change content, set
            @@ -1 +1 @@
            -old
            +web.example.com
            @@ -1,2 +1,3 @@
             127.0.0.1 localhost
            +127.0.1.1	web.example.com web
             ::1 localhost
            - host name old
            + host name web.example.com
            ---
            edited() { printf %s 'web.example.com
            '; }
            edit_file /etc/hostname create '' '' ''
            ensure_line /etc/hosts create '' '' '' '127.0.1.1	web.example.com web' '^[[:space:]]*127\.0\.1\.1[[:space:]]' itself after '^[[:space:]]*127\.0\.0\.1[[:space:]]' '^[[:space:]]*127\.0\.1\.1[[:space:]]+([^#]*[[:space:]])?[wW][eE][bB]\.[eE][xX][aA][mM][pP][lL][eE]\.[cC][oO][mM]([[:space:]]|$)'
            ensure_running /proc/sys/kernel/hostname web.example.com
        "#]],
        );
        check(
            Hostname::new("web"),
            named("web", "127.0.0.1 localhost\n127.0.1.1 old\n"),
            expect![[r#"
            will change content
            @@ -1,2 +1,2 @@
             127.0.0.1 localhost
            -127.0.1.1 old
            +127.0.1.1	web
            ---
            ensure_line /etc/hosts create '' '' '' '127.0.1.1	web' '^[[:space:]]*127\.0\.1\.1[[:space:]]' itself after '^[[:space:]]*127\.0\.0\.1[[:space:]]' '^[[:space:]]*127\.0\.1\.1[[:space:]]+([^#]*[[:space:]])?[wW][eE][bB]([[:space:]]|$)'
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(Hostname::new("web"), named("web", "127.0.1.1 x web y\n"), expect!["nothing to do"]);
        check(
            Hostname::new("web"),
            named("web", "127.0.1.1\tWeb # web\r\n"),
            expect!["nothing to do"],
        );
        let other =
            named("web", "").os("rocky", OsFamily::RedHat, crate::model::PackageManager::Dnf);
        check(Hostname::new("web"), other, expect!["nothing to do"]);
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Hostname::new("web"),
            node(),
            expect![[r#"
            may edit file, set
            +web
            +127.0.1.1	web
            + host name web
            ---
            edited() { printf %s 'web
            '; }
            edit_file /etc/hostname create '' '' ''
            ensure_line /etc/hosts create '' '' '' '127.0.1.1	web' '^[[:space:]]*127\.0\.1\.1[[:space:]]' itself after '^[[:space:]]*127\.0\.0\.1[[:space:]]' '^[[:space:]]*127\.0\.1\.1[[:space:]]+([^#]*[[:space:]])?[wW][eE][bB]([[:space:]]|$)'
            ensure_running /proc/sys/kernel/hostname web
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Hostname::new("a b"),
            node(),
            expect![[
                r#"error: hostname: "a b" is not a host name: letters, digits and - between dots, at most 64 characters"#
            ]],
        );
        check(
            Hostname::new("-a"),
            node(),
            expect![[
                r#"error: hostname: "-a" is not a host name: letters, digits and - between dots, at most 64 characters"#
            ]],
        );
        check(
            Hostname::new("a..b"),
            node(),
            expect![[
                r#"error: hostname: "a..b" is not a host name: letters, digits and - between dots, at most 64 characters"#
            ]],
        );
    }
}
