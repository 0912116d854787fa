//! What all proxies of a node share: limits and timeouts.

use pallet_core::prelude::*;

/// The facility of the settings.
const FACILITY: &str = "haproxy";

parameters! {
    /// Sets limits and timeouts that all proxies of this node share. Call it in the phase
    /// `settings`.
    ///
    /// Example: `haproxy.settings(request, max_connections = 20000)`
    pub(crate) struct Settings {
        /// Number of connections that HAProxy accepts at the same time. Default: HAProxy's own,
        /// which depends on the limit of open files.
        #[serde(default)]
        max_connections: Option<u32>,
        /// Number of threads. Default: one for each core.
        #[serde(default)]
        threads: Option<u32>,
        /// Number of seconds to connect to a server. Default: 5.
        #[serde(default = "default_connect")]
        connect_timeout: u32,
        /// Number of seconds that a request waits for a free server. Default: 30.
        #[serde(default = "default_long")]
        queue_timeout: u32,
        /// Number of seconds for a client to send its request. Default: 30.
        #[serde(default = "default_long")]
        request_timeout: u32,
        /// Number of seconds that a client may be silent between two requests. Default: 15.
        #[serde(default = "default_keep_alive")]
        keep_alive_timeout: u32,
    }
}

fn default_connect() -> u32 {
    5
}

fn default_long() -> u32 {
    30
}

fn default_keep_alive() -> u32 {
    15
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    for (what, seconds) in [
        ("connect_timeout", settings.connect_timeout),
        ("queue_timeout", settings.queue_timeout),
        ("request_timeout", settings.request_timeout),
        ("keep_alive_timeout", settings.keep_alive_timeout),
    ] {
        ensure!((1..=86_400).contains(&seconds), "{what} must be 1 to 86400 seconds");
    }
    ensure!(settings.max_connections != Some(0), "max_connections must be at least 1");
    ensure!(
        settings.threads.is_none_or(|threads| (1..=64).contains(&threads)),
        "threads must be 1 to 64"
    );
    request.set_settings(FACILITY, settings)
}

/// The sections `global` and `defaults`.
pub(crate) fn render(request: &Request) -> Result<String> {
    let settings: Option<Settings> = request.settings(FACILITY)?;
    let settings = match settings {
        Some(settings) => settings,
        None => serde_defaults()?,
    };
    let line = |word: &str, number: Option<u32>| match number {
        Some(number) => format!("    {word} {number}\n"),
        None => String::new(),
    };
    Ok(format!(
        "\
global
    log /dev/log local0
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    daemon
    # drains servers
    stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-bind-ciphers {CIPHERS}
{}{}
defaults
    log global
    option dontlognull
    option redispatch
    timeout connect {}s
    timeout queue {}s
    timeout http-request {}s
    timeout http-keep-alive {}s
",
        line("maxconn", settings.max_connections),
        line("nbthread", settings.threads),
        settings.connect_timeout,
        settings.queue_timeout,
        settings.request_timeout,
        settings.keep_alive_timeout,
    ))
}

/// The ciphers of TLS 1.2 that Mozilla recommends for clients of the last years.
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                       ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
                       ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

fn serde_defaults() -> Result<Settings> {
    Ok(Settings::deserialize(json!({}))?)
}

#[cfg(test)]
mod tests {
    use super::super::Haproxy;
    use super::*;

    #[test]
    fn what_is_shared_can_be_set() {
        let mut recorder = Recorder::<Haproxy>::on("debian 12");
        recorder.call("settings", json!({"max_connections": 100, "connect_timeout": 2})).unwrap();
        recorder.call("proxy", json!({"name": "app", "servers": ["192.0.2.10"]})).unwrap();
        let actions = recorder.actions();
        let global = actions.iter().find(|one| one.subject.ends_with("/global")).unwrap();
        let text = global.arguments["content"].as_str().unwrap();
        for part in ["    maxconn 100\n", "    timeout connect 2s\n", "    timeout queue 30s\n"] {
            assert!(text.contains(part), "{text}");
        }
        let error = recorder.call("settings", json!({"threads": 0})).unwrap_err();
        assert!(error.to_string().contains("1 to 64"), "{error}");
    }
}
