//! The trait that every action implements, and a trait object for any action.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ActionError, Change, Claims, Reboot, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Something that a node should have. The doc comment of the type is its documentation; those of
/// its fields document its parameters.
///
/// The law that its tests check on real nodes: after its change was applied, an observation returns
/// exactly the state that `plan` predicted, and planning again returns no change.
pub trait Action:
    Debug + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// The name by which functions call it: `remote_file`.
    const NAME: &'static str;

    /// Names this instance in output: `/etc/motd`.
    fn subject(&self) -> String;

    /// Checks the arguments and reads the local files that they refer to, when the action is
    /// declared.
    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        Ok(())
    }

    /// The capabilities that a crate needs for it, from its arguments alone: every path, package,
    /// service, user, command, host and local file that it reads or changes. Checking whether
    /// something exists needs no capability.
    fn needs(&self, needed: &mut Capabilities);

    /// Its claims on the node, from its arguments alone. If another action of the same phase claims
    /// the opposite, each would undo the other in every run, so the declaration is refused.
    fn claims(&self, _claims: &mut Claims) {}

    /// Whether it only waits for something, and never changes anything itself.
    fn only_waits(&self) -> bool {
        false
    }

    /// The reboot that its change makes, if it makes one: its script must end before the node goes
    /// down. What follows runs when the node is back.
    fn reboots(&self) -> Option<Reboot> {
        None
    }

    /// Asks for the state that must be known before this can be planned.
    fn observe(&self, wanted: &mut Observation);

    /// The change to make; updates `node` to the state after it. `None` if there is nothing to do.
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError>;
}

/// An action of any type: a built-in one, or a program's own.
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
    /// See [`Action::only_waits`].
    fn only_waits(&self) -> bool;
    /// See [`Action::reboots`].
    fn reboots(&self) -> Option<Reboot>;
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
    fn only_waits(&self) -> bool {
        Action::only_waits(self)
    }
    fn reboots(&self) -> Option<Reboot> {
        Action::reboots(self)
    }
    fn observe(&self, wanted: &mut Observation) {
        Action::observe(self, wanted)
    }
    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        Action::plan(self, node)
    }
}
