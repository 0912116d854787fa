//! Asks OpenSSH's client to evaluate configuration that Pallet cannot (`ssh -G`): `Match exec`,
//! environment variables, rare tokens.
//!
//! A call costs as much as a connection, so hosts that no line of the configuration distinguishes
//! share one answer.

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

/// A default for path options, after all files: it shows that no file set the option.
const UNSET: &str = "/dev/null/unset";
/// The same for a time.
const UNSET_INTERVAL: &str = "2147483";
/// The path options that `ssh -G` prints without expanding them.
const PATHS: [&str; 2] = ["identityfile", "certificatefile"];

/// A question to OpenSSH.
pub(super) struct OpenSshQuery {
    program: PathBuf,
    host: String,
    user: Option<String>,
    port: Option<u16>,
    settings: ConnectSettings,
    /// The cache key: questions with the same key have the same answer, except for the host's name.
    name: String,
    /// Whether the files set the user.
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

    /// The answer, from the cache or from OpenSSH. Blocks.
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

    /// Expands the key paths that Pallet cannot expand. `ssh -G` does not expand these options, but
    /// it expands UserKnownHostsFile, so that option carries them.
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
                self.failed(&format!("the paths {list} are ambiguous: use paths without spaces"))
            );
        }
        for (option, path) in paths.iter_mut().zip(expanded) {
            option.value = path.replace('%', "%%");
        }
        Ok(())
    }

    /// Runs `ssh -G` and returns the options that somebody set.
    fn call(&self, arguments: &[&str]) -> Result<ConfigOptions, TransportError> {
        let files = self.files().map_err(|error| self.failed(&error.to_string()))?;
        let mut command = Command::new(&self.program);
        command.args(["-T", "-G", "-F"]).arg(files.path()).args(arguments).stdin(Stdio::null());
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        match &self.user {
            Some(user) => command.args(["-l", user]),
            // otherwise OpenSSH would use this machine's user
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

    /// One file that includes all files, followed by markers for options that no file set.
    fn files(&self) -> std::io::Result<NamedTempFile> {
        // not a pipe: OpenSSH reads the file twice if a line says `Match final`
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

    /// Whether an option differs from OpenSSH's default.
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
                "`{} -G {}` cannot evaluate the ssh configuration: {why}",
                self.program.display(),
                self.host
            ),
        }
    }
}

/// Parses a line of `ssh -G`.
fn option(line: &str) -> Option<ConfigOption> {
    let (key, rest) = line.split_once(' ')?;
    // these values are expanded already: escape them against another expansion
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
