//! The configuration of a project: its own file, which overrides the user's.

use std::path::Path;

use pallet_core::model::{Environment, merge_environment};
use pallet_core::plugins::Digest;

use super::config::{self, Config, ConfigText, ProjectConfig};
use super::files::{CONFIG, utf8};
use super::options::LoadOptions;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};

/// The merged configuration of the user and of the project.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) config: Config,
    pub(super) scopes: EnvironmentScopes,
    /// The digest of pallet.toml, if it was read.
    pub(super) digest: Option<Digest>,
    /// What is wrong with the files.
    pub(super) found: Diagnostics,
}

/// The environments to merge, in order; that of the service comes after the user's.
#[derive(Debug, Clone, Default)]
pub(super) struct EnvironmentScopes {
    user: Environment,
    project: Environment,
    command_line: Environment,
}

impl EnvironmentScopes {
    /// The environment, with that of the service in use. An unknown service is an error if it was
    /// named, otherwise a warning.
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

/// Merges the configuration of the user and of the project, and collects their errors.
pub(super) fn configuration(directory: &Path, options: &LoadOptions) -> Configuration {
    let mut found = Diagnostics::default();
    let home = options.home.as_deref();
    let user_file = options.user_config.as_ref().filter(|path| path.exists());
    let user = user_file
        .map(|path| read_configuration(path, &path.display().to_string(), home, None, &mut found))
        .unwrap_or_default();
    let file = directory.join(CONFIG);
    // a file that cannot be read is reported when its configuration is
    let text = options.unsaved.get(CONFIG).cloned().or_else(|| std::fs::read_to_string(&file).ok());
    let digest = text.as_ref().map(|text| Digest::of(text.as_bytes()));
    let project = read_configuration(&file, CONFIG, home, text, &mut found);
    let scopes = EnvironmentScopes {
        user: user.environment.clone(),
        project: project.environment.clone(),
        command_line: options.environment_override.clone(),
    };
    // the user's plugins do not apply to a project, which requires its own
    let of_project = ProjectConfig { name: None, ..user.project };
    let config = Config { project: of_project, plugins: Default::default(), ..user };
    let config = config.merged(project);
    found.extend(config.check().0);
    Configuration { config, scopes, digest, found }
}

/// Reads a configuration file, or `text` instead of it. Messages call it `shown`. Errors are added
/// to `found`.
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
