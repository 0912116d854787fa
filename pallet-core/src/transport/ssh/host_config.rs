//! Interprets the options of the ssh configuration for one host.

use std::path::PathBuf;
use std::time::Duration;

use super::super::{ConnectSettings, TransportError};
use super::config_options::{ConfigOption, ConfigOptions};
use super::host_query::HostQuery;
use super::tokens::{Tokens, host_name};

/// The configuration of one host.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HostConfig {
    /// The host as the user wrote it; `Host` patterns match this.
    pub(super) alias: String,
    /// The name or address to connect to.
    pub(super) host_name: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) identity_files: Vec<PathBuf>,
    pub(super) certificate_files: Vec<PathBuf>,
    pub(super) identities_only: bool,
    pub(super) agent: AgentChoice,
    pub(super) known_hosts: Option<Vec<PathBuf>>,
    pub(super) global_known_hosts: Option<Vec<PathBuf>>,
    pub(super) unknown_hosts: UnknownHosts,
    pub(super) host_key_alias: Option<String>,
    pub(super) proxy_jump: Vec<Hop>,
    /// A command whose stdin and stdout lead to the host.
    pub(super) proxy_command: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    /// The inner `None`: no keepalives.
    pub(super) server_alive_interval: Option<Option<Duration>>,
}

/// Which agent to use (IdentityAgent).
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum AgentChoice {
    /// The agent of the caller's settings.
    #[default]
    Usual,
    None,
    Socket(PathBuf),
}

/// What to do with a host whose key is not known (StrictHostKeyChecking).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum UnknownHosts {
    /// `yes` and `ask`: Pallet does not ask in the middle of an operation, so both refuse.
    #[default]
    Refuse,
    /// `accept-new`: add the key to known_hosts.
    Add,
    /// `no`.
    Accept,
}

/// A jump host.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hop {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl HostConfig {
    /// Interprets the options.
    pub(super) fn of(
        options: &ConfigOptions,
        asked: HostQuery<'_>,
        settings: &ConnectSettings,
    ) -> Result<Self, Problem> {
        let host_name = match options.first("hostname") {
            Some(name) => host_name(&name.value, asked.host).map_err(|why| name.error(&why))?,
            None => asked.host.to_owned(),
        };
        let mut config =
            HostConfig { alias: asked.host.to_owned(), host_name, ..HostConfig::default() };
        if let Some(port) = options.first("port") {
            config.port = Some(port.value.parse().map_err(|_| port.error("is not a port"))?);
        }
        config.user = options.first("user").map(|user| user.value.clone());
        let tokens = config.tokens(asked, settings);
        let path = |option: &ConfigOption, word: &str| {
            tokens.path(word).map_err(|why| Problem::Unclear(option.error(&why)))
        };
        let paths = |key: &str| -> Result<Vec<PathBuf>, Problem> {
            options
                .all(key)
                .filter(|option| option.value != "none")
                .map(|option| path(option, &option.value))
                .collect()
        };
        let files = |key: &str| -> Result<Option<Vec<PathBuf>>, Problem> {
            let words = |option: &ConfigOption| {
                option
                    .words
                    .iter()
                    .filter(|word| *word != "none")
                    .map(|word| path(option, word))
                    .collect()
            };
            options.first(key).map(words).transpose()
        };

        let (identity_files, certificate_files) =
            (paths("identityfile")?, paths("certificatefile")?);
        let (known_hosts, global_known_hosts) =
            (files("userknownhostsfile")?, files("globalknownhostsfile")?);
        let agent = match options.first("identityagent") {
            None => AgentChoice::Usual,
            Some(agent) if agent.value == "none" => AgentChoice::None,
            Some(agent) if agent.value == "SSH_AUTH_SOCK" => AgentChoice::Usual,
            Some(agent) => AgentChoice::Socket(path(agent, &agent.value)?),
        };
        // `ProxyJump none` does not override a ProxyCommand, as in OpenSSH; `ProxyCommand none`
        // overrides both.
        let is_none = |proxy: &ConfigOption| proxy.rest.eq_ignore_ascii_case("none");
        let proxy = match options.first_of(&["proxyjump", "proxycommand"]) {
            Some(jump) if jump.key == "proxyjump" && is_none(jump) => options.first("proxycommand"),
            proxy => proxy,
        };
        let proxy = proxy.filter(|proxy| !is_none(proxy));
        let mut proxy_command = None;
        if let Some(command) = proxy.filter(|proxy| proxy.key == "proxycommand") {
            if let Some(passes) = options.first("proxyusefdpass").filter(|passes| passes.is_yes()) {
                return Err(passes
                    .error("is not supported: use a ProxyCommand that carries the bytes itself")
                    .into());
            }
            proxy_command = Some(tokens.command(&command.rest).map_err(|why| command.error(&why))?);
        }
        if let Some(jump) = proxy.filter(|proxy| proxy.key == "proxyjump") {
            let hops = jump.value.split(',').map(Hop::parse).collect::<Option<_>>();
            config.proxy_jump = hops.ok_or_else(|| jump.error("is not a list of hosts"))?;
        }
        config.unknown_hosts = match options
            .first("stricthostkeychecking")
            .map(|strict| strict.value.to_ascii_lowercase())
            .as_deref()
        {
            Some("accept-new") => UnknownHosts::Add,
            Some("no" | "off" | "false") => UnknownHosts::Accept,
            _ => UnknownHosts::Refuse,
        };
        config.host_key_alias = options.first("hostkeyalias").map(|alias| alias.value.clone());
        let time = |key: &str| {
            options
                .first(key)
                .map(|time| time.duration().map(|time| time.filter(|time| !time.is_zero())))
                .transpose()
        };
        config.connect_timeout = time("connecttimeout")?.flatten();
        config.server_alive_interval = time("serveraliveinterval")?;
        config.identities_only = options.first("identitiesonly").is_some_and(ConfigOption::is_yes);
        Ok(HostConfig {
            identity_files,
            certificate_files,
            known_hosts,
            global_known_hosts,
            agent,
            proxy_command,
            ..config
        })
    }

    /// The values of the tokens in this host's options.
    fn tokens<'a>(&self, asked: HostQuery<'a>, settings: &'a ConnectSettings) -> Tokens<'a> {
        let user = asked
            .user
            .map(str::to_owned)
            .or_else(|| self.user.clone())
            .unwrap_or_else(|| settings.user.clone());
        let port = asked.port.or(self.port).unwrap_or(22);
        Tokens {
            alias: asked.host,
            host_name: self.host_name.clone(),
            port,
            user,
            home: settings.home.as_deref(),
        }
    }
}

/// Why the options cannot be used.
#[derive(Debug)]
pub(super) enum Problem {
    /// An error: OpenSSH would report it too.
    Wrong(TransportError),
    /// Pallet cannot evaluate the options, but OpenSSH may.
    Unclear(TransportError),
}

impl From<TransportError> for Problem {
    fn from(error: TransportError) -> Self {
        Problem::Wrong(error)
    }
}

impl Hop {
    /// Parses `[user@]host[:port]`, `[user@][address]:port` or `ssh://[user@]host[:port]`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("ssh://").map_or(text, |rest| rest.trim_end_matches('/'));
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let port = port.map(str::parse).transpose().ok()?;
        (!host.is_empty()).then(|| Hop { host: host.to_owned(), user, port })
    }
}
