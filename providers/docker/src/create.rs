//! Creates nodes.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, LogsOptionsBuilder};
use futures_util::StreamExt;
use futures_util::stream;
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::container::{self, AT_ONCE};
use crate::engine::{Engine, is_absent, is_conflict, one_line};
use crate::options::{NodeOptions, Transport};
use crate::service::Docker;
use crate::{ports, ssh};

/// The first process of a node. It needs only a shell, reaps orphaned processes, and exits on
/// SIGTERM.
const STAY: &str = r#"trap 'exit 0' TERM INT; while :; do sleep 86400 & wait "$!"; [ "$?" != 127 ] || exit 127; done"#;
/// How long to wait before checking that the first process is still running.
const GRACE: Duration = Duration::from_millis(150);

/// The common properties of all requested nodes.
struct Wish<'a> {
    wanted: &'a RunNodes,
    image: Image,
    reference: String,
    body: ContainerCreateBody,
}

impl Docker {
    pub(crate) async fn create(&self, engine: &Engine, wanted: &RunNodes) -> Answer<Vec<Created>> {
        // existing nodes need no image, and without names no engine is needed
        let mut created = Vec::new();
        for name in &wanted.names {
            created.push(self.existing(engine, wanted, name).await.transpose());
        }
        if created.iter().all(Option::is_some) {
            return Ok(created.into_iter().flatten().map(outcome).collect());
        }
        let wish = match self.wish(engine, wanted).await {
            Ok(wish) => wish,
            Err(error) => {
                return Ok(created
                    .into_iter()
                    .map(|there| there.map_or_else(|| Created::Failed(error.clone()), outcome))
                    .collect());
            }
        };
        let each = wanted.names.iter().zip(created).map(|(name, there)| async {
            match there {
                Some(there) => outcome(there),
                None => outcome(self.create_one(engine, &wish, name).await),
            }
        });
        Ok(stream::iter(each).buffered(AT_ONCE).collect().await)
    }

    /// The node with this name, started if necessary; `None` if there is none.
    async fn existing(
        &self,
        engine: &Engine,
        wanted: &RunNodes,
        name: &str,
    ) -> Answer<Option<Node>> {
        let Some(node) = self.node_named(engine, name).await? else { return Ok(None) };
        if node.group.as_ref() != Some(&wanted.group) {
            let group = node.group.as_deref().unwrap_or("none");
            return Err(PluginError::failed(format!(
                "node {name} already exists, in group {group}"
            )));
        }
        if node.status != NodeStatus::Running {
            self.start(engine, &node.id, node.image_user.as_deref()).await?;
        }
        self.node_named(engine, name).await
    }

