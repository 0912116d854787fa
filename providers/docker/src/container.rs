//! A container as a node: its name, its labels, its properties.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, EndpointSettings, PortSummary, PortSummaryTypeEnum,
};
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use futures_util::StreamExt;
use futures_util::stream;
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::engine::{Engine, is_absent, is_conflict};
use crate::options::Transport;
use crate::service::Docker;
use crate::{ssh, tags};

/// Label: the container's project.
pub(crate) const PROJECT: &str = node_tags::PROJECT.label;
pub(crate) const GROUP: &str = node_tags::GROUP.label;
pub(crate) const NAME: &str = node_tags::NAME.label;
/// Label: when the node was created, in seconds since 1970-01-01 UTC.
pub(crate) const CREATED: &str = "pallet.created";
/// Label: the node's original tags, as JSON; the container also inherits the image's labels, which
/// are not tags.
pub(crate) const TAGS: &str = "pallet.tags";
/// Label: the image's system as known at creation, as JSON.
pub(crate) const OS: &str = "pallet.os";
/// Label: the ssh login user until the node is bootstrapped.
pub(crate) const IMAGE_USER: &str = node_tags::IMAGE_USER.label;

/// Maximum number of concurrent calls.
pub(crate) const AT_ONCE: usize = 8;

/// The name of a node's container. The engine keeps names unique, so no other node of any project
/// has it.
pub(crate) fn name(project: &str, node: &str) -> String {
    // a node's name contains no dot, so the combination is unambiguous
    format!("pallet-{}.{node}", escaped(project))
}

/// A project's name with the characters that the engine allows in names.
pub(crate) fn escaped(project: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    project
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("_{byte:02X}") })
        .collect()
}

/// Containers with this label; `KEY=VALUE` also compares the value.
pub(crate) async fn with_label(engine: &Engine, label: &str) -> Answer<Vec<ContainerSummary>> {
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    engine
        .client
        .list_containers(Some(options))
        .await
        .map_err(|error| engine.error("cannot list containers", error))
}

/// Removes a container and its anonymous volumes, running or not.
pub(crate) async fn remove(engine: &Engine, id: &str) -> Answer<()> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match engine.client.remove_container(id, Some(options)).await {
        Err(error) if !is_absent(&error) && !is_conflict(&error) => {
            Err(engine
                .error(&format!("cannot remove container {}", crate::archive::short(id)), error))
        }
        _ => Ok(()),
    }
}

impl Docker {
    pub(crate) async fn all_nodes(&self, engine: &Engine) -> Answer<Vec<Node>> {
        let containers = with_label(engine, &format!("{PROJECT}={}", self.context.project)).await?;
        let nodes = stream::iter(containers)
            .map(|container| self.node(engine, container))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let mut nodes =
            nodes.into_iter().filter_map(Result::transpose).collect::<Answer<Vec<_>>>()?;
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(nodes)
    }

    /// The project's node with this name, if it exists.
    pub(crate) async fn node_named(&self, engine: &Engine, node: &str) -> Answer<Option<Node>> {
        let mut containers = with_label(engine, &format!("{NAME}={node}")).await?;
        containers.retain(|container| label(container, PROJECT) == Some(&self.context.project));
        match containers.pop() {
            Some(container) => self.node(engine, container).await,
            None => Ok(None),
        }
    }

    /// The container as a node; `None` if it does not belong to this project, or disappears
    /// meanwhile.
    async fn node(&self, engine: &Engine, container: ContainerSummary) -> Answer<Option<Node>> {
        let (Some(id), Some(name)) = (&container.id, label(&container, NAME)) else {
            return Ok(None);
        };
        if label(&container, PROJECT) != Some(&self.context.project) {
            return Ok(None);
        }
        let state = container.state.unwrap_or(ContainerSummaryStateEnum::EMPTY);
        let status = status(state);
        let running = status == NodeStatus::Running;
        let address = if running { self.address(engine, &container).await? } else { None };
        let connection = match self.options.transport {
            Transport::Exec => {
                let mut command = engine.exec(self.options.program.as_deref());
                command.push(id.clone());
                Connection::Exec { command }
            }
            Transport::Ssh => {
                let host_keys =
                    if running { ssh::host_keys(engine, id).await? } else { Vec::new() };
                let (host, port) = published_ssh(engine, &container)
                    .unwrap_or_else(|| (address.clone().unwrap_or_default(), None));
                Connection::Ssh(SshConnection { host, port, host_keys, ..SshConnection::default() })
            }
        };
        let mut tags: BTreeMap<_, _> = label(&container, TAGS)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        if state != ContainerSummaryStateEnum::REMOVING {
            tags.extend(tags::read(engine, id).await?);
        }
        let created = label(&container, CREATED).and_then(|text| text.parse().ok());
        Ok(Some(Node {
            group: label(&container, GROUP).map(str::to_owned),
            address,
            image_user: label(&container, IMAGE_USER)
                .filter(|_| self.options.transport == Transport::Ssh)
                .map(str::to_owned),
            status,
            os: label(&container, OS).and_then(|text| serde_json::from_str(text).ok()),
            ports: published(engine, &container),
            tags,
            taggable: true,
            created: created.unwrap_or_else(|| {
                container.created.and_then(|time| u64::try_from(time).ok()).unwrap_or_default()
            }),
            ..Node::new(id, name, connection)
        }))
    }

