//! What every action implements, and an action whose type is not known.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Something that a node should be made to have. The doc comment of the type is its documentation,
/// those of its fields are its parameters'.
///
/// The law that its tests check on real nodes: after its change has been applied, observing gives
/// exactly the state that `plan` predicted, and planning again gives no change.
pub trait Action:
    Debug + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// The name that functions call it by: `remote_file`.
    const NAME: &'static str;

    /// Names this one in a line of output: `/etc/motd`.
    fn subject(&self) -> String;

    /// Checks the arguments and takes in what they refer to on this machine, when the action is
    /// declared.
    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        Ok(())
    }

    /// What it needs of what a crate may do, from its arguments alone: every path, package,
    /// service, user, command, host and local file that it reads or changes. What only looks
    /// whether something is there needs nothing.
    fn needs(&self, needed: &mut Capabilities);

    /// What it claims of the node, from its arguments alone: where another action of the same phase
    /// claims the contrary, each would undo the other in every run, so that is refused where it is
    /// declared.
    fn claims(&self, _claims: &mut Claims) {}

    /// What must be known of the node before this can be planned.
    fn observe(&self, wanted: &mut Observation);

    /// The change to make, with `node` brought to what will then be true; `None` if there is
    /// nothing to do.
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError>;
}

/// An action whose type is not known here: one of the table, or one of a program's own.
pub trait AnyAction: Debug + Send + Sync {
    /// See [`Action::NAME`].
    fn name(&self) -> &'static str;
    /// See [`Action::subject`].
    fn subject(&self) -> String;
    /// See [`Action::prepare`].
    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError>;
    /// See [`Action::needs`].
    fn needs(&self) -> Capabilities;
    /// See [`Action::claims`].
    fn claims(&self, claims: &mut Claims);
    /// See [`Action::observe`].
    fn observe(&self, wanted: &mut Observation);
    /// See [`Action::plan`].
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError>;
}

impl<A: Action> AnyAction for A {
    fn name(&self) -> &'static str {
        A::NAME
    }
    fn subject(&self) -> String {
        Action::subject(self)
    }
    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        Action::prepare(self, workspace)
    }
    fn needs(&self) -> Capabilities {
        let mut needed = Capabilities::default();
        Action::needs(self, &mut needed);
        needed
    }
    fn claims(&self, claims: &mut Claims) {
        Action::claims(self, claims)
    }
    fn observe(&self, wanted: &mut Observation) {
        Action::observe(self, wanted)
    }
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        Action::plan(self, node)
    }
}
