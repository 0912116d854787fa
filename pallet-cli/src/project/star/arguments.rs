//! The arguments of a call, and the functions that a session adds.

use std::fmt;

use serde_json::{Map, Value as Json};
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::signature::Signature;

/// What a function of a session does.
pub(crate) trait SessionFunction: fmt::Debug + Send + Sync {
    /// Does it.
    fn call<'v>(
        &self,
        signature: &Signature,
        bound: BoundArguments<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>>;
}

/// The arguments of one call, checked.
pub(crate) struct BoundArguments<'v> {
    /// The plain data, by the names of the parameters.
    pub(crate) data: Map<String, Json>,
    /// The other values, by the names of the parameters.
    pub(crate) values: Vec<(String, Value<'v>)>,
    /// The functions that were given as phases by keyword.
    pub(crate) phases: Vec<(String, Value<'v>)>,
}

impl<'v> BoundArguments<'v> {
    /// The value of a parameter that takes no plain data.
    pub(crate) fn value(&self, name: &str) -> Option<Value<'v>> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}
