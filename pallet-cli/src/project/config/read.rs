//! Reads a configuration file, with the place of each error.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pallet_core::model::{Environment, is_host_name};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::keys;
use super::value::{Item, items, json, positive};
use super::{AdminUserConfig, Config, ConnectConfig, HistoryConfig, Named, ProjectConfig, Service};
use crate::diagnostic::{Diagnostic, Diagnostics, Note, SourceSpan, did_you_mean_or_list};

/// A file to read.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigText<'a> {
    /// Its name in messages.
    pub(crate) file: &'a str,
    /// Its content.
    pub(crate) text: &'a str,
    /// The base of relative paths.
    pub(crate) directory: PathBuf,
    /// The home directory, for `~`.
    pub(crate) home: Option<PathBuf>,
}

/// Maximum number of syntax errors that are reported.
const MISTAKES: usize = 5;

/// Parses a file and returns its errors.
pub(crate) fn read(source: &ConfigText<'_>) -> (Config, Diagnostics) {
    let (table, errors) = DeTable::parse_recoverable(source.text);
    let mut reader = Reader { source, found: Diagnostics::default() };
    if !errors.is_empty() {
        // errors after the first may only be caused by it
        let more = errors.len().saturating_sub(MISTAKES);
        for error in errors.into_iter().take(MISTAKES) {
            let message = if error.message().contains("recurs") {
                "this is nested too deep; use fewer levels"
            } else {
                error.message()
            };
            reader.error(error.span().unwrap_or_default(), message);
        }
        if more > 0
            && let Some(last) = reader.found.0.last_mut()
        {
            let message = format!("{more} more errors follow; this one may have caused them");
            last.notes.push(Note { message, place: None });
        }
        return (Config::default(), reader.found);
    }
    let config = reader.config(table.get_ref());
    reader.found.0.sort_by_key(|diagnostic| {
        diagnostic.place.as_ref().map(|place| (place.line, place.column))
    });
    (config, reader.found)
}

pub(super) struct Reader<'a> {
    pub(super) source: &'a ConfigText<'a>,
    pub(super) found: Diagnostics,
}

