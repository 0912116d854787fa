//! Applies scopes to the actions that are declared in them.

use serde_json::{Map, Value};

use crate::action::{ActionEntry, Condition};
use crate::plugin::operation::Scope;
use crate::plugin::{ErrorKind, PluginError};

/// Fills parameters that the action has and that were omitted, with the values of the scope.
pub(super) fn apply(scope: &Scope, entry: &ActionEntry, arguments: &mut Value) {
    if scope.user.is_none() && scope.directory.is_none() && scope.environment.is_empty() {
        return;
    }
    let schema = (entry.parameters)();
    let takes = |name: &str| schema["properties"].get(name).is_some();
    let Value::Object(arguments) = arguments else { return };
    let mut fill = |name: &str, value: &Option<String>| {
        if let Some(value) = value
            && arguments.get(name).is_none_or(Value::is_null)
        {
            arguments.insert(name.to_owned(), value.clone().into());
        }
    };
    if takes("user") {
        fill("user", &scope.user);
    } else if takes("owner") {
        fill("owner", &scope.user);
    }
    if takes("cwd") {
        fill("cwd", &scope.directory);
    }
    if takes("environment") && !scope.environment.is_empty() {
        let own = arguments.entry("environment").or_insert_with(|| Map::new().into());
        if let Value::Object(own) = own {
            for (name, value) in &scope.environment {
                own.entry(name).or_insert_with(|| value.clone().into());
            }
        }
    }
}

/// The arguments without those that equal their default: crate functions also pass defaults
/// explicitly.
pub(super) fn without_defaults(entry: &ActionEntry, arguments: &Value) -> Value {
    let schema = (entry.parameters)();
    let says = |name: &str, value: &Value| {
        !value.is_null() && schema["properties"][name].get("default") != Some(value)
    };
    match arguments {
        Value::Object(arguments) => arguments
            .iter()
            .filter(|(name, value)| says(name, value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        other => other.clone(),
    }
}

/// Turns off backups of the previous content on the node, since it may hold secrets.
pub(super) fn keep_no_versions(entry: &ActionEntry, arguments: &mut Value) {
    let schema = (entry.parameters)();
    if let Value::Object(arguments) = arguments
        && schema["properties"].get("max_versions").is_some()
    {
        arguments.insert("max_versions".to_owned(), 0.into());
    }
}

/// The conditions of a scope; `next` numbers them.
pub(super) fn conditions(scope: &Scope, next: &mut usize) -> Result<Vec<Condition>, PluginError> {
    let mut conditions = Vec::new();
    for (command, unless) in [(&scope.when, false), (&scope.when_not, true)] {
        let Some(command) = command else { continue };
        if command.trim().is_empty() || command.contains('\0') {
            let message = format!(
                "the condition {command:?} is not a command; give one that only \
                reads, such as \"test -e /etc/motd\""
            );
            return Err(PluginError::new(ErrorKind::InvalidInput, message));
        }
        conditions.push(Condition { id: *next, command: command.clone(), unless });
        *next += 1;
    }
    Ok(conditions)
}
