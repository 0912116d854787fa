//! Declares actions on a request: reads them, checks them, and keeps them.

use std::sync::{OnceLock, PoisonError};

use serde_json::Value;

use super::context::Placeholders;
use super::request::NodeRequest;
use super::scope;
use super::undoes::undoes;
use crate::action::{ActionEntry, AnyAction, CONTROLLER, Declared, Shown, TABLE};
use crate::engine::NodeError;
use crate::engine::vault::Vault;
use crate::plugin::operation::DeclareAction;
use crate::plugin::{ErrorKind, PluginError};

impl NodeRequest {
    pub(super) fn declare(&self, wanted: DeclareAction) -> Result<(), PluginError> {
        let Some(refused) = &self.inner.context.refused else { return self.declare_one(wanted) };
        let (action, source) = (wanted.action.clone(), wanted.source.clone());
        if let Err(error) = self.declare_one(wanted) {
            let outermost = self.recorded().calls.iter().find_map(|(_, source)| source.clone());
            let error = NodeError {
                action: Some(action),
                source: outermost.or(source),
                ..NodeError::new(error.to_string())
            };
            refused.lock().unwrap_or_else(PoisonError::into_inner).push(error);
        }
        Ok(())
    }

    fn declare_one(&self, wanted: DeclareAction) -> Result<(), PluginError> {
        let mut all = TABLE.iter().chain(&self.inner.context.actions);
        let entry: &ActionEntry =
            all.find(|entry| entry.name == wanted.action).ok_or_else(|| {
                let message = format!("there is no action `{}`", wanted.action);
                PluginError::new(ErrorKind::Unsupported, message)
                    .with_help("it may need a newer pallet")
            })?;
        let invalid = |error: crate::action::ActionError| {
            PluginError::new(ErrorKind::InvalidInput, error.to_string())
        };
        if let Some(caller) = &self.caller {
            caller.check_secrets(&wanted.action, &wanted.arguments)?;
        }
        let mut arguments = wanted.arguments;
        for entered in self.recorded().scopes.iter().rev() {
            scope::apply(&entered.scope, entry, &mut arguments);
        }
        let named = Vault::concerns(&arguments).then(|| arguments.clone());
        let mut shown = self.show(entry, &arguments, named.is_some());
        let instead = match self.inner.context.placeholders {
            Placeholders::UseInstead => shown.as_mut().and_then(|shown| shown.action.take()),
            Placeholders::Discard | Placeholders::Keep => None,
        };
        let prepared = instead.is_some();
        let (mut action, secret) = match instead {
            Some(action) => (action, None),
            // it cannot be checked without its secret, and a check looks up no secrets
            None if named.is_some() && self.inner.context.refused.is_some() => return Ok(()),
            None => {
                let secret = self.reveal(entry, &mut arguments)?;
                ((entry.parse)(arguments).map_err(invalid)?, secret)
            }
        };
        if let Some(caller) = &self.caller {
            // this copy has placeholders instead of secrets
            let named = named.map(entry.parse).transpose().map_err(invalid)?;
            let shown = named.as_ref().unwrap_or(&action);
            caller.check(&format!("{} {}", shown.name(), shown.subject()), &shown.needs())?;
        }
        if !prepared {
            action.prepare(&self.inner.context.workspace).map_err(invalid)?;
        }
        let takes = |name: &str| (entry.parameters)()["properties"].get(name).is_some();
        wanted.options.check(entry.name, takes).map_err(invalid)?;
        let mut recorded = self.recorded();
        let source = recorded.calls.iter().find_map(|(_, source)| source.clone()).or(wanted.source);
        let via: Vec<String> = recorded.calls.iter().map(|(name, _)| name.clone()).collect();
        let conditions =
            recorded.scopes.iter().flat_map(|entered| &entered.conditions).cloned().collect();
        let scopes = recorded.scopes.iter().flat_map(|entered| &entered.scope.tags);
        let tags = scopes.chain(&wanted.options.tags).cloned().chain(names_of(&via)).collect();
        let blocks = recorded.scopes.iter().filter_map(|entered| entered.block.as_ref());
        let elsewhere = blocks.clone().any(|(_, place)| *place != self.inner.place);
        let declared = Declared {
            action,
            options: wanted.options,
            conditions,
            blocks: blocks.map(|(block, _)| *block).collect(),
            secret,
            source,
            via,
            place: self.inner.place.clone(),
            number: 0,
            tags,
            shown,
            accounts: OnceLock::new(),
        };
        check_place(&declared)?;
        check_in_block(&declared, elsewhere)?;
        let recorded = &mut *recorded;
        // what runs elsewhere claims nothing on this node
        if declared.place.is_none()
            && let Some((earlier, what)) = recorded.claimed.add(&declared, &recorded.declared)
        {
            return Err(undoes(&declared, &recorded.declared[earlier], &what));
        }
        recorded.declared.push(declared);
        Ok(())
    }

