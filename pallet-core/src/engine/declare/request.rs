//! The engine's side of a request: records what phase functions declare for one node, and answers
//! their questions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::blocks::Blocks;
use super::caller::Caller;
use super::context::{Activity, ActivityKind, Placeholders, RequestContext};
use super::scope;
use super::undoes::undoes;
use crate::action::{
    ActionEntry, AnyAction, ClaimIndex, Condition, Declared, InBlock, Shown, SourceLocation, TABLE,
};
use crate::engine::NodeError;
use crate::engine::vault::Vault;
use crate::model::{Capabilities, Target};
use crate::plugin::operation::{
    self, Block, CallFunction, DeclareAction, GetSettings, Log, Scope, SetSettings,
};
use crate::plugin::{ErrorKind, PluginError, RequestHost};

/// Maximum depth of calls between crates.
const MAX_CALL_DEPTH: usize = 64;

/// The request of one node in one phase, as given to functions of the project or to a crate
/// function.
#[derive(Clone)]
pub(super) struct NodeRequest {
    inner: Arc<Inner>,
    /// The crate function that was given this request. Capabilities are checked against the owner
    /// of the request, not against the latest call: a function of the project always acts for
    /// itself, even if a crate calls it.
    caller: Option<Arc<Caller>>,
}

struct Inner {
    context: Arc<RequestContext>,
    target: Target,
    phase: String,
    recorded: Mutex<Recorded>,
}

/// Everything that phase functions recorded.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) declared: Vec<Declared>,
    claimed: ClaimIndex,
    /// Their messages to the user.
    pub(super) said: Vec<Log>,
    calls: Vec<(String, Option<SourceLocation>)>,
    scopes: Vec<Entered>,
    /// The number of conditions so far.
    conditions: usize,
    blocks: Blocks,
}

impl Recorded {
    fn enter(
        &mut self,
        scope: Scope,
        conditions: Vec<Condition>,
        block: Option<InBlock>,
    ) -> Result<(), PluginError> {
        if self.scopes.len() >= MAX_CALL_DEPTH {
            return Err(PluginError::new(
                ErrorKind::Failed,
                format!("scopes of actions are more than {MAX_CALL_DEPTH} deep"),
            ));
        }
        self.scopes.push(Entered { scope, conditions, block, depth: self.calls.len() });
        Ok(())
    }
}

/// A scope that was entered and not left yet.
struct Entered {
    scope: Scope,
    conditions: Vec<Condition>,
    block: Option<InBlock>,
    /// Its depth in calls: a crate cannot leave a scope of its caller.
    depth: usize,
}

impl NodeRequest {
    pub(super) fn new(context: Arc<RequestContext>, target: Target, phase: &str) -> Self {
        let inner = Inner { context, target, phase: phase.to_owned(), recorded: Mutex::default() };
        NodeRequest { inner: Arc::new(inner), caller: None }
    }

