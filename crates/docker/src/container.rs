//! Containers.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::check::{check_image, check_line, check_name, environment, refuse_secret};
use super::options::pairs;
use super::program::{command, private};

parameters! {
    /// Runs a container. It is replaced if its declaration, its environment or its image changes;
    /// if the new one does not run, or is not healthy within 60 seconds, the old one is put back.
    ///
    /// Example: `docker.container(request, "app", "registry.example.com/app:1.2", ports = ["127.0.0.1:8080:80"], volumes = ["data:/var/lib/app"], environment = {"PASSWORD": secret("app")})`
    pub(crate) struct Container {
        /// Its name.
        name: String,
        /// Its image, with a tag or a digest. It is pulled if it is missing.
        #[serde(default)]
        image: String,
        /// The words of the command. Default: the image's.
        #[serde(default)]
        command: Vec<String>,
        /// The entrypoint. Default: the image's.
        #[serde(default)]
        entrypoint: Option<String>,
        /// Ports: `8080:80`, `127.0.0.1:53:53/udp`.
        #[serde(default)]
        ports: Vec<String>,
        /// Volumes: `NAME:/PATH`, `/PATH:/PATH:ro`.
        #[serde(default)]
        volumes: Vec<String>,
        /// Environment variables. They are in a file that only root can read; values may be
        /// secrets of one line.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// The networks. Default: that of Docker. More than one needs Docker 25.
        #[serde(default)]
        networks: Vec<String>,
        /// Whether it is started again.
        #[serde(default)]
        restart: Restart,
        /// The user in the container.
        #[serde(default)]
        user: Option<String>,
        /// The host name in the container.
        #[serde(default)]
        hostname: Option<String>,
        /// More labels.
        #[serde(default)]
        labels: BTreeMap<String, String>,
        /// The most memory it gets: `512m`.
        #[serde(default)]
        memory: Option<String>,
        /// The most processor time it gets, in cores: `1.5`.
        #[serde(default)]
        cpus: Option<String>,
        /// The command that tells whether it is healthy.
        #[serde(default)]
        health_command: Option<String>,
        /// More options of `docker run`: `--cap-drop=ALL`, `--read-only`.
        #[serde(default)]
        options: Vec<String>,
        /// `create`, or `delete` the container.
        #[serde(default)]
        action: Existence,
    }
}

/// When Docker starts a container again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "kebab-case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Restart {
    /// Never. A container that has ended with 0 is not run again.
    No,
    /// If it failed.
    OnFailure,
    /// Always.
    Always,
    /// Always, except after `docker stop`.
    #[default]
    UnlessStopped,
}

impl Restart {
    fn as_str(self) -> &'static str {
        match self {
            Restart::No => "no",
            Restart::OnFailure => "on-failure",
            Restart::Always => "always",
            Restart::UnlessStopped => "unless-stopped",
        }
    }
}

pub(crate) fn container(request: &mut Request, container: Container) -> Result<()> {
    let name = &container.name;
    check_name("a container", name)?;
    if container.action == Existence::Delete {
        let remove = format!("docker rm --force {}", quote(name));
        let script = ExecCheckedScript::new(format!("remove the container {name}"), remove)
            .only_if(format!("docker container inspect {}", quote(name)));
        request.add(script)?;
        for kind in ["arguments", "environment"] {
            let path = format!("{}/containers/{name}.{kind}", super::program::DECLARED);
            request.add(File::at(path).absent())?;
        }
        return Ok(());
    }
    let arguments = arguments(&container)?;
    let variables = environment(&container.environment)?;
    private(request, "containers", &format!("{name}.environment"), variables)?;
    private(request, "containers", &format!("{name}.arguments"), arguments)?;
    request.add(
        ExecCheckedScript::new(format!("run the container {name}"), command(&["container", name]))
            .unless(command(&["is-container", name])),
    )
}

/// The options, an empty line, the image, and the words of the command.
fn arguments(container: &Container) -> Result<String> {
    check_image(&container.image)?;
    let mut words = vec![format!("--restart={}", container.restart.as_str())];
    for (option, values) in [
        ("publish", &container.ports),
        ("volume", &container.volumes),
        ("network", &container.networks),
    ] {
        words.extend(values.iter().map(|value| format!("--{option}={value}")));
    }
    for (option, value) in [
        ("entrypoint", &container.entrypoint),
        ("user", &container.user),
        ("hostname", &container.hostname),
        ("memory", &container.memory),
        ("cpus", &container.cpus),
        ("health-cmd", &container.health_command),
    ] {
        words.extend(value.as_ref().map(|value| format!("--{option}={value}")));
    }
    words.extend(pairs("label", &container.labels)?);
    for option in &container.options {
        let own = ["--name", "--detach", "--env-file", "--rm", "-d"];
        ensure!(
            option.starts_with('-')
                && !own.iter().any(|name| option.split('=').next() == Some(name)),
            "container {}: {option:?} is no option, or is one that Pallet sets",
            container.name
        );
        words.push(option.clone());
    }
    for word in words.iter().chain(&container.command) {
        check_line("argument", word)?;
        refuse_secret("an argument of a container", word)?;
    }
    let command: String = container.command.iter().map(|word| format!("{word}\n")).collect();
    Ok(format!("{}\n\n{}\n{command}", words.join("\n"), container.image))
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn a_container_is_its_arguments_and_its_environment() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let password = secret_placeholder("app");
        let arguments = json!({"name": "app", "image": "app:1", "command": ["serve", "a b"],
            "ports": ["8080:80"], "volumes": ["data:/data"], "restart": "always",
            "environment": {"PASSWORD": password}, "labels": {"a": "b"},
            "options": ["--read-only"]});
        recorder.call("container", arguments).unwrap();
        let actions = recorder.actions();
        assert_eq!(
            actions[1].arguments["content"],
            format!("# written by pallet\nPASSWORD={password}\n")
        );
        assert_eq!(actions[1].arguments["mode"], "0600");
        assert_eq!(
            actions[3].arguments["content"],
            "--restart=always\n--publish=8080:80\n--volume=data:/data\n--label=a=b\n--read-only\n\
             \napp:1\nserve\na b\n"
        );
        assert_eq!(
            actions[4].arguments["unless"],
            "sh /usr/local/lib/pallet/docker-node is-container app"
        );
    }

    #[test]
    fn what_makes_no_container_is_refused() {
        let secret = secret_placeholder("x");
        for (more, said) in [
            (json!({"name": "a/b"}), "cannot name a container"),
            (json!({"image": ""}), "cannot name an image"),
            (json!({"ports": ["80\n--privileged"]}), "more than one line"),
            (json!({"command": [secret]}), "into the environment"),
            (json!({"environment": {"A": "b\nC=d"}}), "more than one line"),
            (json!({"options": ["--name=x"]}), "one that Pallet sets"),
            (json!({"options": ["busybox"]}), "is no option"),
            (json!({"restart": "sometimes"}), "unknown variant"),
        ] {
            let mut arguments = json!({"name": "app", "image": "app:1"});
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let error =
                Recorder::<Docker>::on("debian 12").call("container", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
