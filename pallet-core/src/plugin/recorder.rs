//! A request that records what a crate's functions declare, to test a crate without a node or a
//! host.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::operation::{
    self, Block, CallFunction, DeclareAction, GetSettings, Log, Scope, SetSettings,
};
use super::{
    ConfigCrate, ErrorKind, PluginError, Request, RequestHost, config_crate_call,
    config_crate_manifest,
};
use crate::action::{Options, TABLE};
use crate::model::{AdminUser, Capabilities, Details, Environment, Machine, Os, Target};

/// Calls a crate's functions as a host does, by name and with JSON arguments, and records what they
/// declare.
///
/// It enforces [`ConfigCrate::CAPABILITIES`] as a host does. Calls of other crates are recorded and
/// return `null`.
///
/// ```
/// # use pallet_core::prelude::*;
/// # struct Motd;
/// # impl ConfigCrate for Motd {
/// #     const NAME: &'static str = "motd";
/// #     const ABOUT: &'static str = "The message of the day";
/// #     fn functions() -> Vec<Function> { functions![message] }
/// # }
/// # parameters! {
/// #     /// Writes it.
/// #     struct Message {
/// #         /// What it says.
/// #         text: String
/// #     }
/// # }
/// # fn message(request: &mut Request, message: Message) -> Result<()> {
/// #     request.add(RemoteFile::content("/etc/motd", message.text))
/// # }
/// let mut motd = Recorder::<Motd>::on("debian 12");
/// motd.call("message", json!({"text": "hello\n"}))?;
/// assert_eq!(motd.declared(), ["remote_file /etc/motd"]);
/// assert_eq!(motd.actions()[0].arguments["content"], "hello\n");
/// # Ok::<(), PluginError>(())
/// ```
pub struct Recorder<C> {
    host: Arc<Host>,
    of: PhantomData<fn() -> C>,
}

/// An action that was declared.
#[derive(Debug, Clone)]
pub struct RecordedAction {
    /// Its name: `remote_file`.
    pub name: String,
    /// What it acts on: `/etc/motd`.
    pub subject: String,
    /// Its arguments.
    pub arguments: Value,
    /// Its options.
    pub options: Options,
}

struct Host {
    capabilities: Option<Capabilities>,
    target: Target,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    environment: Environment,
    admin_user: AdminUser,
    settings: BTreeMap<(String, String), Value>,
    actions: Vec<RecordedAction>,
    calls: Vec<CallFunction>,
    said: Vec<Log>,
}

impl<C: ConfigCrate> Recorder<C> {
    /// Records for a node with this system, such as `debian 12`: `node-1` of the group `group`.
    pub fn on(system: &str) -> Self {
        let target = Target {
            id: "node-1".into(),
            name: "node-1".into(),
            group: "group".into(),
            address: Some("192.0.2.1".into()),
            roles: Vec::new(),
            os: Os::named(system, "x86_64"),
            machine: Machine { hostname: "node-1".into(), ..Machine::default() },
            facts: BTreeMap::new(),
        };
        let capabilities = C::CAPABILITIES.map(Capabilities::from);
        Recorder {
            host: Arc::new(Host { capabilities, target, state: Mutex::default() }),
            of: PhantomData,
        }
    }

    /// Sets a value in the environment.
    pub fn environment(self, name: &str, value: impl Into<Value>) -> Self {
        self.host.state().environment.insert(name.to_owned(), value.into());
        self
    }

    /// Sets the admin user.
    pub fn admin_user(self, user: AdminUser) -> Self {
        self.host.state().admin_user = user;
        self
    }

    /// Sets the node's settings for a facility.
    pub fn settings(self, facility: &str, value: Value) -> Self {
        self.host
            .state()
            .settings
            .insert((self.host.target.id.clone(), facility.to_owned()), value);
        self
    }

