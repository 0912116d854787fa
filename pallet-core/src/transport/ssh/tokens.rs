//! Expands the tokens of ssh_config(5), such as `%h`.

use std::path::{Path, PathBuf};

/// Characters with a special meaning in a shell.
const SPECIAL: &str = "'`\"$\\;&<>|(){}*?!#";

/// The values of the tokens for a connection.
pub(super) struct Tokens<'a> {
    /// The host as the user wrote it.
    pub(super) alias: &'a str,
    /// The name or address to connect to.
    pub(super) host_name: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) home: Option<&'a Path>,
}

impl Tokens<'_> {
    /// Expands the tokens and the `~` of a path.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, String> {
        if text.contains("${") {
            return Err("names an environment variable, which is not supported".to_owned());
        }
        if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
            return Err("names another user's home, which is not supported".to_owned());
        }
        let home = self.home.map(Path::to_string_lossy).unwrap_or_default();
        let expanded =
            expand(
                text,
                |token| if token == 'd' { Some(home.to_string()) } else { self.get(token) },
            )?;
        Ok(in_home(&expanded, self.home))
    }

    /// Expands the tokens of a shell command. Rejects names that a shell would interpret.
    pub(super) fn command(&self, text: &str) -> Result<String, String> {
        let strange = |name: &&str| {
            name.starts_with('-')
                || name.contains(|char: char| {
                    char.is_whitespace() || char.is_control() || SPECIAL.contains(char)
                })
        };
        match [self.alias, self.host_name.as_str(), self.user.as_str()]
            .iter()
            .find(|name| strange(name))
        {
            Some(name) => {
                Err(format!("is a shell command, in which the name `{name}` is not safe"))
            }
            None => expand(text, |token| self.get(token)),
        }
    }

    fn get(&self, token: char) -> Option<String> {
        match token {
            'h' => Some(self.host_name.clone()),
            'n' => Some(self.alias.to_owned()),
            'r' => Some(self.user.clone()),
            'p' => Some(self.port.to_string()),
            _ => None,
        }
    }
}

/// Expands HostName, where `%h` is the host as the user wrote it.
pub(super) fn host_name(text: &str, alias: &str) -> Result<String, String> {
    expand(text, |token| (token == 'h').then(|| alias.to_owned()))
}

/// Expands a leading `~` to this user's home.
pub(super) fn in_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(path),
    }
}

fn expand(text: &str, get: impl Fn(char) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            expanded.push(char);
            continue;
        }
        match chars.next() {
            Some('%') => expanded.push('%'),
            token => match token.and_then(&get) {
                Some(value) => expanded.push_str(&value),
                None => {
                    return Err(format!(
                        "holds the token `%{}`, which is not supported here",
                        token.map(String::from).unwrap_or_default()
                    ));
                }
            },
        }
    }
    Ok(expanded)
}
