//! The engine's side of a request: records what phase functions declare for one node, and answers
//! their questions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::blocks::{Blocks, PartAt};
use super::caller::Caller;
use super::context::{Activity, ActivityKind, RequestContext};
use super::scope;
use crate::action::{CONTROLLER, ClaimIndex, Condition, Declared, InBlock, SourceLocation};
use crate::model::{
    Capabilities, Details, Machine, Os, Target, defuse_placeholders, did_you_mean, secret_names,
};
use crate::plugin::operation::{
    self, At, Block, CallFunction, GetDetails, GetSettings, Log, Scope, SetSettings,
};
use crate::plugin::{ErrorKind, PluginError, RequestHost};

/// Maximum depth of calls between crates.
const MAX_CALL_DEPTH: usize = 64;

/// The request of one node in one phase, as given to functions of the project or to a crate
/// function.
#[derive(Clone)]
pub(super) struct NodeRequest {
    pub(super) inner: Arc<Inner>,
    /// The crate function that was given this request. Capabilities are checked against the owner
    /// of the request, not against the latest call: a function of the project always acts for
    /// itself, even if a crate calls it.
    pub(super) caller: Option<Arc<Caller>>,
}

pub(super) struct Inner {
    pub(super) context: Arc<RequestContext>,
    target: Target,
    phase: String,
    /// The ID of the node on which the actions run instead of the target of the phase.
    pub(super) place: Option<String>,
    recorded: Arc<Mutex<Recorded>>,
}

/// Everything that phase functions recorded.
#[derive(Default)]
pub(super) struct Recorded {
    /// The ID of the node of the phase.
    home: Option<String>,
    pub(super) declared: Vec<Declared>,
    pub(super) claimed: ClaimIndex,
    /// Their messages to the user.
    pub(super) said: Vec<Log>,
    pub(super) calls: Vec<(String, Option<SourceLocation>)>,
    pub(super) scopes: Vec<Entered>,
    /// The number of conditions so far.
    conditions: usize,
    blocks: Blocks,
}

impl Recorded {
    fn at(&self) -> PartAt {
        PartAt { declared: self.declared.len(), calls: self.calls.len(), scopes: self.scopes.len() }
    }

