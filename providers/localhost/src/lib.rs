//! This machine as the only node.
#![forbid(unsafe_code)]

mod memory;
mod options;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use pallet_core::prelude::*;

use memory::Role;
use options::Options;

/// The id of the only node.
const ID: &str = "localhost";

/// A configured service.
struct Localhost {
    options: Options,
    memory: PathBuf,
}

impl Provider for Localhost {
    const NAME: &'static str = "localhost";
    const ABOUT: &'static str = "This machine itself, as the only node";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        if let Some(group) = options.group.as_ref().filter(|group| !is_host_name(group)) {
            let message =
                format!("services.{}: `{group}` cannot be the name of a group", context.service);
            return Err(PluginError::invalid_input(message).into());
        }
        Ok(Localhost { options, memory: memory::file(&context) })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.role()?.as_ref().map(node).into_iter().collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let mut role = self.role()?;
        let mut outcomes = Vec::new();
        for name in &wanted.names {
            let asked =
                Role { group: wanted.group.clone(), name: name.clone(), created: unix_time() };
            let fits = match &role {
                Some(role) => role.group == asked.group && role.name == asked.name,
                None => is_host_name(name),
            };
            if !fits {
                outcomes.push(Created::Failed(refusal(&asked, role.as_ref())));
                continue;
            }
            let now = role.get_or_insert(asked);
            if self.options.group.is_none() {
                memory::write(&self.memory, now)?;
            }
            outcomes.push(Created::Node(Box::new(node(now))));
        }
        Ok(outcomes)
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        if ids.iter().any(|id| id == ID) { memory::forget(&self.memory) } else { Ok(()) }
    }

    fn clean_up(&self) -> Result<()> {
        memory::forget(&self.memory)
    }
}

impl Localhost {
    /// The role of this machine in the project, if it has one.
    fn role(&self) -> Result<Option<Role>> {
        match &self.options.group {
            Some(group) => Ok(Some(Role { group: group.clone(), name: ID.to_owned(), created: 0 })),
            None => memory::read(&self.memory),
        }
    }
}

fn refusal(asked: &Role, role: Option<&Role>) -> PluginError {
    match role {
        Some(role) => {
            let message = format!(
                "provider localhost has one machine, which is {} of group {}; not {}",
                role.name, role.group, asked.name
            );
            PluginError::unsupported(message)
                .with_help("use provider sandbox for several nodes on this machine")
        }
        None => {
            PluginError::invalid_input(format!("`{}` cannot be the name of a node", asked.name))
        }
    }
}

fn node(role: &Role) -> Node {
    Node {
        group: Some(role.group.clone()),
        address: Some("127.0.0.1".to_owned()),
        created: role.created,
        ..Node::new(ID, &role.name, Connection::Local)
    }
}

pallet_core::export_provider!(Localhost);
