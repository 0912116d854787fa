//! The request that phase functions get.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::fmt;

use allocative::Allocative;
use pallet_core::model::Target;
use pallet_core::plugin::operation::{self, GetSettings, Log, SetSettings};
use pallet_core::plugin::{ErrorKind, PluginError, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder, MethodsStatic};
use starlark::values::dict::UnpackDictEntries;
use starlark::values::none::NoneType;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

use super::function_error::FunctionError;
use super::plain_data::{describe, to_json};
use super::table::{ENVIRONMENT, FACTS, TableValue};
use super::target::TargetValue;

/// The request of a phase function.
#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct RequestValue {
    #[allocative(skip)]
    pub(crate) request: Request,
}

starlark_simple_value!(RequestValue);

/// The attributes of a request.
pub(crate) const ATTRIBUTES: &[&str] = &[
    "target",
    "targets",
    "facts",
    "environment",
    "admin_user",
    "phase",
    "settings",
    "set_settings",
    "targets_with_role",
    "targets_in_group",
    "warn",
];

impl RequestValue {
    fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        payload: impl Serialize,
    ) -> starlark::Result<T> {
        let payload = serde_json::to_value(payload).map_err(anyhow::Error::new)?;
        let answer = self.request.invoke(operation, payload).map_err(FunctionError::from)?;
        let wrong =
            |error| PluginError::new(ErrorKind::Failed, format!("request: {operation}: {error}"));
        Ok(serde_json::from_value(answer).map_err(wrong).map_err(FunctionError::from)?)
    }

    fn alloc<'v>(&self, target: Target, heap: Heap<'v>) -> Value<'v> {
        heap.alloc(TargetValue::new(target, self.request.clone()))
    }

    fn matching<'v>(
        &self,
        heap: Heap<'v>,
        wanted: impl Fn(&Target) -> bool,
    ) -> starlark::Result<Value<'v>> {
        let targets: Vec<Target> = self.ask(operation::TARGETS, Json::Null)?;
        let values: Vec<Value<'v>> = targets
            .into_iter()
            .filter(|one| wanted(one))
            .map(|one| self.alloc(one, heap))
            .collect();
        Ok(heap.alloc(values))
    }
}

impl fmt::Debug for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request")
    }
}

impl fmt::Display for RequestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request")
    }
}

#[starlark_value(type = "request")]
impl<'v> StarlarkValue<'v> for RequestValue {
    fn get_methods() -> Option<&'static Methods> {
        static METHODS: MethodsStatic = MethodsStatic::new("request", methods);
        Some(METHODS.methods())
    }
}

