//! The configuration of a project: its own file, which overrides the user's.

use std::collections::BTreeMap;
use std::path::Path;

use pallet_core::model::{Environment, merge_environment};
use pallet_core::plugins::Digest;

use super::config::{self, Config, ConfigText, ProjectConfig, Service};
use super::files::{CONFIG, utf8};
use super::options::LoadOptions;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, SourceSpan};

/// The merged configuration of the user and of the project.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    pub(super) config: Config,
    pub(super) scopes: EnvironmentScopes,
    /// The digest of pallet.toml, if it was read.
    pub(super) digest: Option<Digest>,
    /// What is wrong with the files.
    pub(super) found: Diagnostics,
}

/// The environments to merge, in order; that of the service comes after the user's.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvironmentScopes {
    user: EnvironmentScope,
    project: EnvironmentScope,
    stage: Option<EnvironmentScope>,
    command_line: EnvironmentScope,
}

/// Values of the environment from one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvironmentScope {
    /// The source, for people.
    pub(crate) source: String,
    pub(crate) values: Environment,
    /// The places of the values, by their dotted keys.
    pub(crate) places: BTreeMap<String, SourceSpan>,
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
        let scopes = match config.service(service) {
            Ok((name, service)) => self.in_order(Some((&name, &service))),
            Err(error) if service.is_some() => return Err(error.into()),
            Err(error) => {
                found.push(Diagnostic { severity: Severity::Warning, ..error });
                self.in_order(None)
            }
        };
        let mut environment = Environment::new();
        for scope in scopes {
            merge_environment(&mut environment, scope.values);
        }
        Ok(environment)
    }

    /// All scopes, of which later ones win.
    pub(crate) fn in_order(&self, service: Option<(&str, &Service)>) -> Vec<EnvironmentScope> {
        let of_service = service.map(|(name, service)| EnvironmentScope {
            source: format!("[services.{name}.environment]"),
            values: service.environment.clone(),
            places: service
                .places
                .iter()
                .filter_map(|(key, place)| {
                    Some((key.strip_prefix("environment.")?.to_owned(), place.clone()))
                })
                .collect(),
        });
        [Some(self.user.clone()), of_service, Some(self.project.clone()), self.stage.clone()]
            .into_iter()
            .chain([Some(self.command_line.clone())])
            .flatten()
            .collect()
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
    let scope = |source: &str, config: &Config| EnvironmentScope {
        source: source.to_owned(),
        values: config.environment.clone(),
        places: config.environment_places.clone(),
    };
    let mut scopes = EnvironmentScopes {
        user: scope("[environment] of config.toml", &user),
        project: scope("[environment]", &project),
        stage: None,
        command_line: EnvironmentScope {
            source: "--env".to_owned(),
            values: options.environment_override.clone(),
            places: BTreeMap::new(),
        },
    };
    // the user's plugins do not apply to a project, which requires its own
    let of_project = ProjectConfig { name: None, ..user.project };
    let config = Config { project: of_project, plugins: Default::default(), ..user };
    let mut config = config.merged(project);
    if let Some(name) = &options.stage {
        match config.stage(name).cloned() {
            Ok(stage) => {
                scopes.stage = Some(EnvironmentScope {
                    source: format!("[stages.{name}.environment]"),
                    values: stage.environment.clone(),
                    places: stage.environment_places.clone(),
                });
                config = config.in_stage(&stage);
            }
            Err(error) => found.push(error),
        }
    }
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
