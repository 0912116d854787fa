//! The health check of a release.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::names::check_line;

/// How to find out whether a release works.
pub(crate) struct Health<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) command: Option<&'a str>,
    pub(crate) timeout: u32,
}

impl Health<'_> {
    /// Adds its settings for the program.
    pub(crate) fn add_to(&self, settings: &mut BTreeMap<String, String>) -> Result<()> {
        let Health { url, status, command, timeout } = self;
        if let Some(url) = url {
            let good = url.starts_with("http://") || url.starts_with("https://");
            ensure!(
                good && !url.contains(
                    |character: char| character.is_control() || " \"\\".contains(character)
                ),
                "the health_url {url:?} is not a URL that begins with http:// or https://"
            );
        }
        ensure!(
            (100..=599).contains(status),
            "the health_status {status} is not a status from 100 to 599"
        );
        if let Some(command) = command {
            check_line("health_command", command)?;
        }
        ensure!((1..=3600).contains(timeout), "the timeout must be 1 to 3600 seconds");
        for (name, value) in [
            ("APP_HEALTH_URL", url.unwrap_or_default().to_owned()),
            ("APP_HEALTH_STATUS", status.to_string()),
            ("APP_HEALTH_COMMAND", command.unwrap_or_default().to_owned()),
            ("APP_TIMEOUT", timeout.to_string()),
        ] {
            settings.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

/// Installs curl, which asks for URLs, where there is none.
pub(crate) fn need(request: &mut Request, program: &str) -> Result<()> {
    request.plan_when_not(&format!("command -v {program}"), |request| {
        request.add(Package::install(program))
    })
}