    /// Calls a function with arguments, a JSON object. Fails if a function or a parameter of the
    /// crate has a name that nobody could write in pallet.star.
    pub fn call(
        &mut self,
        function: &str,
        arguments: impl Serialize,
    ) -> Result<Value, PluginError> {
        let arguments = serde_json::to_value(arguments)
            .map_err(|error| PluginError::new(ErrorKind::InvalidInput, error.to_string()))?;
        config_crate_manifest::<C>("0.0.0")
            .check_names()
            .map_err(|wrong| PluginError::new(ErrorKind::InvalidInput, wrong))?;
        config_crate_call::<C>(&mut Request::new(self.host.clone()), function, arguments)
    }

    /// The declared actions, in order, each as its name and subject: `remote_file /etc/motd`.
    pub fn declared(&self) -> Vec<String> {
        self.host
            .state()
            .actions
            .iter()
            .map(|action| format!("{} {}", action.name, action.subject))
            .collect()
    }

    /// The declared actions, in order.
    pub fn actions(&self) -> Vec<RecordedAction> {
        self.host.state().actions.clone()
    }

    /// The calls of other crates' functions, in order.
    pub fn calls(&self) -> Vec<CallFunction> {
        self.host.state().calls.clone()
    }

    /// The messages to the user, in order.
    pub fn said(&self) -> Vec<String> {
        self.host.state().said.iter().map(|log| log.message.clone()).collect()
    }

    /// The node's current settings for a facility.
    pub fn settings_now(&self, facility: &str) -> Option<Value> {
        self.host.state().settings.get(&(self.host.target.id.clone(), facility.to_owned())).cloned()
    }
}

impl Host {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, what: &str, needed: &Capabilities) -> Result<(), PluginError> {
        match self.capabilities.as_ref().and_then(|capabilities| capabilities.lacks(needed)) {
            Some(lacking) => Err(PluginError::new(
                ErrorKind::Denied,
                format!("{what} is not what the crate may do: {lacking}"),
            )
            .with_help("declare it in CAPABILITIES")),
            None => Ok(()),
        }
    }

    fn declare(&self, wanted: DeclareAction) -> Result<(), PluginError> {
        let entry = TABLE.iter().find(|entry| entry.name == wanted.action);
        let entry = entry.ok_or_else(|| {
            PluginError::new(
                ErrorKind::Unsupported,
                format!("there is no action `{}`", wanted.action),
            )
        })?;
        let action = (entry.parse)(wanted.arguments.clone())
            .map_err(|error| PluginError::new(ErrorKind::InvalidInput, error.to_string()))?;
        let takes = |name: &str| (entry.parameters)()["properties"].get(name).is_some();
        let checked = wanted.options.check(&wanted.action, takes);
        checked.map_err(|error| PluginError::new(ErrorKind::InvalidInput, error.to_string()))?;
        let subject = action.subject();
        self.check(&format!("{} {subject}", wanted.action), &action.needs())?;
        self.state().actions.push(RecordedAction {
            name: wanted.action,
            subject,
            arguments: wanted.arguments,
            options: wanted.options,
        });
        Ok(())
    }

    fn enter(&self, scope: &Scope) -> Result<(), PluginError> {
        let mut needed = Capabilities::default();
        scope.when.iter().chain(&scope.when_not).for_each(|command| needed.command(command));
        self.check("a condition", &needed)
    }

    fn set_settings(&self, wanted: SetSettings) -> Result<(), PluginError> {
        let Value::Object(value) = wanted.value else {
            return Err(PluginError::new(
                ErrorKind::InvalidInput,
                format!("settings for {} must be an object", wanted.facility),
            ));
        };
        let mut state = self.state();
        let there = state
            .settings
            .entry((self.target.id.clone(), wanted.facility))
            .or_insert_with(|| json!({}));
        if let Value::Object(there) = there {
            there.extend(value);
        }
        Ok(())
    }
}

