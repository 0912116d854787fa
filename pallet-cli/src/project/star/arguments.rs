//! The arguments of a call, and the functions that a session provides.

use std::fmt;

use serde_json::{Map, Value as Json};
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::signature::Signature;

/// The implementation of a session's function.
pub(crate) trait SessionFunction: fmt::Debug + Send + Sync {
    /// Calls the function.
    fn call<'v>(
        &self,
        signature: &Signature,
        bound: BoundArguments<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>>;
}

/// The checked arguments of one call.
pub(crate) struct BoundArguments<'v> {
    /// The plain data, by parameter name.
    pub(crate) data: Map<String, Json>,
    /// The other values, by parameter name.
    pub(crate) values: Vec<(String, Value<'v>)>,
    /// Phase functions that were given as keywords.
    pub(crate) phases: Vec<(String, Value<'v>)>,
}

impl<'v> BoundArguments<'v> {
    /// The value of a parameter that does not take plain data.
    pub(crate) fn value(&self, name: &str) -> Option<Value<'v>> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}
