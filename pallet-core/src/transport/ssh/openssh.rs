//! Asking OpenSSH's own client what a configuration means for a host (`ssh -G`), where it cannot be
//! followed here: `Match exec`, environment variables, rarer tokens.
//!
//! A call takes as long as a connection costs, so hosts that no line distinguishes share one
//! answer.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, PoisonError};

use tempfile::NamedTempFile;

use super::super::{ConnectSettings, TransportError};
use super::config_options::{ConfigOption, ConfigOptions};
use super::config_reader::ConfigReader;
use super::host_config::{HostConfig, Problem};
use super::host_query::HostQuery;
use super::tokens::Tokens;

/// Stands for paths that nobody has set, behind all that somebody has.
const UNSET: &str = "/dev/null/unset";
/// The same for a time.
const UNSET_INTERVAL: &str = "2147483";
/// The options of which a path may hold what only OpenSSH can expand, and that `ssh -G` prints as
/// they are.
const PATHS: [&str; 2] = ["identityfile", "certificatefile"];

/// A question to OpenSSH.
pub(super) struct OpenSshQuery {
    program: PathBuf,
    host: String,
    user: Option<String>,
    port: Option<u16>,
    settings: ConnectSettings,
    /// Questions with the same have the same answer, but for the name of the host.
    name: String,
    /// Whether the files say who logs in.
    says_user: bool,
}

impl OpenSshQuery {
    pub(super) fn new(
        program: &Path,
        asked: HostQuery<'_>,
        reader: &ConfigReader<'_>,
        settings: &ConnectSettings,
    ) -> Self {
        let host = if reader.about_host { asked.host } else { "" };
        let files = &settings.ssh_config;
        let name = format!(
            "{} {:?} {:?} {:?} {host:?} {} {files:?}",
            program.display(),
            asked.user,
            asked.port,
            settings.user,
            reader.decisions
        );
        OpenSshQuery {
            program: program.to_owned(),
            host: asked.host.to_owned(),
            user: asked.user.map(str::to_owned),
            port: asked.port,
            settings: settings.clone(),
            name,
            says_user: reader.options.first("user").is_some(),
        }
    }

    /// The answer. Waits for it, unless it was given before.
    pub(super) fn ask(&self) -> Result<HostConfig, TransportError> {
        let answer = self.settings.shared.ssh.answer(&self.name);
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        let options = answer.get_or_insert_with(|| self.run().map(Arc::new)).clone()?;
        drop(answer);
        let asked = HostQuery { host: &self.host, user: self.user.as_deref(), port: self.port };
        HostConfig::of(&options, asked, &self.settings).map_err(|problem| match problem {
            Problem::Wrong(error) | Problem::Unclear(error) => error,
        })
    }

    fn run(&self) -> Result<ConfigOptions, TransportError> {
        let mut options = self.call(&[])?;
        self.expand_paths(&mut options)?;
        Ok(options)
    }

    /// Has OpenSSH expand the paths of keys that cannot be expanded here: it prints other paths
    /// expanded.
    fn expand_paths(&self, options: &mut ConfigOptions) -> Result<(), TransportError> {
        let plain = Tokens {
            alias: "",
            host_name: String::new(),
            port: 0,
            user: String::new(),
            home: None,
        };
        let hard = |option: &&mut ConfigOption| {
            PATHS.contains(&option.key.as_str()) && plain.path(&option.value).is_err()
        };
        let mut paths: Vec<&mut ConfigOption> = options.0.iter_mut().filter(hard).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let list = paths
            .iter()
            .map(|option| format!("\"{}\"", option.value))
            .collect::<Vec<_>>()
            .join(" ");
        let printed = self.call(&["-o", &format!("UserKnownHostsFile={list}")])?;
        let expanded = printed
            .first("userknownhostsfile")
            .map(|files| files.words.clone())
            .unwrap_or_default();
        if expanded.len() != paths.len() {
            return Err(
                self.failed(&format!("it is unclear which paths {list} are: leave out spaces"))
            );
        }
        for (option, path) in paths.iter_mut().zip(expanded) {
            option.value = path.replace('%', "%%");
        }
        Ok(())
    }

    /// Calls `ssh -G`, and returns the options that it prints and somebody has set.
    fn call(&self, arguments: &[&str]) -> Result<ConfigOptions, TransportError> {
        let files = self.files().map_err(|error| self.failed(&error.to_string()))?;
        let mut command = Command::new(&self.program);
        command.args(["-T", "-G", "-F"]).arg(files.path()).args(arguments).stdin(Stdio::null());
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        match &self.user {
            Some(user) => command.args(["-l", user]),
            // else it would take this machine's user
            None if !self.says_user => command.args(["-l", &self.settings.user]),
            None => &mut command,
        };
        let output = command
            .args(["--", &self.host])
            .output()
            .map_err(|error| self.failed(&error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr)
                .lines()
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("; ");
            return Err(self.failed(&said));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        Ok(ConfigOptions(
            printed.lines().filter_map(option).filter(|option| self.is_set(option)).collect(),
        ))
    }

    /// All files as one, with what tells an option that nobody has set.
    fn files(&self) -> std::io::Result<NamedTempFile> {
        // OpenSSH reads it twice where a line says `Match final`, so it cannot be a pipe
        let mut file = tempfile::Builder::new().prefix("pallet-ssh-config-").tempfile_in("/tmp")?;
        for path in &self.settings.ssh_config {
            writeln!(file, "Include \"{}\"", path.display())?;
        }
        for option in
            ["IdentityFile", "CertificateFile", "UserKnownHostsFile", "GlobalKnownHostsFile"]
        {
            writeln!(file, "{option} {UNSET}")?;
        }
        writeln!(file, "ServerAliveInterval {UNSET_INTERVAL}")?;
        Ok(file)
    }

    /// Whether it says more than would be so without any file.
    fn is_set(&self, option: &ConfigOption) -> bool {
        match option.key.as_str() {
            "serveraliveinterval" => option.value != UNSET_INTERVAL,
            "user" => self.user.is_none() && option.value != self.settings.user,
            "port" => self.port.is_none() && option.value != "22",
            "hostname" => !option.value.eq_ignore_ascii_case(&self.host),
            _ => option.value != UNSET,
        }
    }

    fn failed(&self, why: &str) -> TransportError {
        TransportError::Config {
            message: format!(
                "`{} -G {}` does not follow the ssh configuration: {why}",
                self.program.display(),
                self.host
            ),
        }
    }
}

/// A line that `ssh -G` prints.
fn option(line: &str) -> Option<ConfigOption> {
    let (key, rest) = line.split_once(' ')?;
    // what is expanded already is not to be expanded again
    let expanded =
        ["hostname", "userknownhostsfile", "globalknownhostsfile", "identityagent"].contains(&key);
    let rest = if expanded { rest.replace('%', "%%") } else { rest.to_owned() };
    let words = rest.split(' ').map(str::to_owned).collect();
    Some(ConfigOption {
        key: key.to_owned(),
        value: rest.clone(),
        words,
        rest,
        place: "ssh -G".to_owned(),
    })
}

#[cfg(test)]
#[path = "openssh_tests.rs"]
mod tests;