/// The ID of a node that a function names: by its target, its ID or its name.
pub(crate) fn node_id(node: Value<'_>) -> Result<Option<String>, FunctionError> {
    if node.is_none() {
        return Ok(None);
    }
    match TargetValue::id_of(node).or_else(|| node.unpack_str()) {
        Some(id) => Ok(Some(id.to_owned())),
        None => Err(FunctionError::new(format!(
            "`node` must be a node, its name or its ID, not {}",
            describe(node)
        ))),
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The node that is configured: its name, group, address and roles, its system, and what is
    /// known of the machine.
    ///
    /// Attributes from `boot_time` on are read from the node only if a function uses them. Pallet
    /// remembers that, so that it takes one more round trip once. On a node that does not exist
    /// yet, what is unknown is empty, 0 or `None`.
    #[starlark(attribute)]
    fn target<'v>(this: &RequestValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let one: Target = this.ask(operation::TARGET, Json::Null)?;
        Ok(this.alloc(one, heap))
    }

    /// The project's own facts of the node, as the function `fact` declares them:
    /// `request.facts.gpu`.
    #[starlark(attribute)]
    fn facts<'v>(this: &RequestValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let one: Target = this.ask(operation::TARGET, Json::Null)?;
        Ok(heap.alloc(TableValue::new(FACTS, one.facts.into_iter().collect())))
    }

    /// All nodes of the project, as a list of targets. Nodes that the operation does not configure
    /// are in it too, also unreachable ones.
    #[starlark(attribute)]
    fn targets<'v>(this: &RequestValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        this.matching(heap, |_| true)
    }

    /// The environment: values from configuration files and the command line, such as
    /// `request.environment.proxy`.
    ///
    /// Scopes, later ones winning: `[environment]` of `~/.config/pallet/config.toml`, `environment`
    /// of the service in use, `[environment]` of `pallet.toml`, `--env KEY=VALUE`. Tables are
    /// merged key by key. `request.environment.get("proxy")` gives `None` where a value is missing;
    /// `request.environment.proxy` is then an error.
    #[starlark(attribute)]
    fn environment<'v>(this: &RequestValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let environment: Map<String, Json> = this.ask(operation::ENVIRONMENT, Json::Null)?;
        Ok(heap.alloc(TableValue::new(ENVIRONMENT, environment)))
    }

    /// The admin user, as `[admin_user]` of `pallet.toml` configures it: `name`, `public_keys` and
    /// `no_sudo`.
    #[starlark(attribute)]
    fn admin_user<'v>(this: &RequestValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let user: Map<String, Json> = this.ask(operation::ADMIN_USER, Json::Null)?;
        Ok(heap.alloc(TableValue::new("the admin user", user)))
    }

    /// The name of the phase that is running: `configure`.
    #[starlark(attribute)]
    fn phase(this: &RequestValue) -> starlark::Result<String> {
        this.ask(operation::PHASE, Json::Null)
    }

    /// Settings of a node for a facility: a dict, or `None` if nothing was set.
    ///
    /// Example: `port = request.settings("app")["port"]`
    ///
    /// # Arguments
    /// * `facility`: The name under which they were set.
    /// * `node`: The node whose settings to read. Default: the node that is configured.
    fn settings<'v>(
        this: &RequestValue,
        facility: &str,
        #[starlark(default = NoneType)] node: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let settings: Json = this.ask(
            operation::GET_SETTINGS,
            GetSettings { node: node_id(node)?, facility: facility.to_owned() },
        )?;
        Ok(heap.alloc(settings))
    }

    /// Sets settings of this node for a facility, for its own and all other nodes' functions to
    /// read. Keys that were set before stay unless they are given again. Values are plain data.
    ///
    /// Call it in the phase `settings`, which runs for all nodes before any other phase.
    ///
    /// Example: `request.set_settings("app", port = 8080)`
    ///
    /// # Arguments
    /// * `facility`: The name to set them under.
    /// * `settings`: The settings as a dict; keywords set single keys.
    fn set_settings<'v>(
        this: &RequestValue,
        facility: &str,
        #[starlark(default = NoneType)] settings: Value<'v>,
        #[starlark(kwargs)] more: UnpackDictEntries<String, Value<'v>>,
    ) -> starlark::Result<NoneType> {
        let mut value = match to_json(settings) {
            Ok(Json::Object(value)) => value,
            Ok(Json::Null) => Map::new(),
            _ => {
                let message = format!(
                    "request.set_settings: the settings must be a dict, not {}",
                    describe(settings)
                );
                return Err(FunctionError::new(message).into());
            }
        };
        for (key, item) in more.entries {
            let item = to_json(item).map_err(|complaint| {
                FunctionError::new(format!("request.set_settings: `{key}` {complaint}"))
            })?;
            value.insert(key, item);
        }
        let _: Json = this.ask(
            operation::SET_SETTINGS,
            SetSettings { facility: facility.to_owned(), value: Json::Object(value) },
        )?;
        Ok(NoneType)
    }

    /// The nodes of the project whose group has a role, as a list of targets.
    ///
    /// # Arguments
    /// * `role`: The role.
    fn targets_with_role<'v>(
        this: &RequestValue,
        role: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        this.matching(heap, |target| target.roles.iter().any(|one| one == role))
    }

    /// The nodes of a group, as a list of targets.
    ///
    /// Example: `backends = [node.address for node in request.targets_in_group("web")]`
    ///
    /// # Arguments
    /// * `name`: The name of the group.
    fn targets_in_group<'v>(
        this: &RequestValue,
        name: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        this.matching(heap, |target| target.group == name)
    }

    /// Prints a warning to the user.
    ///
    /// # Arguments
    /// * `message`: The text.
    fn warn(this: &RequestValue, message: &str) -> starlark::Result<NoneType> {
        let _: Json =
            this.ask(operation::LOG, Log { level: "warning".into(), message: message.to_owned() })?;
        Ok(NoneType)
    }
}