    /// The address of a running container.
    async fn address(
        &self,
        engine: &Engine,
        container: &ContainerSummary,
    ) -> Answer<Option<String>> {
        let listed =
            container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
        if let Some(address) = listed.and_then(address_in) {
            return Ok(Some(address));
        }
        // Podman does not always list addresses
        let id = container.id.as_deref().unwrap_or_default();
        let inspected = match engine.client.inspect_container(id, None).await {
            Ok(inspected) => inspected,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(engine.error("cannot inspect a container", error)),
        };
        if inspected.host_config.and_then(|config| config.network_mode).as_deref() == Some("host") {
            return Ok(Some(engine.machine_address().to_owned()));
        }
        Ok(inspected
            .network_settings
            .and_then(|settings| settings.networks)
            .as_ref()
            .and_then(address_in))
    }

    pub(crate) async fn destroy(&self, engine: &Engine, ids: &[String]) -> Answer<()> {
        let removed = stream::iter(ids)
            .map(|id| self.destroy_one(engine, id))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        removed.into_iter().collect()
    }

    async fn destroy_one(&self, engine: &Engine, id: &str) -> Answer<()> {
        // an empty id would list all containers
        if !id.is_empty() && self.owns(engine, id).await? {
            remove(engine, id).await
        } else {
            Ok(())
        }
    }

    pub(crate) async fn tag(
        &self,
        engine: &Engine,
        id: &str,
        new: &BTreeMap<String, String>,
    ) -> Answer<()> {
        if id.is_empty() || !self.owns(engine, id).await? {
            return Err(PluginError::not_found(format!(
                "project {} has no container {id}",
                self.context.project
            )));
        }
        tags::lay(engine, id, new).await
    }

    /// Whether the container exists and belongs to the project.
    async fn owns(&self, engine: &Engine, id: &str) -> Answer<bool> {
        match engine.client.inspect_container(id, None).await {
            Ok(found) => {
                let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
                Ok(found.id.as_deref() == Some(id)
                    && labels.get(PROJECT) == Some(&self.context.project))
            }
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(engine
                .error(&format!("cannot inspect container {}", crate::archive::short(id)), error)),
        }
    }
}

fn label<'a>(container: &'a ContainerSummary, name: &str) -> Option<&'a str> {
    container.labels.as_ref()?.get(name).map(String::as_str)
}

fn status(state: ContainerSummaryStateEnum) -> NodeStatus {
    use ContainerSummaryStateEnum as State;
    match state {
        State::RUNNING => NodeStatus::Running,
        State::RESTARTING => NodeStatus::Starting,
        State::CREATED | State::EXITED | State::PAUSED | State::STOPPING => NodeStatus::Stopped,
        State::DEAD | State::REMOVING => NodeStatus::Failed,
        State::EMPTY => NodeStatus::Unknown,
    }
}

/// The first address, with networks ordered by name.
fn address_in(networks: &HashMap<String, EndpointSettings>) -> Option<String> {
    let sorted: BTreeMap<_, _> = networks.iter().collect();
    let addresses = sorted
        .into_values()
        .flat_map(|network| [&network.ip_address, &network.global_ipv6_address]);
    addresses.flatten().find(|address| !address.is_empty()).cloned()
}

/// The address on the engine's machine that forwards to ssh, if there is one.
fn published_ssh(engine: &Engine, container: &ContainerSummary) -> Option<(String, Option<u16>)> {
    let port = container
        .ports
        .iter()
        .flatten()
        .find(|port| port.private_port == 22 && port.public_port.is_some())?;
    Some((place(engine, port), port.public_port))
}

/// The addresses on the engine's machine that forward to the other TCP ports.
fn published(engine: &Engine, container: &ContainerSummary) -> BTreeMap<u16, String> {
    let tcp = |port: &&PortSummary| {
        port.private_port != 22 && port.typ.is_none_or(|kind| kind == PortSummaryTypeEnum::TCP)
    };
    let ports = container.ports.iter().flatten().filter(tcp);
    let mut all = BTreeMap::new();
    for (port, public) in ports.filter_map(|port| Some((port, port.public_port?))) {
        let host = place(engine, port);
        let place = if host.contains(':') {
            format!("[{host}]:{public}")
        } else {
            format!("{host}:{public}")
        };
        // the engine lists each port for IPv4 first, and then for IPv6
        all.entry(port.private_port).or_insert(place);
    }
    all
}

fn place(engine: &Engine, port: &PortSummary) -> String {
    let any = |ip: &&String| ip.is_empty() || *ip == "0.0.0.0" || *ip == "::";
    port.ip
        .as_ref()
        .filter(|ip| !any(ip))
        .map_or(engine.machine_address(), String::as_str)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_such_as_engines_take() {
        assert_eq!(name("shop", "web-1"), "pallet-shop.web-1");
        assert_ne!(name("a-b", "c"), name("a", "b-c"));
        assert_eq!(name("a/b", "c"), "pallet-a_2Fb.c");
    }

    #[test]
    fn the_first_address_there_is() {
        let network = |address: &str| EndpointSettings {
            ip_address: Some(address.to_owned()),
            ..Default::default()
        };
        let networks = HashMap::from([
            ("b".to_owned(), network("10.0.0.2")),
            ("a".to_owned(), network("")),
            ("c".to_owned(), network("10.0.0.3")),
        ]);
        assert_eq!(address_in(&networks).as_deref(), Some("10.0.0.2"));
        assert_eq!(address_in(&HashMap::new()), None);
    }
}