    pub(super) fn take(&self) -> Recorded {
        std::mem::take(&mut *self.recorded())
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.inner.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn declare(&self, wanted: DeclareAction) -> Result<(), PluginError> {
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
        let via = recorded.calls.iter().map(|(name, _)| name.clone()).collect();
        let conditions =
            recorded.scopes.iter().flat_map(|entered| &entered.conditions).cloned().collect();
        let declared = Declared {
            action,
            options: wanted.options,
            conditions,
            blocks: recorded.scopes.iter().filter_map(|entered| entered.block).collect(),
            secret,
            source,
            via,
            shown,
            accounts: OnceLock::new(),
        };
        let recorded = &mut *recorded;
        if let Some((earlier, what)) = recorded.claimed.add(&declared, &recorded.declared) {
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

    fn watch(&self, kind: ActivityKind<'_>) {
        if let Some(watcher) = &self.inner.context.watcher {
            let by = self.caller.as_ref().map(|caller| caller.name());
            let (target, phase) = (&self.inner.target, &*self.inner.phase);
            watcher(Activity { target, phase, by, kind });
        }
    }

    fn call(&self, wanted: &CallFunction) -> Result<Value, PluginError> {
        self.watch(ActivityKind::Calls(&format!("{}.{}", wanted.config_crate, wanted.function)));
        {
            let mut recorded = self.recorded();
            if recorded.calls.len() >= MAX_CALL_DEPTH {
                let chain = recorded
                    .calls
                    .iter()
                    .rev()
                    .take(4)
                    .map(|(name, _)| name.as_str())
                    .collect::<Vec<_>>()
                    .join(" <- ");
                let message = format!(
                    "crate functions call each other more than {MAX_CALL_DEPTH} deep: {chain}"
                );
                return Err(PluginError::new(ErrorKind::Failed, message));
            }
            recorded.calls.push((
                format!("{}.{}", wanted.config_crate, wanted.function),
                wanted.source.clone(),
            ));
        }
        let answer = self.as_crate(wanted).and_then(|request| {
            self.inner.context.registry.call(
                &wanted.config_crate,
                &wanted.function,
                Arc::new(request),
                &wanted.arguments,
            )
        });
        let recorded = &mut *self.recorded();
        recorded.calls.pop();
        let depth = recorded.calls.len();
        recorded.scopes.retain(|entered| entered.depth <= depth);
        answer
    }

    /// This request for a crate function.
    fn as_crate(&self, wanted: &CallFunction) -> Result<Self, PluginError> {
        if let Some(caller) = &self.caller {
            caller.check_call(&self.inner.context.registry, &wanted.config_crate)?;
        }
        let capabilities = self.inner.context.registry.capabilities(&wanted.config_crate);
        let caller = Caller {
            config_crate: wanted.config_crate.clone(),
            function: wanted.function.clone(),
            capabilities: capabilities
                .map_err(|error| PluginError::new(ErrorKind::NotFound, error.to_string()))?,
        };
        Ok(NodeRequest { inner: self.inner.clone(), caller: Some(Arc::new(caller)) })
    }

    fn enter(&self, scope: Scope) -> Result<(), PluginError> {
        if let Some(caller) = &self.caller {
            let mut needed = Capabilities::default();
            scope.when.iter().chain(&scope.when_not).for_each(|command| needed.command(command));
            caller.check("a condition", &needed)?;
        }
        let recorded = &mut *self.recorded();
        let conditions = scope::conditions(&scope, &mut recorded.conditions)?;
        recorded.enter(scope, conditions, None)
    }

    fn enter_block(&self, block: Block) -> Result<(), PluginError> {
        let recorded = &mut *self.recorded();
        let around = recorded.scopes.iter().filter(|entered| entered.block.is_some()).count();
        let block = recorded.blocks.enter(block.role, around, &mut recorded.declared)?;
        recorded.enter(Scope::default(), Vec::new(), Some(block))
    }

    fn leave(&self) -> Result<(), PluginError> {
        let recorded = &mut *self.recorded();
        let depth = recorded.calls.len();
        let left = recorded.scopes.pop_if(|entered| entered.depth == depth).ok_or_else(|| {
            PluginError::new(ErrorKind::InvalidInput, "there is no scope to leave")
        })?;
        if let Some(block) = left.block {
            recorded.blocks.leave(block, &recorded.declared);
        }
        Ok(())
    }

    fn get_settings(&self, wanted: GetSettings) -> Value {
        self.watch(ActivityKind::ReadsSettings(&wanted.facility));
        let node = wanted.node.unwrap_or_else(|| self.inner.target.id.clone());
        self.settings().get(&(node, wanted.facility)).cloned().unwrap_or_default()
    }

    fn set_settings(&self, wanted: SetSettings) -> Result<(), PluginError> {
        let Value::Object(value) = wanted.value else {
            return Err(PluginError::new(
                ErrorKind::InvalidInput,
                format!("settings for {} must be an object", wanted.facility),
            ));
        };
        self.watch(ActivityKind::WritesSettings(&wanted.facility));
        let mut settings = self.settings();
        let there = settings
            .entry((self.inner.target.id.clone(), wanted.facility))
            .or_insert_with(|| json!({}));
        if let Value::Object(there) = there {
            there.extend(value);
        }
        Ok(())
    }

    fn settings(&self) -> MutexGuard<'_, BTreeMap<(String, String), Value>> {
        self.inner.context.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestHost for NodeRequest {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        let context = &self.inner.context;
        if context.cancel.is_cancelled() {
            return Err(PluginError::new(ErrorKind::Cancelled, "the operation was stopped"));
        }
        match operation {
            operation::ACTION => self.declare(read(operation, payload)?).map(|()| Value::Null),
            operation::CALL => self.call(&read(operation, payload)?),
            operation::TARGET => write(&self.inner.target),
            operation::TARGETS => write(&context.targets),
            operation::ENVIRONMENT => Ok(Value::Object(Map::clone(&context.environment))),
            operation::ADMIN_USER => write(&context.admin_user),
            operation::PHASE => Ok(Value::String(self.inner.phase.clone())),
            operation::GET_SETTINGS => Ok(self.get_settings(read(operation, payload)?)),
            operation::SET_SETTINGS => {
                self.set_settings(read(operation, payload)?).map(|()| Value::Null)
            }
            operation::ENTER_SCOPE => self.enter(read(operation, payload)?).map(|()| Value::Null),
            operation::ENTER_BLOCK => {
                self.enter_block(read(operation, payload)?).map(|()| Value::Null)
            }
            operation::LEAVE_SCOPE => self.leave().map(|()| Value::Null),
            operation::LOG => {
                let log: Log = read(operation, payload)?;
                self.recorded().said.push(log);
                Ok(Value::Null)
            }
            _ => {
                let message = format!("this pallet has no operation `{operation}`");
                Err(PluginError::new(ErrorKind::Unsupported, message)
                    .with_help("the crate needs a newer pallet"))
            }
        }
    }
}

fn read<T: DeserializeOwned>(operation: &str, payload: Value) -> Result<T, PluginError> {
    serde_json::from_value(payload)
        .map_err(|error| PluginError::new(ErrorKind::InvalidInput, format!("{operation}: {error}")))
}

fn write(value: &impl serde::Serialize) -> Result<Value, PluginError> {
    serde_json::to_value(value)
        .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))
}