    fn enter(
        &mut self,
        scope: Scope,
        conditions: Vec<Condition>,
        block: Option<(InBlock, Option<String>)>,
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
pub(super) struct Entered {
    pub(super) scope: Scope,
    pub(super) conditions: Vec<Condition>,
    /// The part of a block, and the place where its actions run.
    pub(super) block: Option<(InBlock, Option<String>)>,
    /// Its depth in calls: a crate cannot leave a scope of its caller.
    depth: usize,
}

impl NodeRequest {
    pub(super) fn new(context: Arc<RequestContext>, target: Target, phase: &str) -> Self {
        let phase = phase.to_owned();
        let recorded = Recorded { home: Some(target.id.clone()), ..Recorded::default() };
        let recorded = Arc::new(Mutex::new(recorded));
        let inner = Inner { context, target, phase, place: None, recorded };
        NodeRequest { inner: Arc::new(inner), caller: None }
    }

    pub(super) fn take(&self) -> Recorded {
        std::mem::take(&mut *self.recorded())
    }

    pub(super) fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.inner.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a function is answered; it may use the secrets in it.
    fn give(&self, answer: Value) -> Result<Value, PluginError> {
        self.caller.iter().for_each(|caller| caller.give(&answer));
        Ok(answer)
    }

    fn watch(&self, kind: ActivityKind<'_>) {
        if let Some(watcher) = &self.inner.context.watcher {
            let by = self.caller.as_ref().map(|caller| caller.name());
            let (target, phase) = (&self.inner.target, &*self.inner.phase);
            watcher(Activity { target, phase, by, kind });
        }
    }

    fn call(&self, wanted: &CallFunction) -> Result<Value, PluginError> {
        self.watch(ActivityKind::Calls(&full_name(wanted)));
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
            recorded.calls.push((full_name(wanted), wanted.source.clone()));
        }
        let answer = self.as_crate(wanted).and_then(|request| {
            let called = request.caller.clone();
            let registry = &self.inner.context.registry;
            let answer = registry.call(
                &wanted.config_crate,
                &wanted.function,
                Arc::new(request),
                &wanted.arguments,
            )?;
            called.iter().try_for_each(|called| called.check_secrets("its result", &answer))?;
            self.give(answer)
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
            caller.check_secrets(&format!("a call of {}", full_name(wanted)), &wanted.arguments)?;
        }
        let capabilities = self.inner.context.registry.capabilities(&wanted.config_crate);
        let caller = Caller {
            config_crate: wanted.config_crate.clone(),
            function: wanted.function.clone(),
            is_source: self.inner.context.registry.source_directory(&wanted.config_crate).is_some(),
            capabilities: capabilities
                .map_err(|error| PluginError::new(ErrorKind::NotFound, error.to_string()))?,
            secrets: Mutex::new(secret_names(&wanted.arguments)),
        };
        Ok(NodeRequest { inner: self.inner.clone(), caller: Some(Arc::new(caller)) })
    }

    /// This request for another node.
    fn at(&self, node: Option<&str>) -> Result<Self, PluginError> {
        let context = &self.inner.context;
        let (target, place) = match node {
            None => {
                if let Some(caller) = &self.caller {
                    caller.check_controller()?;
                }
                (controller(), Some(CONTROLLER.to_owned()))
            }
            Some(wanted) => {
                let is_it = |target: &&Target| target.id == wanted || target.name == wanted;
                let target = context.targets.iter().find(is_it).ok_or_else(|| {
                    let message = format!("on_node: there is no node {wanted} in this project");
                    let known = context.targets.iter().map(|target| target.name.as_str());
                    let help = did_you_mean(wanted, known).unwrap_or_else(|| {
                        "pass a target, such as one of request.targets_in_group(...)".to_owned()
                    });
                    PluginError::new(ErrorKind::NotFound, message).with_help(help)
                })?;
                let own = self.recorded().home.as_deref() == Some(&target.id);
                (target.clone(), Some(target.id.clone()).filter(|_| !own))
            }
        };
        let Inner { context, phase, recorded, .. } = &*self.inner;
        let (context, phase, recorded) = (context.clone(), phase.clone(), recorded.clone());
        let inner = Arc::new(Inner { context, target, phase, place, recorded });
        Ok(NodeRequest { inner, caller: self.caller.clone() })
    }

    fn is_first(&self) -> bool {
        let (context, target) = (&self.inner.context, &self.inner.target);
        context.asked_for_first.store(true, Ordering::Relaxed);
        context.first.get(&target.group) == Some(&target.id)
    }

    fn enter(&self, scope: Scope) -> Result<(), PluginError> {
        if let Some(caller) = &self.caller {
            let mut needed = Capabilities::default();
            scope.when.iter().chain(&scope.when_not).for_each(|command| needed.command(command));
            caller.check("a condition", &needed)?;
            caller.check_secrets("a scope of actions", &write(&scope)?)?;
        }
        let recorded = &mut *self.recorded();
        let conditions = scope::conditions(&scope, &mut recorded.conditions)?;
        recorded.enter(scope, conditions, None)
    }

    fn enter_block(&self, block: Block) -> Result<(), PluginError> {
        let recorded = &mut *self.recorded();
        let around = recorded.scopes.iter().filter(|entered| entered.block.is_some()).count();
        let at = recorded.at();
        let block = recorded.blocks.enter(block.role, around, at, &mut recorded.declared)?;
        recorded.enter(Scope::default(), Vec::new(), Some((block, self.inner.place.clone())))
    }

    fn leave(&self) -> Result<(), PluginError> {
        let recorded = &mut *self.recorded();
        let depth = recorded.calls.len();
        let left = recorded.scopes.pop_if(|entered| entered.depth == depth).ok_or_else(|| {
            PluginError::new(ErrorKind::InvalidInput, "there is no scope to leave")
        })?;
        if let Some((block, _)) = left.block {
            recorded.blocks.leave(block, recorded.at());
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
        if let Some(caller) = &self.caller {
            let what = format!("a setting for {}", wanted.facility);
            value.values().try_for_each(|value| caller.check_secrets(&what, value))?;
        }
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

    fn details(&self, wanted: GetDetails) -> Details {
        let node = wanted.node.as_ref().unwrap_or(&self.inner.target.id);
        self.inner.context.read_details(node, &wanted.details)
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
            operation::TARGET => told(&self.inner.target),
            operation::TARGETS => told(&context.targets),
            operation::ENVIRONMENT => self.give(Value::Object(Map::clone(&context.environment))),
            operation::ADMIN_USER => write(&context.admin_user),
            operation::PHASE => Ok(Value::String(self.inner.phase.clone())),
            operation::GET_SETTINGS => self.give(self.get_settings(read(operation, payload)?)),
            operation::SET_SETTINGS => {
                self.set_settings(read(operation, payload)?).map(|()| Value::Null)
            }
            operation::DETAILS => told(&self.details(read(operation, payload)?)),
            operation::ENTER_SCOPE => self.enter(read(operation, payload)?).map(|()| Value::Null),
            operation::ENTER_BLOCK => {
                self.enter_block(read(operation, payload)?).map(|()| Value::Null)
            }
            operation::LEAVE_SCOPE => self.leave().map(|()| Value::Null),
            operation::AT => {
                let At { node, operation, payload } = read(operation, payload)?;
                self.at(node.as_deref())?.invoke(&operation, payload)
            }
            operation::IS_FIRST => Ok(Value::Bool(self.is_first())),
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

/// This machine as functions see it.
fn controller() -> Target {
    let read = |file: &&str| std::fs::read_to_string(Path::new("/").join(file)).ok();
    let release = Os::RELEASE_FILES.iter().find_map(read).unwrap_or_default();
    let os = Os::described(&release, std::env::consts::ARCH);
    Target {
        id: CONTROLLER.to_owned(),
        name: "controller".to_owned(),
        group: String::new(),
        address: None,
        roles: Vec::new(),
        os,
        machine: Machine::default(),
        facts: BTreeMap::new(),
    }
}

fn read<T: DeserializeOwned>(operation: &str, payload: Value) -> Result<T, PluginError> {
    serde_json::from_value(payload)
        .map_err(|error| PluginError::new(ErrorKind::InvalidInput, format!("{operation}: {error}")))
}

/// The full name of a function that is called: `nginx.site`.
fn full_name(wanted: &CallFunction) -> String {
    format!("{}.{}", wanted.config_crate, wanted.function)
}

/// What nodes say of themselves.
fn told(value: &impl serde::Serialize) -> Result<Value, PluginError> {
    let mut value = write(value)?;
    defuse_placeholders(&mut value);
    Ok(value)
}

fn write(value: &impl serde::Serialize) -> Result<Value, PluginError> {
    serde_json::to_value(value)
        .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))
}
