//! `pallet-cli environment`

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::diagnostic::did_you_mean_or_list;
use crate::output::table;
use crate::project::{EnvironmentScope, leaves};
use crate::terminal::visible;

/// Show the values of the environment, and where each comes from
#[derive(Debug, clap::Args)]
pub(crate) struct Environment {
    /// Only this key and those below it, with the values that are overridden: `proxy`,
    /// `proxy.host`
    key: Option<String>,
}

/// A value, and all scopes that have one, of which the first wins.
struct Origin {
    key: String,
    value: Value,
    scopes: Vec<(String, Value)>,
}

impl Environment {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load_for_nodes(!context.printer.json())?;
        let project = &loaded.project;
        let service = project.config.service(context.global.service.as_deref()).ok();
        let service = service.as_ref().map(|(name, service)| (name.as_str(), service));
        let scopes = project.scopes.in_order(service);
        let all = leaves(&project.environment);
        let is_meant = |key: &str| match &self.key {
            None => true,
            Some(wanted) => {
                key == wanted
                    || key.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with('.'))
            }
        };
        let origins: Vec<Origin> = all
            .iter()
            .filter(|(key, _)| is_meant(key))
            .map(|(key, value)| Origin {
                key: key.clone(),
                value: value.clone(),
                scopes: scopes.iter().rev().filter_map(|scope| of_scope(scope, key)).collect(),
            })
            .collect();
        if let (Some(key), true) = (&self.key, origins.is_empty()) {
            let known: Vec<&str> = all.iter().map(|(key, _)| key.as_str()).collect();
            let help = did_you_mean_or_list(key, &known, "there are");
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            bail!("the environment has no key {key}{help}");
        }
        let printer = &context.printer;
        if printer.json() {
            let object = origins.iter().map(|origin| (origin.key.clone(), as_json(origin)));
            printer.value(&Value::Object(object.collect::<Map<_, _>>()));
        } else if origins.is_empty() {
            printer.line("the environment is empty");
        } else {
            let rows = origins.iter().flat_map(|origin| rows(origin, self.key.is_some()));
            printer.text(&table(&["KEY", "VALUE", "FROM"], rows));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The value of a key in a scope, and its place.
fn of_scope(scope: &EnvironmentScope, key: &str) -> Option<(String, Value)> {
    let mut value = None;
    let mut table = Some(&scope.values);
    for part in key.split('.') {
        value = table.and_then(|table| table.get(part));
        table = value.and_then(Value::as_object);
    }
    // null changes nothing
    let value = value.filter(|value| !value.is_null())?.clone();
    // the place of the key, or of the table that it is in
    let mut path = Some(key);
    let place = std::iter::from_fn(|| {
        let this = path?;
        path = this.rsplit_once('.').map(|(table, _)| table);
        Some(this)
    });
    let place = place.into_iter().find_map(|path| scope.places.get(path));
    let source = match place {
        Some(place) => format!("{}, {}:{}", scope.source, place.file, place.line),
        None => scope.source.clone(),
    };
    Some((source, value))
}

fn as_json(origin: &Origin) -> Value {
    let scopes: Vec<Value> =
        origin.scopes.iter().map(|(from, value)| json!({"from": from, "value": value})).collect();
    json!({"value": origin.value, "scopes": scopes})
}

/// The rows of a value: where it comes from and, if wanted, what it overrides.
fn rows(origin: &Origin, overridden: bool) -> Vec<Vec<String>> {
    let from = origin.scopes.first().map(|(from, _)| from.clone()).unwrap_or_default();
    let mut rows = vec![vec![origin.key.clone(), shown(&origin.value), from]];
    let others = origin.scopes.iter().skip(1).filter(|_| overridden);
    rows.extend(
        others
            .map(|(from, value)| vec![String::new(), shown(value), format!("{from} (overridden)")]),
    );
    rows
}

pub(super) fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    visible(&text).into_owned()
}
