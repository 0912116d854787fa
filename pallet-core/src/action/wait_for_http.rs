//! Waits until a web server answers with a status. No-op: it did when the node was observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::require_line;
use super::wait::{Wait, one, sixty, wait_builders};
use super::{Action, ActionError, Change, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::{Script, quote};

/// Waits until a web server answers the node with a certain status.
///
/// Fails after a timeout. Does nothing if that is already so. Waiting never counts as a change.
/// Redirects are not followed. Requires curl, or wget for URLs without a query or a password.
///
/// Example: `wait_for_http(request, "http://localhost:8080/health")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForHttp {
    /// URL, `http://` or `https://`.
    pub url: String,
    /// Expected status code. Default: 200.
    #[serde(default = "ok")]
    pub status: u16,
    /// Maximum time to wait, in seconds. Default: 60. Each request takes at most 10 seconds.
    #[serde(default = "sixty")]
    pub timeout: u32,
    /// Time between two requests, in seconds. Default: 1.
    #[serde(default = "one")]
    pub delay: u32,
}

fn ok() -> u16 {
    200
}

impl WaitForHttp {
    /// Wait until `url` answers with status 200.
    pub fn new(url: impl Into<String>) -> Self {
        WaitForHttp { url: url.into(), status: ok(), timeout: sixty(), delay: one() }
    }

    /// Sets the expected status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    wait_builders!();

    /// Whether the URL may appear in a process list, which wget requires.
    fn is_public(&self) -> bool {
        !self.url.contains(['@', '?', '#'])
    }

    fn condition(&self) -> String {
        let config = format!("url = \"{}\"", self.url.replace('\\', "\\\\").replace('"', "\\\""));
        let status = self.status;
        let curl = format!(
            "[ \"$(printf '%s\\n' {} | curl -s -m 10 -o /dev/null -w \
            '%{{http_code}}' -K -)\" = {status} ]",
            quote(&config)
        );
        if !self.is_public() {
            return curl;
        }
        let url = quote(&self.url);
        format!(
            "if command -v curl >/dev/null; then\n{curl}\nelse\n\
             said=$(wget -S -T 10 -O /dev/null {url} 2>&1)\nsaid=${{said#*HTTP/1.? }}\n\
             [ \"${{said%%[!0-9]*}}\" = {status} ]\nfi"
        )
    }
}

impl Action for WaitForHttp {
    const NAME: &'static str = "wait_for_http";

    fn subject(&self) -> String {
        self.url.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_line(Self::NAME, "the URL", &self.url)?;
        let rest = self.url.strip_prefix("http://").or_else(|| self.url.strip_prefix("https://"));
        if rest.is_none_or(|rest| rest.is_empty() || rest.contains(' ')) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{:?} is not a URL that begins with http:// or https://", self.url),
            ));
        }
        if !(100..=599).contains(&self.status) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{} is not a status from 100 to 599", self.status),
            ));
        }
        Wait::check(Self::NAME, self.timeout, self.delay)
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.url(&self.url);
    }

    fn only_waits(&self) -> bool {
        true
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.command(&self.condition());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let what = format!("{} to answer with status {}", self.url, self.status);
        let wait = Wait {
            condition: &self.condition(),
            what: &what,
            timeout: self.timeout,
            delay: self.delay,
        };
        let (tools, names) = if self.is_public() {
            ("command -v curl >/dev/null || command -v wget >/dev/null", "curl or wget")
        } else {
            ("command -v curl >/dev/null", "curl")
        };
        let before = Script::new().raw(&format!(
            "{tools} || fail 'waiting for a web server needs \
            {names}; install it with package before'"
        ));
        Ok(wait.plan(node, before))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn waits_for_what_is_not_so() {
        check(
            WaitForHttp::new("http://localhost/\"x"),
            node(),
            expect![[r#"
            may wait for http://localhost/"x to answer with status 200
            ---
            command -v curl >/dev/null || command -v wget >/dev/null || fail 'waiting for a web server needs curl or wget; install it with package before'
            condition() {
            if command -v curl >/dev/null; then
            [ "$(printf '%s\n' 'url = "http://localhost/\"x"' | curl -s -m 10 -o /dev/null -w '%{http_code}' -K -)" = 200 ]
            else
            said=$(wget -S -T 10 -O /dev/null 'http://localhost/"x' 2>&1)
            said=${said#*HTTP/1.? }
            [ "${said%%[!0-9]*}" = 200 ]
            fi
            }
            wait_for 'http://localhost/"x to answer with status 200' 60 1
        "#]],
        );
        check(
            WaitForHttp::new("https://u:p@localhost/?a=b").status(401),
            node(),
            expect![[r#"
            may wait for https://u:p@localhost/?a=b to answer with status 401
            ---
            command -v curl >/dev/null || fail 'waiting for a web server needs curl; install it with package before'
            condition() {
            [ "$(printf '%s\n' 'url = "https://u:p@localhost/?a=b"' | curl -s -m 10 -o /dev/null -w '%{http_code}' -K -)" = 401 ]
            }
            wait_for 'https://u:p@localhost/?a=b to answer with status 401' 60 1
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_so() {
        let url = "http://localhost/";
        check(
            WaitForHttp::new(url),
            node().command(&WaitForHttp::new(url).condition(), 0),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            WaitForHttp::new("localhost:80"),
            node(),
            expect![[
                r#"error: wait_for_http: "localhost:80" is not a URL that begins with http:// or https://"#
            ]],
        );
        check(
            WaitForHttp::new("http://x").status(9),
            node(),
            expect!["error: wait_for_http: 9 is not a status from 100 to 599"],
        );
    }
}
