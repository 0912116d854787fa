//! An entry of the table of actions.

use serde_json::Value;

use super::{Action, ActionError, AnyAction};

/// One line of the table of actions: a name, the schema of its parameters, and how to make one from
/// JSON arguments.
#[derive(Debug, Clone, Copy)]
pub struct ActionEntry {
    /// See [`Action::NAME`].
    pub name: &'static str,
    /// The JSON schema of the parameters; its `description` is the action's documentation.
    pub parameters: fn() -> Value,
    /// Makes one of its arguments.
    pub parse: fn(Value) -> Result<Box<dyn AnyAction>, ActionError>,
}

impl ActionEntry {
    /// The entry of one action.
    pub const fn of<A: Action>() -> Self {
        ActionEntry {
            name: A::NAME,
            parameters: || schemars::schema_for!(A).to_value(),
            parse: |arguments| match serde_json::from_value::<A>(arguments) {
                Ok(action) => Ok(Box::new(action)),
                Err(error) => Err(ActionError::arguments(A::NAME, error.to_string())),
            },
        }
    }
}
