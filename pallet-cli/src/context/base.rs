//! The context of every command.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use pallet_core::model::Environment;
use pallet_core::plugins::Registry;
use serde_json::{Map, Number, Value};

use super::messages::ProviderMessages;
use super::options::GlobalOptions;
use super::secrets::SecretCache;
use crate::output::{Printer, history};
use crate::process::ProcessEnv;
use crate::project::{LoadOptions, LoadedProject};

/// The context of every command.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) global: GlobalOptions,
    pub(crate) printer: Printer,
    pub(crate) env: ProcessEnv,
    /// Receives the progress messages of providers.
    pub(crate) messages: ProviderMessages,
    /// The secrets that were looked up.
    pub(crate) secrets: SecretCache,
}

/// A project, and the plugins that it uses.
pub(crate) struct ProjectWithPlugins {
    pub(crate) project: LoadedProject,
    pub(crate) registry: Arc<Registry>,
}

impl Context {
    /// The project's directory: the one that the user named, or the nearest one with a pallet.toml,
    /// from the current directory upwards.
    pub(crate) fn directory(&self) -> PathBuf {
        if let Some(directory) = &self.global.directory {
            return directory.clone();
        }
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        here.ancestors()
            .find(|directory| directory.join("pallet.toml").is_file())
            .unwrap_or(&here)
            .to_owned()
    }

    /// The environment values of the command line.
    fn environment(&self) -> anyhow::Result<Environment> {
        let mut environment = Environment::new();
        for word in &self.global.environment {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("--env {word}: write it as KEY=VALUE"))?;
            set(&mut environment, key, value_of(value))
                .map_err(|why| anyhow!("--env {word}: {why}"))?;
        }
        Ok(environment)
    }

    /// The same in a stage.
    pub(crate) fn in_stage(&self, name: &str) -> Self {
        let global = GlobalOptions { stage: Some(name.to_owned()), ..self.global.clone() };
        Context { global, ..self.clone() }
    }

    /// A command as it should be given again: for this project, stage and service.
    pub(crate) fn again(&self, command: &str) -> String {
        let mut words = vec!["pallet-cli".to_owned()];
        let directory = self.global.directory.as_ref().map(|path| path.display().to_string());
        let options = [
            ("-C", directory),
            ("--stage", self.global.stage.clone()),
            ("--service", self.global.service.clone()),
        ];
        for (option, value) in options {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        format!("{} {command}", history::command(&words))
    }

    /// The options for loading a project here. Output of its files is dropped.
    pub(crate) fn load_options(&self) -> anyhow::Result<LoadOptions> {
        Ok(LoadOptions {
            user_config: Some(self.env.configuration.join("config.toml")),
            home: Some(self.env.home.clone()),
            service: self.global.service.clone(),
            stage: self.global.stage.clone(),
            environment_override: self.environment()?,
            ..LoadOptions::default()
        })
    }
}

/// A value as JSON, or as text. A number that JSON would write in another way is text: `1.10` is a
/// version.
fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(Value::Number(number)) if shortest(&number) != text => Value::String(text.to_owned()),
        Ok(value) => value,
        Err(_) => Value::String(text.to_owned()),
    }
}

/// A number with no more digits than it needs.
fn shortest(number: &Number) -> String {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(whole), ..) => whole.to_string(),
        (_, Some(whole), _) => whole.to_string(),
        (.., Some(other)) => other.to_string(),
        _ => String::new(),
    }
}

/// How many parts a dotted key may have.
const DEEPEST: usize = 32;

/// Sets the value of a dotted key: `proxy.port` is `port` in the table `proxy`.
fn set(mut table: &mut Map<String, Value>, key: &str, value: Value) -> Result<(), String> {
    let mut parts: Vec<&str> = key.split('.').collect();
    if parts.len() > DEEPEST {
        return Err(format!("the key has more than {DEEPEST} parts"));
    }
    if parts.contains(&"") {
        return Err("a part of the key is empty".to_owned());
    }
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let inner = table.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return Err(format!("{part} is no table")) };
        table = inner;
    }
    table.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_or_text() {
        for (text, expected) in [
            ("3", json!(3)),
            ("1.5", json!(1.5)),
            ("1.10", json!("1.10")),
            ("2.0", json!("2.0")),
            ("-7", json!(-7)),
            ("007", json!("007")),
            ("1e3", json!("1e3")),
            ("true", json!(true)),
            ("a b", json!("a b")),
            ("[1, 2]", json!([1, 2])),
        ] {
            assert_eq!(value_of(text), expected, "{text}");
        }
    }

    #[test]
    fn dotted_keys_are_tables() {
        let mut table = Map::new();
        set(&mut table, "proxy.port", json!(1)).unwrap();
        set(&mut table, "proxy.host.name", json!("a")).unwrap();
        set(&mut table, "plain", json!(2)).unwrap();
        let expected = json!({"proxy": {"port": 1, "host": {"name": "a"}}, "plain": 2});
        assert_eq!(Value::Object(table.clone()), expected);
        assert_eq!(set(&mut table, "plain.x", json!(1)).unwrap_err(), "plain is no table");
        for key in ["", ".", "a.", ".a", &"a.".repeat(100_000)] {
            assert!(set(&mut table, key, json!(1)).is_err(), "{key}");
        }
    }
}
