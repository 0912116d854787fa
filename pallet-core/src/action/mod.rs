//! Actions: what a phase function asks for. One action a file, each a pure function of its
//! arguments and what is known of the node.
//!
//! To add one, copy a neighbour of about 100 lines and add its line to the table at the end of this
//! file.

mod builders;
mod change;
#[cfg(any(test, feature = "host"))]
pub mod check;
mod claims;
mod declared;
mod download;
mod edit;
mod ere;
mod error;
mod file_support;
mod fold;
mod guard;
#[cfg(test)]
mod law;
mod order;
mod ownership;
mod package_file;
mod package_support;
mod text;
mod text_block;
mod wait;

pub use change::{Certainty, Change, Upload, UploadSource};
pub use claims::{Claimed, Claims};
pub use declared::{Condition, Declared, Options, Shown, SourceLocation};
pub use error::ActionError;
pub use file_support::Existence;
pub use fold::{Flags, Skipped, Step, observation, plan, plan_watched};
pub use order::order;

use std::fmt::Debug;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Capabilities, NodeState, Observation};

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

/// What actions may read of this machine while they are prepared.
pub trait Workspace {
    /// The whole content of a file of the project.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError>;
    /// The SHA-256 digest (hexadecimal) and the size in bytes of a file of the project, and its
    /// absolute path.
    fn digest(&self, path: &Path) -> Result<(String, u64, std::path::PathBuf), ActionError>;
    /// What is in a directory of the project, and below: in order, each directory before what is in
    /// it. Links are followed.
    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError>;
    /// A template's text with values filled in. `name` is for its errors.
    fn render(&self, name: &str, template: &str, values: &Value) -> Result<String, ActionError>;
}

/// A file or a directory in a directory of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where, from the listed directory: `assets/logo.svg`.
    pub path: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether its owner may execute it.
    pub executable: bool,
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

macro_rules! actions {
    ($($module:ident::$action:ident,)*) => {
        $(pub mod $module; pub use $module::$action;)*

        /// Every action there is, by name.
        pub const TABLE: &[ActionEntry] = &[$(ActionEntry::of::<$action>(),)*];
    };
}

actions! {
    add_rpm::AddRpm,
    authorized_key::AuthorizedKey,
    cron::Cron,
    debconf_set_selections::DebconfSetSelections,
    directory::Directory,
    exec::Exec,
    exec_checked_script::ExecCheckedScript,
    exec_script::ExecScript,
    fifo::Fifo,
    file::File,
    git_checkout::GitCheckout,
    group::Group,
    hostname::Hostname,
    ini_setting::IniSetting,
    install_deb::InstallDeb,
    line_in_file::LineInFile,
    minimal_packages::MinimalPackages,
    mount::Mount,
    package::Package,
    package_manager::PackageManager,
    package_repository::PackageRepository,
    package_source::PackageSource,
    packages::Packages,
    remote_directory::RemoteDirectory,
    remote_file::RemoteFile,
    retry::Retry,
    rsync::Rsync,
    sed::Sed,
    service::Service,
    service_script::ServiceScript,
    symbolic_link::SymbolicLink,
    sysctl::Sysctl,
    user::User,
    wait_for_file::WaitForFile,
    wait_for_http::WaitForHttp,
    wait_for_port::WaitForPort,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_action_and_each_of_its_parameters_is_documented() {
        for entry in TABLE {
            let schema = (entry.parameters)();
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(
                text.contains(&format!("Example: `{}(request, ", entry.name)),
                "{}: {text}",
                entry.name
            );
            let parameters = schema["properties"].as_object().expect("it has parameters");
            for (name, parameter) in parameters {
                assert!(
                    parameter["description"].is_string(),
                    "{}: {name}: {parameter}",
                    entry.name
                );
            }
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let first: Vec<Value> =
                parameters.keys().take(required.len()).map(|name| json!(name)).collect();
            assert_eq!(first, required, "{}: what is required comes first", entry.name);
        }
    }

    #[test]
    fn arguments_that_no_action_has_are_refused() {
        for entry in TABLE {
            let error = (entry.parse)(json!({"no_such_parameter": 1})).expect_err("there is none");
            assert!(error.to_string().starts_with(&format!("{}: ", entry.name)), "{error}");
            assert!(error.to_string().contains("no_such_parameter"), "{error}");
        }
        let motd =
            (TABLE.iter().find(|entry| entry.name == "remote_file").expect("there is one").parse)(
                json!({"path": "/etc/motd", "content": "x"}),
            );
        assert_eq!(motd.expect("the arguments are right").subject(), "/etc/motd");
    }
}