impl RequestHost for Host {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        match operation {
            operation::ACTION => self.declare(read(operation, payload)?)?,
            operation::CALL => self.state().calls.push(read(operation, payload)?),
            operation::TARGET => return write(&self.target),
            operation::TARGETS => return write(&[&self.target]),
            operation::ENVIRONMENT => {
                return Ok(Value::Object(Map::clone(&self.state().environment)));
            }
            operation::ADMIN_USER => return write(&self.state().admin_user),
            operation::PHASE => return Ok("configure".into()),
            operation::GET_SETTINGS => {
                let wanted: GetSettings = read(operation, payload)?;
                let node = wanted.node.unwrap_or_else(|| self.target.id.clone());
                return Ok(self
                    .state()
                    .settings
                    .get(&(node, wanted.facility))
                    .cloned()
                    .unwrap_or_default());
            }
            operation::SET_SETTINGS => self.set_settings(read(operation, payload)?)?,
            operation::ENTER_SCOPE => self.enter(&read(operation, payload)?)?,
            operation::ENTER_BLOCK => {
                let _: Block = read(operation, payload)?;
            }
            operation::LEAVE_SCOPE => {}
            operation::DETAILS => return write(&Details::default()),
            operation::LOG => self.state().said.push(read(operation, payload)?),
            _ => {
                return Err(PluginError::new(
                    ErrorKind::Unsupported,
                    format!("the recorder has no operation `{operation}`"),
                ));
            }
        }
        Ok(Value::Null)
    }
}

fn read<T: DeserializeOwned>(operation: &str, payload: Value) -> Result<T, PluginError> {
    serde_json::from_value(payload)
        .map_err(|error| PluginError::new(ErrorKind::InvalidInput, format!("{operation}: {error}")))
}

fn write(value: &impl Serialize) -> Result<Value, PluginError> {
    serde_json::to_value(value)
        .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{PackageManager, RemoteFile};
    use crate::model::Patterns;
    use crate::plugin::Function;
    use serde_json::json;

    struct Motd;

    impl ConfigCrate for Motd {
        const NAME: &'static str = "motd";
        const ABOUT: &'static str = "The message of the day";
        const CAPABILITIES: Option<Capabilities<Patterns>> =
            Some(Capabilities { paths: &["/etc/motd"], ..Capabilities::NOTHING });

        fn functions() -> Vec<Function> {
            vec![Function::new("message", message), Function::new("upgrade", upgrade)]
        }
    }

    fn message(request: &mut Request, path: Value) -> anyhow::Result<()> {
        let name = request.target()?.name;
        request.set_settings("motd", json!({"last": name}))?;
        request.warn("it is seen by all")?;
        request.call("other", "function", json!({}))?;
        request.add(RemoteFile::content(path["path"].as_str().unwrap_or_default(), name))
    }

    fn upgrade(request: &mut Request, _: Value) -> anyhow::Result<()> {
        request.add(PackageManager::upgrade())
    }

    #[test]
    fn what_a_function_does_is_recorded() {
        let mut motd = Recorder::<Motd>::on("debian 12");
        motd.call("message", json!({"path": "/etc/motd"})).unwrap();
        assert_eq!(motd.declared(), ["remote_file /etc/motd"]);
        assert_eq!(motd.actions()[0].arguments["content"], "node-1");
        assert_eq!(motd.settings_now("motd"), Some(json!({"last": "node-1"})));
        assert_eq!(
            (motd.calls()[0].config_crate.as_str(), motd.said()),
            ("other", vec!["it is seen by all".to_owned()])
        );
    }

    struct Unwritable;

    impl ConfigCrate for Unwritable {
        const NAME: &'static str = "unwritable";
        const ABOUT: &'static str = "A function that nobody could call";

        fn functions() -> Vec<Function> {
            vec![Function::new("upgrade", upgrade), Function::new("load", upgrade)]
        }
    }

    #[test]
    fn a_name_that_nobody_could_write_is_refused() {
        let error = Recorder::<Unwritable>::on("debian 12").call("upgrade", json!({})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.to_string().contains("the function `load` has a name"), "{error}");
    }

    #[test]
    fn what_a_crate_does_not_declare_is_refused() {
        let mut motd = Recorder::<Motd>::on("debian 12");
        let error = motd.call("message", json!({"path": "/etc/issue"})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(
            error.to_string().contains("/etc/issue") && error.to_string().contains("CAPABILITIES"),
            "{error}"
        );
        assert_eq!(motd.call("upgrade", json!({})).unwrap_err().kind, ErrorKind::Denied);
        assert_eq!(motd.call("none", json!({})).unwrap_err().kind, ErrorKind::NotFound);
    }
}
