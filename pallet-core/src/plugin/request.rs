//! The request: the first argument of every crate function, threaded through all calls.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::operation::{
    self, At, Block, CallFunction, DeclareAction, GetDetails, GetSettings, Log, Scope, SetSettings,
};
use super::{ErrorKind, PluginError};
use crate::action::{Action, BlockRole, Options};
use crate::model::{AdminUser, Detail, Details, Environment, Target, secret_placeholder};

/// The configuration of one node in one phase, while it is being declared.
///
/// It carries the target with its operating system, the environment, and the settings of all nodes.
/// Functions use it to add actions and to call other crates' functions.
#[derive(Clone)]
pub struct Request {
    host: Arc<dyn RequestHost>,
}

/// A function that declares actions.
pub type Declares<'a> = &'a mut dyn FnMut(&mut Request) -> anyhow::Result<()>;

/// The engine behind a request: in the same program, or across the binary interface.
pub trait RequestHost: Send + Sync {
    /// Runs one of the [operations](super::operation).
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError>;
}

/// A host that acts for another node.
struct Elsewhere {
    host: Arc<dyn RequestHost>,
    node: Option<String>,
}

impl RequestHost for Elsewhere {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        let at = At { node: self.node.clone(), operation: operation.to_owned(), payload };
        let at = serde_json::to_value(at)
            .map_err(|error| PluginError::new(ErrorKind::InvalidInput, error.to_string()))?;
        self.host.invoke(operation::AT, at)
    }
}

impl Request {
    /// Creates a request for this host.
    pub fn new(host: Arc<dyn RequestHost>) -> Self {
        Request { host }
    }

    /// Declares an action on the target.
    pub fn add<A: Action>(&mut self, action: A) -> anyhow::Result<()> {
        self.add_with(action, Options::default())
    }

    /// Declares an action on the target, with options.
    pub fn add_with<A: Action>(&mut self, action: A, options: Options) -> anyhow::Result<()> {
        let declared = DeclareAction {
            action: A::NAME.to_owned(),
            arguments: serde_json::to_value(&action)?,
            options,
            source: None,
        };
        self.ask(operation::ACTION, declared)
    }

    /// Runs `declare` in a scope. The scope's values apply to all parameters that an action has and
    /// that are omitted.
    pub fn with_action_options<T>(
        &mut self,
        scope: Scope,
        declare: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.ask::<Value>(operation::ENTER_SCOPE, scope)?;
        let result = declare(self);
        self.ask::<Value>(operation::LEAVE_SCOPE, Value::Null)?;
        result
    }

    /// Runs `declare`; its actions apply only to nodes on which `command` succeeds. The command
    /// runs once per node, before the first of the actions.
    pub fn plan_when<T>(
        &mut self,
        command: &str,
        declare: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.with_action_options(
            Scope { when: Some(command.to_owned()), ..Scope::default() },
            declare,
        )
    }

    /// Runs `declare`; its actions apply only to nodes on which `command` fails.
    pub fn plan_when_not<T>(
        &mut self,
        command: &str,
        declare: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.with_action_options(
            Scope { when_not: Some(command.to_owned()), ..Scope::default() },
            declare,
        )
    }

    /// The request for another node of the project, by its id or name: what is declared on it runs
    /// on that node, at this point of the phase. Its target is that node.
    pub fn on_node(&self, node: &str) -> Request {
        self.at(Some(node.to_owned()))
    }

    /// The request for the machine on which Pallet runs: what is declared on it runs there, as the
    /// user who runs Pallet. Crates that declare their capabilities may not use it.
    pub fn locally(&self) -> Request {
        self.at(None)
    }

    fn at(&self, node: Option<String>) -> Request {
        Request::new(Arc::new(Elsewhere { host: self.host.clone(), node }))
    }

    /// Whether this node is the one of its group that runs what must run only once in an operation:
    /// the first that can be reached.
    pub fn is_first(&self) -> anyhow::Result<bool> {
        self.ask(operation::IS_FIRST, Value::Null)
    }

    /// Runs `declare`. If one of its actions fails on the node, those after it are skipped, and the
    /// actions of `then` run. If these succeed, the node goes on, with a warning. Without a `then`,
    /// or if that fails too, the node fails. The actions of `always` run last in both cases, also
    /// if the node then fails.
    pub fn on_failure<T>(
        &mut self,
        declare: impl FnOnce(&mut Self) -> anyhow::Result<T>,
        then: Option<Declares<'_>>,
        always: Option<Declares<'_>>,
    ) -> anyhow::Result<T> {
        let result = self.in_block(BlockRole::Body, declare)?;
        if let Some(then) = then {
            self.in_block(BlockRole::Rescue, then)?;
        }
        if let Some(always) = always {
            self.in_block(BlockRole::Always, always)?;
        }
        Ok(result)
    }

