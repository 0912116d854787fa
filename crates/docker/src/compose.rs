//! Projects of compose.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::check::{environment, refuse_secret};
use super::program::{DECLARED, command, private};

parameters! {
    /// Runs the services of a compose file as a project. compose checks the file before it takes
    /// its place; if the file or the environment changes, compose replaces what differs.
    ///
    /// Example: `docker.compose(request, "shop", local_file = "shop/compose.yaml", environment = {"PASSWORD": secret("shop")})`
    pub(crate) struct Compose {
        /// The name of the project: lower case letters, digits, `-` and `_`.
        project: String,
        /// The text of the file.
        #[serde(default)]
        content: Option<String>,
        /// Path of the file in your project.
        #[serde(default)]
        local_file: Option<String>,
        /// Variables for `${NAME}` in the file. They are in a file that only root can read; values
        /// may be secrets of one line. compose interprets quotes, `$` and `#` in values.
        #[serde(default)]
        environment: BTreeMap<String, String>,
        /// `create`, or `delete` the project's containers and networks. Volumes stay.
        #[serde(default)]
        action: Existence,
    }
}

pub(crate) fn compose(request: &mut Request, compose: Compose) -> Result<()> {
    let Compose { project, content, local_file, environment: variables, action } = compose;
    let good =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    ensure!(
        project.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && project.bytes().all(good)
            && project.len() <= 60,
        "{project:?} cannot name a project: use lower case letters, digits, - and _"
    );
    let directory = format!("{DECLARED}/compose/{project}");
    let path = format!("{directory}/compose.yaml");
    if action == Existence::Delete {
        let down = ExecCheckedScript::new(
            format!("take the project {project} down"),
            command(&["compose-down", &project]),
        );
        request.add(down.only_if(format!("test -e {path}")))?;
        return request.add(Directory::at(directory).absent());
    }
    let file = match (content, local_file) {
        (Some(content), None) => {
            refuse_secret("a compose file", &content)?;
            RemoteFile::content(&path, content)
        }
        (None, Some(file)) => RemoteFile::local_file(&path, file),
        _ => bail!("project {project}: give exactly one of content and local_file"),
    };
    request.add(Directory::at(format!("{DECLARED}/compose")).mode(0o700))?;
    private(request, &format!("compose/{project}"), "environment", environment(&variables)?)?;
    let check = command(&["check-compose", &project]);
    request.add(file.owner("root").group("root").mode(0o600).verify(check))?;
    request.add(
        ExecCheckedScript::new(
            format!("run the project {project}"),
            command(&["compose", &project]),
        )
        .unless(command(&["is-compose", &project])),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn a_project_is_checked_and_run() {
        let mut recorder = Recorder::<Docker>::on("debian 12");
        let arguments = json!({"project": "shop", "content": "services: {}\n"});
        recorder.call("compose", arguments).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "directory /etc/docker/pallet/compose",
                "directory /etc/docker/pallet/compose/shop",
                "remote_file /etc/docker/pallet/compose/shop/environment",
                "remote_file /etc/docker/pallet/compose/shop/compose.yaml",
                "exec_checked_script run the project shop",
            ]
        );
        for (arguments, said) in [
            (json!({"project": "Shop", "content": "a"}), "cannot name a project"),
            (json!({"project": "shop"}), "exactly one of"),
        ] {
            let error = recorder.call("compose", &arguments).unwrap_err().to_string();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
