//! Predicts the system of nodes that do not exist.

use super::declare::{USUAL_OS, named_os};
use super::{Engine, GroupSpec};
use crate::model::Os;
use crate::plugin::Hardware;

/// The predicted system of a node.
pub(super) struct System {
    pub(super) os: Os,
    pub(super) hardware: Option<Hardware>,
    /// It is only a guess.
    pub(super) guessed: bool,
    /// The reason, in a few words.
    pub(super) reason: String,
}

impl Engine {
    /// Predicts the system of a new node of a group: the wanted one, the one that its node-spec
    /// selects at the service, or that of the group's existing nodes.
    pub(super) async fn system_of(&self, group: &GroupSpec, wanted: Option<&Os>) -> System {
        let plain = |os: Os, reason: String| System { os, hardware: None, reason, guessed: false };
        if let Some(os) = wanted {
            return plain(os.clone(), "as requested".to_owned());
        }
        let (hardware, why_not) = match self.choose(group).await {
            Ok(choice) => match choice
                .image
                .as_ref()
                .and_then(|image| Some((image.os.clone()?, image.id.clone())))
            {
                Some((os, image)) => {
                    let reason =
                        format!("the image {image}, which its node-spec selects at the service");
                    return System { os, hardware: choice.hardware, reason, guessed: false };
                }
                None => {
                    (choice.hardware, "the service does not report its images' systems".to_owned())
                }
            },
            Err(error) => (None, crate::plugin::PluginError::from(error).to_string()),
        };
        let arch = std::env::consts::ARCH;
        if let Some(os) = self.system_of_nodes(group).await {
            return System { hardware, ..plain(os, "like the group's existing nodes".to_owned()) };
        }
        match named_os(group.server.node_spec.image.as_ref()) {
            Some(os) => System { hardware, ..plain(os, "as its node-spec says".to_owned()) },
            None => System {
                hardware,
                guessed: true,
                ..plain(Os::named(USUAL_OS, arch), format!("nothing says which ({why_not})"))
            },
        }
    }

    /// The system of the group's existing nodes, from the facts cache or their provider.
    async fn system_of_nodes(&self, group: &GroupSpec) -> Option<Os> {
        let nodes = self.nodes().await.ok()?;
        nodes
            .into_iter()
            .filter(|node| node.group.as_deref() == Some(group.name.as_str()))
            .find_map(|node| {
                let facts =
                    self.facts_cache.as_ref().and_then(|cache| cache.get(&self.project, &node.id));
                facts.map(|facts| facts.os).or(node.os)
            })
    }
}
