//! Ensures the time zone of the node. No-op: /etc/localtime leads to it, and /etc/timezone has its
//! name where the system has that file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::joined;
use super::edit::{Edit, Missing};
use super::file_support::{kind, plan_file};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{Attributes, FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures the time zone of the node.
///
/// `/etc/localtime` becomes a link to the zone in `/usr/share/zoneinfo`, and `/etc/timezone` gets
/// its name if the system has that file. Does nothing if both are so. Programs that are already
/// running keep the old time zone until they are restarted.
///
/// It is an error if the node does not have the zone. Zones come with the package `tzdata`; on
/// newer Debian and Ubuntu systems, old names such as `US/Pacific` come with `tzdata-legacy`.
///
/// Example: `timezone(request, "Europe/Berlin")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timezone {
    /// Name of the zone: `Europe/Berlin`, `UTC`.
    pub name: String,
}

const LINK: &str = "/etc/localtime";
const FILE: &str = "/etc/timezone";

impl Timezone {
    /// Sets this time zone.
    pub fn new(name: impl Into<String>) -> Self {
        Timezone { name: name.into() }
    }

    /// The file of the zone.
    fn zone(&self) -> String {
        format!("/usr/share/zoneinfo/{}", self.name)
    }

    /// Refuses a zone that the node does not have; if that is unknown, returns the check for the
    /// node.
    fn plan_zone(&self, node: &NodeState) -> Result<Option<Script>, ActionError> {
        match node.file(&self.zone()) {
            Known::Known(FileState::File { .. } | FileState::Link { .. }) => Ok(None),
            Known::Known(FileState::Absent) => Err(ActionError::node(format!(
                "there is no time zone {0} on this node: no {1}; check its name, or declare \
                 package(\"tzdata\") before it",
                self.name,
                self.zone()
            ))),
            Known::Known(other) => Err(ActionError::node(format!(
                "{} is not a time zone: {} is a {}",
                self.name,
                self.zone(),
                kind(other)
            ))),
            Known::Unknown => Ok(Some(Script::new().call(["require_time_zone", &self.name]))),
        }
    }

    fn plan_link(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let zone = self.zone();
        let unknown = match node.file(LINK) {
            // systemd writes relative links
            Known::Known(FileState::Link { target })
                if *target == zone || target.strip_prefix("..") == Some(&zone) =>
            {
                return Ok(None);
            }
            Known::Known(FileState::Absent | FileState::Link { .. } | FileState::File { .. }) => {
                false
            }
            Known::Known(other) => {
                return Err(ActionError::node(format!(
                    "{LINK} is a {}, not a link or a file; delete it before",
                    kind(other)
                )));
            }
            Known::Unknown => true,
        };
        let script = Script::new().call(["ensure_time_zone", &self.name]);
        let change = plan_file(node, LINK, FileState::Link { target: zone }, script)?;
        if unknown {
            // a relative link stays
            node.forget_files_below(LINK);
        }
        Ok(change)
    }
}

impl Action for Timezone {
    const NAME: &'static str = "timezone";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
        let part = |part: &str| !part.is_empty() && part.bytes().all(plain);
        // the zone `localtime` is a link to the link itself
        if self.name == "localtime" || !self.name.split('/').all(part) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{:?} is not a time zone such as Europe/Berlin or UTC", self.name),
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.value("the time zone", "", &self.name);
        claims.path(LINK, &format!("a link to {}", self.zone()));
        let name = self.name.clone();
        claims.part(FILE, move |text| text.trim() == name);
    }

    fn needs(&self, needed: &mut Capabilities) {
        [LINK, FILE].into_iter().for_each(|path| needed.path(path));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(LINK);
        wanted.file(&self.zone());
        wanted.text(FILE);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let check = self.plan_zone(node)?;
        let link = self.plan_link(node)?;
        let file = Edit::of(FILE, Missing::Leave, Attributes::default())
            .plan_whole(node, &format!("{}\n", self.name))?;
        let Some(change) = joined([link, file]) else { return Ok(None) };
        Ok(Some(match check {
            Some(check) => Change { script: check.raw(change.script.as_str()), ..change },
            None => change,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{NodeBuilder, check, node};
    use super::*;
    use expect_test::expect;

    const BERLIN: &str = "/usr/share/zoneinfo/Europe/Berlin";

    fn berlin() -> Timezone {
        Timezone::new("Europe/Berlin")
    }

    fn with_zone() -> NodeBuilder {
        node().file(BERLIN, "TZif2", 0o644)
    }

    #[test]
    fn sets_what_is_other() {
        check(
            berlin(),
            with_zone().link(LINK, "/usr/share/zoneinfo/Etc/UTC").file(FILE, "Etc/UTC\n", 0o644),
            expect![[r#"
                will change target, change content
                - link to /usr/share/zoneinfo/Etc/UTC
                + link to /usr/share/zoneinfo/Europe/Berlin
                @@ -1 +1 @@
                -Etc/UTC
                +Europe/Berlin
                ---
                ensure_time_zone Europe/Berlin
                edited() { printf %s 'Europe/Berlin
                '; }
                edit_file /etc/timezone leave '' '' ''
            "#]],
        );
        check(
            berlin(),
            with_zone().without_file(LINK).without_file(FILE),
            expect![[r#"
            will create link
            + link to /usr/share/zoneinfo/Europe/Berlin
            ---
            ensure_time_zone Europe/Berlin
        "#]],
        );
        check(
            berlin(),
            with_zone().file(LINK, "TZif2 UTC", 0o644).without_file(FILE),
            expect![[r#"
                will replace file by link
                - file root:root 0644
                + link to /usr/share/zoneinfo/Europe/Berlin
                - content with SHA-256 b8afaec98b90adcee0698f2452766c3cc43da5aa7fa0801c18dfe1496236132e
                ---
                ensure_time_zone Europe/Berlin
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        for target in [BERLIN, "../usr/share/zoneinfo/Europe/Berlin"] {
            check(
                berlin(),
                with_zone().link(LINK, target).without_file(FILE),
                expect!["nothing to do"],
            );
        }
        check(
            berlin(),
            with_zone().link(LINK, BERLIN).file(FILE, "Europe/Berlin\n", 0o644),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            berlin(),
            node(),
            expect![[r#"
            may ensure link, edit file
            + link to /usr/share/zoneinfo/Europe/Berlin
            ---
            require_time_zone Europe/Berlin
            ensure_time_zone Europe/Berlin
            edited() { printf %s 'Europe/Berlin
            '; }
            edit_file /etc/timezone leave '' '' ''
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            berlin(),
            node().without_file(BERLIN),
            expect![[
                r#"error: there is no time zone Europe/Berlin on this node: no /usr/share/zoneinfo/Europe/Berlin; check its name, or declare package("tzdata") before it"#
            ]],
        );
        check(
            Timezone::new("Europe"),
            node().directory("/usr/share/zoneinfo/Europe", 0o755),
            expect!["error: Europe is not a time zone: /usr/share/zoneinfo/Europe is a directory"],
        );
        check(
            berlin(),
            with_zone().directory(LINK, 0o755),
            expect!["error: /etc/localtime is a directory, not a link or a file; delete it before"],
        );
        for name in ["", "/UTC", "Europe/", "../UTC", "a b", "localtime"] {
            let said = super::super::check::planned(Timezone::new(name), node());
            assert_eq!(
                said,
                format!(
                    "error: timezone: {name:?} is not a time zone such as Europe/Berlin or UTC"
                )
            );
        }
    }
}
