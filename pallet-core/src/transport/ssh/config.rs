//! What the ssh configuration (ssh_config(5)) says of one host. The first value of an option wins, as in ssh itself.
//!
//! The packages that read such files know neither `Match` nor tokens, and look into the environment on their own; so this reads
//! the options that matter to a connection, and refuses what it would have to follow and cannot.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{ConnectSettings, TransportError};
use super::config_file::Reader;

/// What is said of one host.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HostConfig {
    /// The host as it was given: `Host` patterns are about this.
    pub(super) alias: String,
    /// What to connect to.
    pub(super) host_name: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) identity_files: Vec<PathBuf>,
    pub(super) identities_only: bool,
    pub(super) agent: AgentChoice,
    pub(super) known_hosts: Option<Vec<PathBuf>>,
    pub(super) global_known_hosts: Option<Vec<PathBuf>>,
    pub(super) unknown_hosts: UnknownHosts,
    pub(super) host_key_alias: Option<String>,
    pub(super) proxy_jump: Vec<Hop>,
    pub(super) connect_timeout: Option<Duration>,
    /// The inner `None`: never ask whether the server is alive.
    pub(super) server_alive_interval: Option<Option<Duration>>,
}

/// Which agent to ask (IdentityAgent).
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum AgentChoice {
    /// The caller's.
    #[default]
    Usual,
    None,
    Socket(PathBuf),
}

/// What becomes of a host whose key is not known (StrictHostKeyChecking).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum UnknownHosts {
    /// There is nobody to ask in the middle of an operation, so `ask` and `yes` are one.
    #[default]
    Refuse,
    /// `accept-new`: from now on it is known.
    Add,
    /// `no`.
    Accept,
}

/// A host on the way to another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hop {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl HostConfig {
    /// Reads what the files of `settings` say of `host`. A file that does not exist says nothing.
    pub(super) fn read(host: &str, settings: &ConnectSettings) -> Result<Self, TransportError> {
        let mut reader = Reader::new(host, settings);
        for file in &settings.ssh_config {
            reader.read_file(file)?;
        }
        let options = reader.finish();
        let tokens = Tokens { alias: host, home: settings.home.as_deref(), host_name: None, port: None, user: None };

        let host_name = match options.first("hostname") {
            Some(name) => tokens.expand(&name.value, "%h").map_err(|why| name.error(&why))?,
            None => host.to_owned(),
        };
        let mut config = HostConfig { alias: host.to_owned(), host_name, ..HostConfig::default() };
        if let Some(port) = options.first("port") {
            config.port = Some(port.value.parse().map_err(|_| port.error("is no port"))?);
        }
        config.user = options.first("user").map(|user| user.value.clone());
        let user = config.user.clone().unwrap_or_else(|| settings.user.clone());
        let tokens = Tokens { host_name: Some(&config.host_name), port: Some(config.port.unwrap_or(22)), user: Some(&user), ..tokens };
        let path = |option: &super::config_file::Opt, word: &str| tokens.path(word).map_err(|why| option.error(&why));

        for option in options.all("identityfile").filter(|option| option.value != "none") {
            config.identity_files.push(path(option, &option.value)?);
        }
        config.identities_only = options.first("identitiesonly").is_some_and(|only| only.is_yes());
        config.agent = match options.first("identityagent") {
            None => AgentChoice::Usual,
            Some(agent) if agent.value == "none" => AgentChoice::None,
            Some(agent) if agent.value == "SSH_AUTH_SOCK" => AgentChoice::Usual,
            Some(agent) => AgentChoice::Socket(path(agent, &agent.value)?),
        };
        for (key, files) in [("userknownhostsfile", &mut config.known_hosts), ("globalknownhostsfile", &mut config.global_known_hosts)] {
            if let Some(option) = options.first(key) {
                let words = option.words.iter().filter(|word| *word != "none");
                *files = Some(words.map(|word| path(option, word)).collect::<Result<_, _>>()?);
            }
        }
        config.unknown_hosts = match options.first("stricthostkeychecking").map(|strict| strict.value.to_ascii_lowercase()).as_deref() {
            Some("accept-new") => UnknownHosts::Add,
            Some("no" | "off") => UnknownHosts::Accept,
            _ => UnknownHosts::Refuse,
        };
        config.host_key_alias = options.first("hostkeyalias").map(|alias| alias.value.clone());
        if let Some(jump) = options.first_of(&["proxyjump", "proxycommand"])
            && !jump.value.eq_ignore_ascii_case("none")
        {
            if jump.key == "proxycommand" {
                return Err(jump.error("is not supported: say ProxyJump instead"));
            }
            config.proxy_jump =
                jump.value.split(',').map(Hop::parse).collect::<Option<_>>().ok_or_else(|| jump.error("is no list of hosts"))?;
        }
        config.connect_timeout = match options.first("connecttimeout") {
            Some(time) => time.duration()?.filter(|time| !time.is_zero()),
            None => None,
        };
        config.server_alive_interval = match options.first("serveraliveinterval") {
            Some(time) => Some(time.duration()?.filter(|time| !time.is_zero())),
            None => None,
        };
        Ok(config)
    }
}

impl Hop {
    /// `[user@]host[:port]`, `[user@][address]:port`, `ssh://[user@]host[:port]`.
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

/// `path` with a leading `~` in this user's home.
pub(super) fn in_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// What the tokens of ssh_config(5) stand for.
struct Tokens<'a> {
    alias: &'a str,
    home: Option<&'a Path>,
    host_name: Option<&'a str>,
    port: Option<u16>,
    user: Option<&'a str>,
}

impl Tokens<'_> {
    /// A path with its tokens and its `~` replaced.
    fn path(&self, text: &str) -> Result<PathBuf, String> {
        if text.contains("${") {
            return Err(format!("names an environment variable (`{text}`), which is not supported"));
        }
        if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
            return Err(format!("names another user's home (`{text}`), which is not supported"));
        }
        let home = self.home.map(Path::to_string_lossy).unwrap_or_default();
        Ok(in_home(&self.expand(text, &home)?, self.home))
    }

    fn expand(&self, text: &str, home: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                expanded.push(char);
                continue;
            }
            match (chars.next(), self.user) {
                (Some('%'), _) => expanded.push('%'),
                (Some('h'), _) => expanded.push_str(self.host_name.unwrap_or(self.alias)),
                (Some('n'), _) => expanded.push_str(self.alias),
                (Some('d'), Some(_)) => expanded.push_str(home),
                (Some('r'), Some(user)) => expanded.push_str(user),
                (Some('p'), Some(_)) => expanded.push_str(&self.port.unwrap_or(22).to_string()),
                (other, _) => {
                    return Err(format!("holds the token `%{}`, which is not supported here", other.map(String::from).unwrap_or_default()));
                }
            }
        }
        Ok(expanded)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
