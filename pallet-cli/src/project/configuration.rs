//! The configuration of a project: its own file's, laid over the user's.

use std::path::Path;

use pallet_core::model::{Environment, merge_environment};

use super::config::{self, Config, ConfigText, ProjectConfig};
use super::files::{CONFIG, utf8};
use super::options::LoadOptions;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};

/// The environments that are merged, in their order; the service's stands between the first two.
#[derive(Debug, Clone, Default)]
pub(super) struct EnvironmentScopes {
    user: Environment,
    project: Environment,
    command_line: Environment,
}

impl EnvironmentScopes {
    /// The environment with the service that is in use. If that is not known, this is a warning
    /// unless it was named.
    pub(super) fn with_service(
        &self,
        config: &Config,
        service: Option<&str>,
        found: &mut Diagnostics,
    ) -> Result<Environment, Diagnostics> {
        match config.service(service) {
            Ok((_, service)) => Ok(self.merged(service.environment)),
            Err(error) if service.is_some() => Err(error.into()),
            Err(error) => {
                found.push(Diagnostic { severity: Severity::Warning, ..error });
                Ok(self.merged(Environment::new()))
            }
        }
    }

    fn merged(&self, service: Environment) -> Environment {
        let mut environment = self.user.clone();
        for scope in [service, self.project.clone(), self.command_line.clone()] {
            merge_environment(&mut environment, scope);
        }
        environment
    }
}

/// The user's configuration and the project's, merged, with what is wrong in them.
pub(super) fn configuration(
    directory: &Path,
    options: &LoadOptions,
) -> (Config, EnvironmentScopes, Diagnostics) {
    let mut found = Diagnostics::default();
    let home = options.home.as_deref();
    let user_file = options.user_config.as_ref().filter(|path| path.exists());
    let user = user_file
        .map(|path| read_configuration(path, &path.display().to_string(), home, None, &mut found))
        .unwrap_or_default();
    let unsaved = options.unsaved.get(CONFIG).cloned();
    let project = read_configuration(&directory.join(CONFIG), CONFIG, home, unsaved, &mut found);
    let scopes = EnvironmentScopes {
        user: user.environment.clone(),
        project: project.environment.clone(),
        command_line: options.environment_override.clone(),
    };
    // a user's plugins are that user's; a project says itself what it needs
    let of_project = ProjectConfig { name: None, ..user.project };
    let config = Config { project: of_project, plugins: Default::default(), ..user };
    let config = config.merged(project);
    found.extend(config.check().0);
    (config, scopes, found)
}

/// What one file says, named `shown` in messages, or the text that stands for it. What is wrong
/// with it is added to what was found.
pub(crate) fn read_configuration(
    path: &Path,
    shown: &str,
    home: Option<&Path>,
    text: Option<String>,
    found: &mut Diagnostics,
) -> Config {
    let read = || {
        let bytes = std::fs::read(path)
            .map_err(|error| Diagnostic::error(format!("cannot read {shown}: {error}")))?;
        utf8(shown, bytes)
    };
    match text.map_or_else(read, Ok) {
        Ok(text) => {
            let directory = path.parent().map(Path::to_owned).unwrap_or_default();
            let (config, errors) = config::read(&ConfigText {
                file: shown,
                text: &text,
                directory,
                home: home.map(Path::to_owned),
            });
            found.extend(errors.0);
            config
        }
        Err(error) => {
            found.push(error);
            Config::default()
        }
    }
}
