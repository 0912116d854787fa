//! Helpers for the tests of actions: a node in a few words, and a plan as text.

use crate::model::{Os, OsFamily, PackageManager, ServiceManager};
use crate::observe::{
    Attributes, CommandState, FileState, GroupState, NodeState, PackageState, Reading,
    ServiceState, UserState,
};

use super::{Action, Certainty, Workspace};

/// A Debian 12 node with unknown state.
pub fn node() -> NodeBuilder {
    NodeBuilder(NodeState::new(Os {
        id: "debian".into(),
        version: "12".into(),
        family: OsFamily::Debian,
        arch: "x86_64".into(),
        package_manager: PackageManager::Apt,
        service_manager: ServiceManager::Systemd,
    }))
}

/// Builds the state of a node step by step.
#[derive(Debug, Clone)]
pub struct NodeBuilder(pub NodeState);

impl NodeBuilder {
    /// Nothing exists at `path`.
    pub fn without_file(mut self, path: &str) -> Self {
        self.0.set_file(path, FileState::Absent);
        self
    }

    /// A directory of root exists at `path`.
    pub fn directory(mut self, path: &str, mode: u32) -> Self {
        self.0.set_file(path, FileState::Directory(of_root(mode)));
        self
    }

    /// A file of root exists at `path`.
    pub fn file(mut self, path: &str, content: &str, mode: u32) -> Self {
        let digest = Some(crate::model::digest(content.as_bytes()));
        self.0.set_file(
            path,
            FileState::File { digest, text: Some(content.into()), attributes: of_root(mode) },
        );
        self
    }

    /// A named pipe of root exists at `path`.
    pub fn fifo(mut self, path: &str, mode: u32) -> Self {
        self.0.set_file(path, FileState::Fifo(of_root(mode)));
        self
    }

    /// A link exists at `path`.
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.0.set_file(path, FileState::Link { target: target.into() });
        self
    }

    /// The package is not installed.
    pub fn without_package(mut self, name: &str) -> Self {
        self.0.set_package(name, PackageState::Absent);
        self
    }

    /// The package was removed, but its configuration files remain.
    pub fn removed_package(mut self, name: &str) -> Self {
        self.0.set_package(name, PackageState::Removed);
        self
    }

    /// The package is installed.
    pub fn package(mut self, name: &str, version: &str) -> Self {
        self.0.set_package(name, PackageState::Installed { version: Some(version.into()) });
        self
    }

    /// The service has this state.
    pub fn service(mut self, name: &str, running: bool, enabled: bool) -> Self {
        self.0.set_service(
            name,
            ServiceState { exists: true, running, enabled: Some(enabled), masked: false },
        );
        self
    }

    /// The service does not exist.
    pub fn without_service(mut self, name: &str) -> Self {
        self.0.set_service(
            name,
            ServiceState { exists: false, running: false, enabled: None, masked: false },
        );
        self
    }

    /// The user does not exist.
    pub fn without_user(mut self, name: &str) -> Self {
        self.0.set_user(name, None);
        self
    }

    /// The user exists.
    pub fn user(mut self, name: &str, state: UserState) -> Self {
        self.0.set_user(name, Some(state));
        self
    }

    /// The group does not exist.
    pub fn without_group(mut self, name: &str) -> Self {
        self.0.set_group(name, None);
        self
    }

    /// The group exists.
    pub fn group(mut self, name: &str, gid: u32) -> Self {
        self.0.set_group(name, Some(GroupState { gid: Some(gid) }));
        self
    }

    /// The command exits with this code.
    pub fn command(mut self, script: &str, exit: i32) -> Self {
        self.0.set_command(script, CommandState { exit });
        self
    }

    /// Pallet last wrote this content to the file.
    pub fn written(mut self, path: &str, content: &str) -> Self {
        self.0.set_written(path, Some(&crate::model::digest(content.as_bytes())));
        self
    }

    /// The command exits with this code and prints this output.
    pub fn reading(mut self, script: &str, exit: i32, output: &str) -> Self {
        self.0.set_reading(script, Reading { exit, output: output.into(), of: None });
        self
    }

    /// Changes by hand are overwritten.
    pub fn overwrite_changes(mut self) -> Self {
        self.0.overwrite_changes = true;
        self
    }

    /// The package lists have this age, in seconds.
    pub fn package_lists_age(mut self, seconds: Option<u64>) -> Self {
        self.0.set_package_lists_age(seconds);
        self
    }

    /// The node has this service manager.
    pub fn service_manager(mut self, manager: ServiceManager) -> Self {
        self.0.os.service_manager = manager;
        self
    }

    /// The node has this system.
    pub fn os(mut self, id: &str, family: OsFamily, manager: PackageManager) -> Self {
        self.0.os.id = id.into();
        self.0.os.family = family;
        self.0.os.package_manager = manager;
        self
    }
}

fn of_root(mode: u32) -> Attributes {
    Attributes { owner: Some("root".into()), group: Some("root".into()), mode: Some(mode) }
}

/// Plans `action` on a node as text: certainty and summary, the diff, and the script behind `---`.
pub fn planned<A: Action>(mut action: A, node: NodeBuilder) -> String {
    if let Err(error) = action.prepare(&NoWorkspace) {
        return format!("error: {error}");
    }
    let mut state = node.0;
    let change = match action.plan(&mut state) {
        Err(error) => return format!("error: {error}"),
        Ok(None) => return "nothing to do".to_owned(),
        Ok(Some(change)) => change,
    };
    let certainty = match change.certainty {
        Certainty::Will => "will",
        Certainty::May => "may",
        Certainty::Drifted => "drifted",
    };
    format!("{certainty} {}\n{}---\n{}", change.summary, change.diff, change.script.as_str())
}

/// Compares [`planned`] with what a test expects.
#[cfg(test)]
pub(crate) fn check<A: Action>(action: A, node: NodeBuilder, expected: expect_test::Expect) {
    expected.assert_eq(&planned(action, node));
}

/// A workspace without files, for tests.
#[derive(Debug)]
pub struct NoWorkspace;

impl Workspace for NoWorkspace {
    fn read(&self, path: &std::path::Path) -> Result<Vec<u8>, super::ActionError> {
        Err(super::ActionError::node(format!("there is no file {}", path.display())))
    }
    fn digest(
        &self,
        path: &std::path::Path,
    ) -> Result<(String, u64, std::path::PathBuf), super::ActionError> {
        Err(super::ActionError::node(format!("there is no file {}", path.display())))
    }
    fn list(&self, path: &std::path::Path) -> Result<Vec<super::Listed>, super::ActionError> {
        Err(super::ActionError::node(format!("there is no directory {}", path.display())))
    }
    fn render(
        &self,
        _name: &str,
        template: &str,
        _values: &serde_json::Value,
    ) -> Result<String, super::ActionError> {
        Ok(template.to_owned())
    }
}
