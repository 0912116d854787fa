//! Reads the ssh configuration (ssh_config(5)) for one host. The first value of an option wins, as
//! in ssh.
//!
//! Rust packages that read these files support neither `Match` nor tokens, and read the environment
//! on their own. So this module reads the options that matter for a connection itself. For anything
//! that it cannot evaluate, it runs OpenSSH's client, if that is installed.

use super::super::{ConnectSettings, TransportError};
use super::config_reader::ConfigReader;
use super::host_config::{HostConfig, Problem};
use super::host_query::HostQuery;
use super::openssh::OpenSshQuery;

/// The result of reading the configuration.
enum Resolution {
    Config(HostConfig),
    /// OpenSSH must be asked.
    AskOpenSsh(OpenSshQuery),
}

/// Reads the files in `settings`. Missing files are ignored. Blocks if OpenSSH must be asked.
pub(super) fn read(
    asked: HostQuery<'_>,
    settings: &ConnectSettings,
) -> Result<HostConfig, TransportError> {
    match find(asked, settings)? {
        Resolution::Config(config) => Ok(config),
        Resolution::AskOpenSsh(query) => query.ask(),
    }
}

/// Like [`read`], but asks OpenSSH on a blocking thread.
pub(super) async fn resolve(
    asked: HostQuery<'_>,
    settings: &ConnectSettings,
) -> Result<HostConfig, TransportError> {
    match find(asked, settings)? {
        Resolution::Config(config) => Ok(config),
        Resolution::AskOpenSsh(query) => {
            let failed = |error: tokio::task::JoinError| TransportError::Config {
                message: format!("`ssh -G` failed: {error}"),
            };
            tokio::task::spawn_blocking(move || query.ask()).await.map_err(failed)?
        }
    }
}

/// Evaluates the configuration without asking OpenSSH.
fn find(asked: HostQuery<'_>, settings: &ConnectSettings) -> Result<Resolution, TransportError> {
    let mut reader = ConfigReader::new(&asked, settings);
    for file in &settings.ssh_config {
        reader.read_file(file)?;
    }
    let why = match reader.unclear.take() {
        Some(why) => why,
        None => match HostConfig::of(&reader.options, asked, settings) {
            Ok(config) => return Ok(Resolution::Config(config)),
            Err(Problem::Wrong(error)) => return Err(error),
            Err(Problem::Unclear(why)) => why,
        },
    };
    match &settings.ssh_program {
        Some(program) => {
            Ok(Resolution::AskOpenSsh(OpenSshQuery::new(program, asked, &reader, settings)))
        }
        None => Err(why),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
