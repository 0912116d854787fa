//! A table of plain data whose keys are also attributes: `request.environment.proxy`.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::fmt;

use allocative::Allocative;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};
use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder, MethodsStatic};
use starlark::values::none::NoneType;
use starlark::values::{
    Heap, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};

use super::function_error::FunctionError;
use super::plain_data::to_json;
use crate::diagnostic::did_you_mean_or_list;

/// The environment's name in messages.
pub(crate) const ENVIRONMENT: &str = "the environment";

/// The facts' name in messages.
pub(crate) const FACTS: &str = "request.facts";

/// The message about a missing key.
pub(crate) fn no_key(table: &str, key: &str) -> String {
    format!("{table} has no key `{key}`")
}

/// How to set an environment value.
pub(crate) fn how_to_set(key: &str) -> String {
    format!("set it in [environment] of pallet.toml, or with `--env {key}=VALUE`")
}

/// How to declare a fact.
pub(crate) fn how_to_declare(key: &str) -> String {
    format!("declare it at the spec: `facts = [fact({key:?}, \"COMMAND\")]`")
}

/// The table.
#[derive(Debug, Clone, ProvidesStaticType, Allocative, StarlarkPagablePanic)]
pub(crate) struct TableValue {
    /// Its name in messages.
    name: String,
    #[allocative(skip)]
    values: Map<String, Json>,
}

starlark_simple_value!(TableValue);

impl TableValue {
    /// A table that messages call `name`.
    pub(crate) fn new(name: &str, values: Map<String, Json>) -> Self {
        TableValue { name: name.to_owned(), values }
    }

    /// The table that this value is.
    pub(crate) fn of(value: Value<'_>) -> Option<&TableValue> {
        value.downcast_ref::<TableValue>()
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its keys and values.
    pub(crate) fn values(&self) -> &Map<String, Json> {
        &self.values
    }

    /// The value of a key.
    pub(crate) fn item<'v>(&self, key: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.values.get(key).map(|value| match value {
            Json::Object(table) => {
                heap.alloc(TableValue::new(&format!("{}'s `{key}`", self.name), table.clone()))
            }
            Json::Array(rows) if !rows.is_empty() && rows.iter().all(Json::is_object) => {
                let rows = rows.iter().filter_map(Json::as_object);
                heap.alloc(
                    rows.map(|row| {
                        TableValue::new(&format!("one of {}'s `{key}`", self.name), row.clone())
                    })
                    .collect::<Vec<_>>(),
                )
            }
            value => heap.alloc(value),
        })
    }

    /// The suggestion for a missing key.
    fn instead_of(&self, key: &str) -> Option<String> {
        let near = did_you_mean_or_list(key, &self.keys(), "there are");
        let how = || match self.name.as_str() {
            ENVIRONMENT => Some(how_to_set(key)),
            FACTS => Some(how_to_declare(key)),
            _ => None,
        };
        near.or_else(how)
    }

    fn keys(&self) -> Vec<&str> {
        self.values.keys().map(String::as_str).collect()
    }
}

impl fmt::Display for TableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Json::Object(self.values.clone()))
    }
}

impl Serialize for TableValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

#[starlark_value(type = "table")]
impl<'v> StarlarkValue<'v> for TableValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.item(attribute, heap)
    }

    fn dir_attr(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let key = index.unpack_str_err()?;
        match self.item(key, heap) {
            Some(value) => Ok(value),
            None => {
                Err(FunctionError::new(no_key(&self.name, key)).help(self.instead_of(key)).into())
            }
        }
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.unpack_str().is_some_and(|key| self.values.contains_key(key)))
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.values.len()).unwrap_or(i32::MAX))
    }

    fn to_bool(&self) -> bool {
        !self.values.is_empty()
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.values.keys().map(|key| heap.alloc(key.as_str())).collect())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(match other.downcast_ref::<TableValue>() {
            Some(other) => other.values == self.values,
            None => to_json(other).is_ok_and(|other| other == Json::Object(self.values.clone())),
        })
    }

    fn get_methods() -> Option<&'static Methods> {
        static METHODS: MethodsStatic = MethodsStatic::new("table", methods);
        Some(METHODS.methods())
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The value of a key, or `default`.
    fn get<'v>(
        this: &TableValue,
        key: &str,
        #[starlark(default = NoneType)] default: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(this.item(key, heap).unwrap_or(default))
    }

    /// The keys.
    fn keys<'v>(this: &TableValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(TableValue::keys(this)))
    }

    /// The pairs of keys and values.
    fn items<'v>(this: &TableValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let items: Vec<(&str, Option<Value<'v>>)> =
            this.values.keys().map(|key| (key.as_str(), this.item(key, heap))).collect();
        let items: Vec<Value<'v>> = items
            .into_iter()
            .map(|(key, value)| heap.alloc((key, value.unwrap_or_else(Value::new_none))))
            .collect();
        Ok(heap.alloc(items))
    }
}