    /// The form of an action that may be shown, if this operation shows actions; `placeholders`:
    /// its arguments may contain some.
    fn show(&self, entry: &ActionEntry, arguments: &Value, placeholders: bool) -> Option<Shown> {
        if self.inner.context.placeholders == Placeholders::Discard {
            return None;
        }
        let action = placeholders.then(|| (entry.parse)(arguments.clone()).ok()).flatten();
        // some arguments need a format that a placeholder does not have
        let fits =
            |action: &mut Box<dyn AnyAction>| action.prepare(&self.inner.context.workspace).is_ok();
        let action = action.and_then(|mut action| fits(&mut action).then_some(action));
        Some(Shown { arguments: scope::without_defaults(entry, arguments), action })
    }

    /// Puts secrets into arguments. If there are any, returns a name for the action without them.
    fn reveal(
        &self,
        entry: &ActionEntry,
        arguments: &mut Value,
    ) -> Result<Option<String>, PluginError> {
        if !Vault::concerns(arguments) {
            return Ok(None);
        }
        let named = arguments.clone();
        let revealed = self
            .inner
            .context
            .vault
            .reveal(arguments)
            .map_err(|message| PluginError::new(ErrorKind::InvalidInput, message))?;
        if !revealed {
            return Ok(None);
        }
        scope::keep_no_versions(entry, arguments);
        Ok(Some(
            (entry.parse)(named)
                .map_or_else(|_| "with secrets".to_owned(), |action| action.subject()),
        ))
    }
}

/// The names by which the functions of crates are tags: `nginx.site`, `nginx`.
fn names_of(via: &[String]) -> impl Iterator<Item = String> {
    let names = via.iter().flat_map(|name| [Some(name.as_str()), name.split('.').next()]);
    names.flatten().map(str::to_owned)
}

/// Refuses actions that make no sense on the machine that runs Pallet.
fn check_place(declared: &Declared) -> Result<(), PluginError> {
    if declared.place.as_deref() == Some(CONTROLLER) && declared.action.reboots().is_some() {
        let message = "this would reboot the machine that runs Pallet";
        return Err(PluginError::new(ErrorKind::InvalidInput, message)
            .with_help("declare it outside of locally, so that it reboots the node"));
    }
    Ok(())
}

/// Refuses actions in `on_failure` that cannot be part of one script.
fn check_in_block(declared: &Declared, elsewhere: bool) -> Result<(), PluginError> {
    let (what, help) = if declared.blocks.is_empty() {
        return Ok(());
    } else if declared.action.reboots().is_some() {
        ("reboots the node", "put it before or after it")
    } else if elsewhere {
        ("runs elsewhere", "call on_failure within the function of on_node or locally")
    } else {
        return Ok(());
    };
    let message = format!("{} {what}, which is not possible within on_failure", declared.label());
    Err(PluginError::new(ErrorKind::InvalidInput, message).with_help(help))
}
