//! The page with statistics, and metrics for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::configuration::{Part, Presence, put, yes};
use super::names::{check_proxy, check_server, check_word};

parameters! {
    /// Serves HAProxy's page with statistics, and metrics for Prometheus.
    ///
    /// It listens on the loopback address unless another one is given, which then needs users.
    ///
    /// Example: `haproxy.stats(request, listen = "*", users = {"ops": secret("haproxy-stats")})`
    pub(crate) struct Stats {
        /// Names the frontend: letters, digits, `-`, `_` and `.`. Default: `stats`.
        #[serde(default = "default_name")]
        name: String,
        /// The TCP port to listen on. Default: 8404.
        #[serde(default = "default_port")]
        port: u16,
        /// The address to listen on; `*` is all of IPv4. Default: 127.0.0.1.
        #[serde(default = "default_listen")]
        listen: String,
        /// The path of the page. Default: `/stats`.
        #[serde(default = "default_path")]
        path: String,
        /// The users who may see the page, with their passwords, which may be secrets. A password
        /// may not contain `'` or more than one line.
        #[serde(default)]
        users: BTreeMap<String, String>,
        /// Serve metrics for Prometheus at `/metrics`, without a password.
        #[serde(default)]
        prometheus: bool,
        /// Whether there are statistics.
        #[serde(default)]
        action: Presence,
        /// Reload HAProxy now if something changed. Otherwise `haproxy.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

fn default_name() -> String {
    "stats".to_owned()
}

fn default_port() -> u16 {
    8404
}

fn default_listen() -> String {
    "127.0.0.1".to_owned()
}

fn default_path() -> String {
    "/stats".to_owned()
}

pub(crate) fn stats(request: &mut Request, wanted: Stats) -> Result<()> {
    let Stats { name, port, listen, path, users, prometheus, action, reload } = wanted;
    check_proxy(&name)?;
    let file = format!("{name}.frontend");
    if action == Presence::Absent {
        return put(request, Part { file, content: None, private: true, reload });
    }
    if listen != "*" {
        check_server(&listen)?;
    }
    ensure!(port > 0, "stats: there is no port 0");
    ensure!(path.starts_with('/'), "stats: the path {path:?} must begin with /");
    check_word("path", &path)?;
    ensure!(
        !users.is_empty() || ["127.0.0.1", "localhost", "::1", "[::1]"].contains(&listen.as_str()),
        "stats: on {listen}, everybody could see the page; give users"
    );
    let mut content = format!(
        "# written by pallet\nfrontend {name}\n    bind {listen}:{port}\n    mode http\n    \
         timeout client 10s\n"
    );
    if prometheus {
        content.push_str("    http-request use-service prometheus-exporter if { path /metrics }\n");
    }
    write!(content, "    stats enable\n    stats uri {path}\n    stats refresh 10s\n")?;
    for (user, password) in &users {
        check_word("user", user)?;
        ensure!(!user.contains(':'), "the user {user:?} has a colon in it");
        ensure!(
            !password.is_empty() && !password.contains(['\'', '\n', '\r']),
            "the password of {user} must be one line without '"
        );
        writeln!(content, "    stats auth '{user}:{password}'")?;
    }
    put(request, Part { file, content: Some(content), private: true, reload })
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    #[test]
    fn a_page_for_all_needs_users() {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        let error = recorder.call("stats", json!({"listen": "*"})).unwrap_err();
        assert!(error.to_string().contains("give users"), "{error}");
        let error =
            recorder.call("stats", json!({"users": {"a": "b'\n stats admin"}})).unwrap_err();
        assert!(error.to_string().contains("without '"), "{error}");
        let wanted = json!({"listen": "*", "users": {"ops": "⟦secret:s⟧"}, "prometheus": true});
        recorder.call("stats", wanted).unwrap();
        let actions = recorder.actions();
        let part = actions.iter().find(|one| one.subject.ends_with("stats.frontend")).unwrap();
        assert_eq!(part.arguments["mode"], "0600");
        assert_eq!(
            part.arguments["content"],
            "# written by pallet\nfrontend stats\n    bind *:8404\n    mode http\n    \
             timeout client 10s\n    \
             http-request use-service prometheus-exporter if { path /metrics }\n    \
             stats enable\n    stats uri /stats\n    stats refresh 10s\n    \
             stats auth 'ops:⟦secret:s⟧'\n"
        );
    }
}