    /// The configuration of the nodes; fetches the image.
    async fn wish<'a>(&self, engine: &Engine, wanted: &'a RunNodes) -> Answer<Wish<'a>> {
        let options = NodeOptions::of(&wanted.spec)?;
        let ports = ports::published(&options.publish)?;
        let image = self.chosen(wanted)?;
        let reference = self.fetch(engine, &image.id).await?;
        let command =
            options.command.or_else(|| self.options.command.clone()).or_else(|| {
                match self.options.transport {
                    Transport::Exec => Some(["/bin/sh", "-c", STAY].map(str::to_owned).into()),
                    Transport::Ssh => None,
                }
            });
        let network = wanted
            .spec
            .network
            .as_ref()
            .and_then(|network| network.subnet.clone())
            .or_else(|| self.options.network.clone());
        // the requested minimum is also the limit
        let hardware = wanted.spec.hardware.clone().unwrap_or_default();
        let body = ContainerCreateBody {
            image: Some(reference.clone()),
            cmd: command.is_some().then(Vec::new),
            entrypoint: command,
            user: (self.options.transport == Transport::Exec).then(|| "0".to_owned()),
            exposed_ports: Some(ports.keys().cloned().collect()),
            host_config: Some(HostConfig {
                network_mode: network,
                nano_cpus: hardware.min_cores.map(|cores| i64::from(cores) * 1_000_000_000),
                memory: hardware
                    .min_ram
                    .and_then(|ram| i64::try_from(ram.saturating_mul(1 << 20)).ok()),
                privileged: Some(options.privileged.unwrap_or(self.options.privileged)),
                binds: (!options.volumes.is_empty()).then_some(options.volumes),
                port_bindings: Some(ports),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        Ok(Wish { wanted, image, reference, body })
    }

    /// The image that the host chose. It chooses none if none is known to match.
    fn chosen(&self, wanted: &RunNodes) -> Answer<Image> {
        let asked = wanted.spec.image.clone().unwrap_or_default();
        match (&wanted.image, asked.image_id.clone()) {
            (Some(image), _) => Ok(image.clone()),
            (None, Some(id)) => {
                let image = self.image(&id, None);
                Ok(Image { login_user: asked.login_user.or(image.login_user), ..image })
            }
            (None, None) => {
                let which = if asked == ImageSpec::default() {
                    ""
                } else {
                    " that satisfies the node-spec"
                };
                let error = PluginError::invalid_input(format!("the engine has no image{which}"));
                Err(error.with_help(
                    "name one as `image_id` in the node-spec, such as `debian:12`, \
                    or in the option `images`",
                ))
            }
        }
    }

    async fn create_one(&self, engine: &Engine, wish: &Wish<'_>, name: &str) -> Answer<Node> {
        engine.check_cancelled()?;
        if !is_host_name(name) {
            return Err(PluginError::invalid_input(format!(
                "`{name}` cannot be the name of a node"
            )));
        }
        let user = match self.options.transport {
            Transport::Ssh => Some(wish.image.login_user.as_deref().unwrap_or("root")),
            Transport::Exec => None,
        };
        let mut body = wish.body.clone();
        // with the host's network namespace, the host name would be the machine's
        let own_name = body.host_config.as_ref().and_then(|config| config.network_mode.as_deref())
            != Some("host");
        body.hostname = own_name.then(|| name.to_owned());
        body.labels = Some(self.labels(wish, name, user));
        let full = container::name(&self.context.project, name);
        let options = CreateContainerOptionsBuilder::default().name(&full).build();
        let id = match engine.client.create_container(Some(options), body).await {
            Ok(made) => made.id,
            // another process has just created it, with the same configuration
            Err(error) if is_conflict(&error) => {
                let there = self.existing(engine, wish.wanted, name).await?;
                let error = PluginError::failed(format!(
                    "container {full} exists and was not created by Pallet"
                ));
                return there.ok_or_else(|| {
                    error.with_help(format!("rename or remove it: docker rename {full} NAME"))
                });
            }
            Err(error) if is_absent(&error) => {
                return Err(
                    engine.error(&format!("cannot create it from image {}", wish.reference), error)
                );
            }
            Err(error) => return Err(engine.error("cannot create a container", error)),
        };
        let made = match self.start(engine, &id, user).await {
            Ok(()) => self.node_named(engine, name).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(Some(node)) => Ok(node),
            failed => {
                container::remove(engine, &id).await?;
                Err(failed
                    .err()
                    .unwrap_or_else(|| PluginError::failed("it was removed while it started")))
            }
        }
    }

    fn labels(&self, wish: &Wish<'_>, name: &str, user: Option<&str>) -> HashMap<String, String> {
        let mut labels = HashMap::from([
            (container::PROJECT, self.context.project.clone()),
            (container::GROUP, wish.wanted.group.clone()),
            (container::NAME, name.to_owned()),
            (container::CREATED, unix_time().to_string()),
        ]);
        if let Some(os) = wish.image.os.as_ref().and_then(|os| serde_json::to_string(os).ok()) {
            labels.insert(container::OS, os);
        }
        if let Some(user) = user {
            labels.insert(container::IMAGE_USER, user.to_owned());
        }
        let tags = &wish.wanted.spec.tags;
        if let Some(kept) = (!tags.is_empty()).then(|| serde_json::to_string(tags).ok()).flatten() {
            labels.insert(container::TAGS, kept);
        }
        // tags are labels as well, so that the engine's clients can filter by them
        let own = labels.into_iter().map(|(label, value)| (label.to_owned(), value));
        tags.clone().into_iter().chain(own).collect()
    }

    /// Starts or unpauses a container, and waits until it can be reached.
    async fn start(&self, engine: &Engine, id: &str, user: Option<&str>) -> Answer<()> {
        let inspected = engine.client.inspect_container(id, None).await;
        let state = inspected
            .map_err(|error| engine.error("cannot inspect the container", error))?
            .state
            .unwrap_or_default();
        let never_ran = state
            .started_at
            .as_deref()
            .is_none_or(|time| time.is_empty() || time.starts_with("0001-"));
        if let Some(user) = user.filter(|_| never_ran) {
            ssh::authorize(engine, id, user, &self.context.admin_user.public_keys).await?;
        }
        if state.paused == Some(true) {
            engine
                .client
                .unpause_container(id)
                .await
                .map_err(|error| engine.error("cannot unpause the container", error))?;
        } else {
            engine
                .client
                .start_container(id, None)
                .await
                .map_err(|error| engine.error("cannot start the container", error))?;
        }
        tokio::time::sleep(GRACE).await;
        let inspected = engine.client.inspect_container(id, None).await;
        let state = inspected
            .map_err(|error| engine.error("cannot inspect the container", error))?
            .state
            .unwrap_or_default();
        if state.running == Some(false) {
            let said = last_words(engine, id).await;
            let message = format!(
                "its first process ended at once with exit code {}{said}",
                state.exit_code.unwrap_or_default()
            );
            return Err(PluginError::failed(message)
                .with_help("set the option `command` to one that stays"));
        }
        if self.options.transport == Transport::Ssh {
            ssh::wait_for_host_keys(engine, id).await?;
        }
        Ok(())
    }
}

fn outcome(made: Result<Node, PluginError>) -> Created {
    match made {
        Ok(node) => Created::Node(Box::new(node)),
        Err(error) => Created::Failed(error),
    }
}

/// The last line of a container's output, to append to a message.
async fn last_words(engine: &Engine, id: &str) -> String {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail("1").build();
    let lines: Vec<_> = engine.client.logs(id, Some(options)).take(4).collect().await;
    let text: String = lines.into_iter().flatten().map(|line| line.to_string()).collect();
    if text.trim().is_empty() { String::new() } else { format!(": {}", one_line(&text)) }
}