    fn in_block<T>(
        &mut self,
        role: BlockRole,
        declare: impl FnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.ask::<Value>(operation::ENTER_BLOCK, Block { role })?;
        let result = declare(self);
        self.ask::<Value>(operation::LEAVE_SCOPE, Value::Null)?;
        result
    }

    /// Calls a function of another crate.
    pub fn call(
        &mut self,
        config_crate: &str,
        function: &str,
        arguments: impl Serialize,
    ) -> anyhow::Result<Value> {
        let arguments = match serde_json::to_value(arguments)? {
            Value::Null => json!({}),
            object @ Value::Object(_) => object,
            other => {
                let message = format!(
                    "{config_crate}.{function}: arguments must be an object, these are {other}"
                );
                return Err(PluginError::new(ErrorKind::InvalidInput, message).into());
            }
        };
        self.ask(
            operation::CALL,
            CallFunction {
                config_crate: config_crate.into(),
                function: function.into(),
                arguments,
                source: None,
            },
        )
    }

    /// The node that is being configured.
    pub fn target(&self) -> anyhow::Result<Target> {
        self.ask(operation::TARGET, Value::Null)
    }

    /// All nodes of the project, including this one, even those that the operation does not touch.
    pub fn targets(&self) -> anyhow::Result<Vec<Target>> {
        self.ask(operation::TARGETS, Value::Null)
    }

    /// Facts of the node that are only read if somebody wants to know them, in the same round trip
    /// as all others. They are `None` if the node does not exist yet.
    pub fn details(&self, details: &[Detail]) -> anyhow::Result<Details> {
        self.ask(operation::DETAILS, GetDetails { node: None, details: details.to_vec() })
    }

    /// The same of another node, `None` if that is not part of the operation and was never asked.
    pub fn details_of(&self, node: &str, details: &[Detail]) -> anyhow::Result<Details> {
        let node = Some(node.to_owned());
        self.ask(operation::DETAILS, GetDetails { node, details: details.to_vec() })
    }

    /// The project's own fact of this name; `None` if the project declares none.
    pub fn fact<T: DeserializeOwned>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let fact = self.target()?.facts.remove(name);
        Ok(fact.map(serde_json::from_value).transpose()?)
    }

    /// The values of the project's environment.
    pub fn environment(&self) -> anyhow::Result<Environment> {
        self.ask(operation::ENVIRONMENT, Value::Null)
    }

    /// The admin user on the nodes.
    pub fn admin_user(&self) -> anyhow::Result<AdminUser> {
        self.ask(operation::ADMIN_USER, Value::Null)
    }

    /// The name of the phase.
    pub fn phase(&self) -> anyhow::Result<String> {
        self.ask(operation::PHASE, Value::Null)
    }

    /// This node's settings for a facility; `None` if none were set.
    pub fn settings<T: DeserializeOwned>(&self, facility: &str) -> anyhow::Result<Option<T>> {
        self.ask(operation::GET_SETTINGS, GetSettings { node: None, facility: facility.into() })
    }

    /// Another node's settings for a facility; `None` if none were set.
    pub fn settings_of<T: DeserializeOwned>(
        &self,
        node: &str,
        facility: &str,
    ) -> anyhow::Result<Option<T>> {
        self.ask(
            operation::GET_SETTINGS,
            GetSettings { node: Some(node.into()), facility: facility.into() },
        )
    }

    /// Merges settings, key by key, over this node's settings for a facility.
    pub fn set_settings(&mut self, facility: &str, value: impl Serialize) -> anyhow::Result<()> {
        self.ask(
            operation::SET_SETTINGS,
            SetSettings { facility: facility.into(), value: serde_json::to_value(value)? },
        )
    }

    /// A placeholder for the secret `name`, for the arguments of actions. The engine replaces it by
    /// the value. Functions never see the value.
    pub fn secret(&self, name: &str) -> String {
        secret_placeholder(name)
    }

    /// Warns the user.
    pub fn warn(&self, message: impl Into<String>) -> anyhow::Result<()> {
        self.ask(operation::LOG, Log { level: "warning".into(), message: message.into() })
    }

    /// Runs an operation by name. Use it for operations that have no method in this version.
    pub fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        self.host.invoke(operation, payload)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        payload: impl Serialize,
    ) -> anyhow::Result<T> {
        let answer = self.host.invoke(operation, serde_json::to_value(payload)?)?;
        Ok(serde_json::from_value(answer)?)
    }
}
