//! What the ssh configuration (ssh_config(5)) says of one host. The first value of an option wins,
//! as in ssh itself.
//!
//! The packages that read such files know neither `Match` nor tokens, and look into the environment
//! on their own; so this reads the options that matter to a connection. What it would have to
//! follow and cannot, it asks of OpenSSH's own client, if there is one.

use super::super::{ConnectSettings, TransportError};
use super::config_reader::ConfigReader;
use super::host_config::{HostConfig, Problem};
use super::host_query::HostQuery;
use super::openssh::OpenSshQuery;

/// What can be said of a host here.
enum Resolution {
    Config(HostConfig),
    /// OpenSSH must be asked.
    AskOpenSsh(OpenSshQuery),
}

/// What the files of `settings` say. A file that does not exist says nothing. Waits for OpenSSH
/// if that is asked.
pub(super) fn read(
    asked: HostQuery<'_>,
    settings: &ConnectSettings,
) -> Result<HostConfig, TransportError> {
    match find(asked, settings)? {
        Resolution::Config(config) => Ok(config),
        Resolution::AskOpenSsh(query) => query.ask(),
    }
}

/// The same, on a thread made for waiting.
pub(super) async fn resolve(
    asked: HostQuery<'_>,
    settings: &ConnectSettings,
) -> Result<HostConfig, TransportError> {
    match find(asked, settings)? {
        Resolution::Config(config) => Ok(config),
        Resolution::AskOpenSsh(query) => {
            let failed = |error: tokio::task::JoinError| TransportError::Config {
                message: format!("asking ssh failed: {error}"),
            };
            tokio::task::spawn_blocking(move || query.ask()).await.map_err(failed)?
        }
    }
}

/// What can be found out without asking anybody.
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