impl Reader<'_> {
    fn config(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        for (key, span, value) in items(table) {
            match key {
                "project" => self.project(value, &mut config),
                "default_service" => {
                    config.default_service = self
                        .string(key, value)
                        .map(|name| Named { name, place: self.place(value.span()) });
                }
                "services" => {
                    for (name, span, value) in self.table(key, value) {
                        if let Some(service) = self.service(name, span, value) {
                            config.services.insert(name.to_owned(), service);
                        }
                    }
                }
                "environment" => {
                    self.places_in("", value, &mut config.environment_places);
                    config.environment = self.environment(key, value);
                }
                "admin_user" => config.admin_user = self.admin_user(value),
                "connect" => {
                    for (key, span, value) in self.table(key, value) {
                        match key {
                            "timeout" => config.connect.timeout = self.seconds(key, value),
                            "shell_timeout" => {
                                config.connect.shell_timeout = self.seconds(key, value)
                            }
                            _ => self.unknown(span, key, "connect", &keys::<ConnectConfig>()),
                        }
                    }
                }
                "history" => config.history = self.history(key, value),
                "stages" => config.stages = self.stages(key, value),
                "secrets" => self.secrets(key, value, &mut config),
                "secret_ttl" => config.secret_ttl = self.duration(key, value),
                "vault" => config.vault = self.vault(key, value),
                "telemetry" => config.telemetry = self.telemetry(value),
                "on_finish" => config.on_finish = self.on_finish(value),
                "age_identities" => config.age_identities = self.paths(key, value),
                "plugins" => config.plugins = self.plugins(key, value),
                "registry" => config.registry = self.source(key, value),
                "trust" => config.trust = self.trust(key, value),
                "sigstore" => config.sigstore.trusted_root = self.sigstore(key, value),
                "mirrors" => config.mirrors = self.mirrors(key, value),
                _ => self.unknown(span, key, "", &keys::<Config>()),
            }
        }
        config
    }

    fn project(&mut self, value: &Spanned<DeValue<'_>>, config: &mut Config) {
        for (key, span, value) in self.table("project", value) {
            match key {
                "name" => {
                    config.project.name =
                        self.string(key, value).filter(|name| self.is_name(name, value.span()))
                }
                "default_service" => {
                    let found =
                        self.diagnostic(span, "`default_service` is not a key of [project]");
                    self.found.push(found.suggest("write it above the first table".to_owned()));
                }
                "max_nodes" => {
                    let number = json(value.get_ref())
                        .as_u64()
                        .and_then(|number| u32::try_from(number).ok());
                    if number.is_none() {
                        self.wrong(value, key, "a whole number of nodes");
                    }
                    config.project.max_nodes = number;
                }
                _ => self.unknown(span, key, "project", &keys::<ProjectConfig>()),
            }
        }
    }

    pub(super) fn is_name(&mut self, name: &str, span: Range<usize>) -> bool {
        let good = is_host_name(name) && name.len() <= 40;
        if !good {
            self.error(
                span,
                format!(
                    "{name:?} cannot name a project: use 1 to 40 of a-z, 0-9 and -, not at the ends"
                ),
            );
        }
        good
    }

    fn service(
        &mut self,
        name: &str,
        span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Service> {
        let mut service = Service::default();
        service.places.insert(String::new(), self.place(span));
        value.get_ref().as_table().or_else(|| {
            self.wrong(value, &format!("services.{name}"), "a table");
            None
        })?;
        for (key, span, value) in self.table(name, value) {
            service.places.insert(key.to_owned(), self.place(span));
            match key {
                "provider" => service.provider = self.string(key, value).unwrap_or_default(),
                "environment" => {
                    self.places_in(key, value, &mut service.places);
                    service.environment = self.environment(key, value);
                }
                _ => {
                    self.places_in(key, value, &mut service.places);
                    service.options.insert(key.to_owned(), json(value.get_ref()));
                }
            }
        }
        Some(service)
    }

    /// The places of the keys in a table, and in the tables in it.
    pub(super) fn places_in(
        &self,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        places: &mut BTreeMap<String, SourceSpan>,
    ) {
        for (key, span, value) in value.get_ref().as_table().into_iter().flat_map(items) {
            let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            self.places_in(&path, value, places);
            places.insert(path, self.place(span));
        }
    }

    pub(super) fn environment(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Environment {
        match json(value.get_ref()) {
            Value::Object(environment) => environment,
            _ => {
                self.wrong(value, key, "a table");
                Environment::new()
            }
        }
    }

    fn history(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> HistoryConfig {
        let mut history = HistoryConfig::default();
        for (key, span, value) in self.table(key, value) {
            match key {
                "days" => history.days = self.positive(key, value, key),
                "operations" => history.operations = self.positive(key, value, key),
                _ => self.unknown(span, key, "history", &keys::<HistoryConfig>()),
            }
        }
        history
    }

    fn admin_user(&mut self, value: &Spanned<DeValue<'_>>) -> AdminUserConfig {
        let mut user = AdminUserConfig::default();
        for (key, span, value) in self.table("admin_user", value) {
            match key {
                "name" => user.name = self.string(key, value),
                "identity_files" => user.identity_files = self.paths(key, value),
                "public_key_files" => user.public_key_files = self.paths(key, value),
                "public_keys" => user.public_keys = self.strings(key, value),
                "password" => user.password = self.secret(key, value),
                "sudo_password" => user.sudo_password = self.secret(key, value),
                "no_sudo" => {
                    user.no_sudo = value.get_ref().as_bool().or_else(|| {
                        self.wrong(value, key, "true or false");
                        None
                    });
                }
                "private_key" | "passphrase" => {
                    let found = self.diagnostic(
                        span,
                        format!(
                            "`{key}` is not a key of [admin_user]: \
                            Pallet's files never contain credentials"
                        ),
                    );
                    self.found.push(
                        found.suggest(
                            "use identity_files, an ssh agent, or `sudo_password = \
                            { command = \"...\" }`"
                                .to_owned(),
                        ),
                    );
                }
                _ => {
                    self.unknown(span, key, "admin_user", &keys::<AdminUserConfig>());
                }
            }
        }
        user
    }

    fn seconds(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Duration> {
        let number = self.positive(key, value, "seconds");
        number.map(|number| Duration::from_secs(number.into()))
    }

    /// A whole number of something, at least 1.
    pub(super) fn positive(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        what: &str,
    ) -> Option<u32> {
        let number = positive(value.get_ref());
        if number.is_none() {
            self.wrong(value, key, &format!("a number of {what}, 1 or more"));
        }
        number
    }

    pub(super) fn table<'v, 'i>(
        &mut self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Vec<Item<'v, 'i>> {
        match value.get_ref().as_table() {
            Some(table) => items(table).collect(),
            None => {
                self.wrong(value, key, "a table");
                Vec::new()
            }
        }
    }

    pub(super) fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(value, key, "a string");
        }
        text.map(str::to_owned)
    }

    pub(super) fn strings(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        match value.get_ref().as_array() {
            Some(array) => array.iter().filter_map(|item| self.string(key, item)).collect(),
            None => {
                self.wrong(value, key, "a list of strings");
                Vec::new()
            }
        }
    }

    fn paths(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<PathBuf> {
        self.strings(key, value).iter().map(|path| self.path(path)).collect()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.source.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.source.directory.join(Path::new(path)),
        }
    }

    pub(super) fn wrong(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let kind = value.get_ref().type_str();
        self.error(
            value.span(),
            format!(
                "`{key}` must be {expected}, not {} {kind}",
                if kind.starts_with(['a', 'i']) { "an" } else { "a" }
            ),
        );
    }

    pub(super) fn unknown(&mut self, span: Range<usize>, key: &str, table: &str, known: &[String]) {
        let message = if table.is_empty() {
            format!("unknown key `{key}`")
        } else {
            format!("unknown key `{key}` in `{table}`")
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let found =
            self.diagnostic(span, message).suggest(did_you_mean_or_list(key, &known, "there are"));
        self.found.push(found);
    }

    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        let found = self.diagnostic(span, message);
        self.found.push(found);
    }

    pub(super) fn diagnostic(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(self.place(span))
    }

    pub(super) fn place(&self, span: Range<usize>) -> SourceSpan {
        SourceSpan::of(self.source.file, self.source.text, span)
    }
}

#[cfg(test)]
mod tests;
