//! An entry in the table of actions.

use serde_json::Value;

use super::{Action, ActionError, AnyAction};

/// An entry in the table of actions: a name, the schema of the parameters, and a constructor from
/// JSON arguments.
#[derive(Debug, Clone, Copy)]
pub struct ActionEntry {
    /// See [`Action::NAME`].
    pub name: &'static str,
    /// The JSON schema of the parameters; its `description` is the action's documentation.
    pub parameters: fn() -> Value,
    /// Builds an action from its arguments.
    pub parse: fn(Value) -> Result<Box<dyn AnyAction>, ActionError>,
}

impl ActionEntry {
    /// The entry of an action.
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
