//! Images of containers.

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::check::{check_image, check_line, refuse_secret};
use super::program::command;

parameters! {
    /// Ensures that the node has an image: pulled from its registry, loaded from an archive of
    /// `docker save`, or imported from an archive of a root file system.
    ///
    /// A tag that is there is not pulled again: name a version, or a digest.
    ///
    /// Example: `docker.image(request, "registry.example.com/app:1.2")`
    ///
    /// Example: `docker.image(request, "base:1", import_archive = "/srv/root.tar", changes = ["CMD [\"/bin/sh\"]"])`
    pub(crate) struct Image {
        /// Its name, with a tag or a digest.
        name: String,
        /// Absolute path of an archive on the node that `docker save` wrote.
        #[serde(default)]
        load_archive: Option<String>,
        /// Absolute path of an archive on the node with a root file system. The image is imported
        /// again if the archive or the changes differ.
        #[serde(default)]
        import_archive: Option<String>,
        /// Instructions of a Dockerfile for an imported image: `CMD`, `ENV`, `EXPOSE`, ...
        #[serde(default)]
        changes: Vec<String>,
        /// `create`, or `delete` the image.
        #[serde(default)]
        action: Existence,
    }
}

pub(crate) fn image(request: &mut Request, image: Image) -> Result<()> {
    let Image { name, load_archive, import_archive, changes, action } = image;
    check_image(&name)?;
    for archive in load_archive.iter().chain(&import_archive) {
        ensure!(archive.starts_with('/'), "the archive {archive:?} is no absolute path");
        check_line("archive", archive)?;
    }
    let there = format!("docker image inspect {}", quote(&name));
    if action == Existence::Delete {
        let remove = format!("docker image rm {}", quote(&name));
        let script = ExecCheckedScript::new(format!("remove the image {name}"), remove);
        return request.add(script.only_if(there));
    }
    ensure!(
        changes.is_empty() || import_archive.is_some(),
        "image {name}: changes are for import_archive"
    );
    for change in &changes {
        check_line("change", change)?;
        refuse_secret("a change of an image", change)?;
    }
    request.add(match (load_archive, import_archive) {
        (None, None) => ExecCheckedScript::new(
            format!("pull the image {name}"),
            format!("docker pull {}", quote(&name)),
        )
        .unless(there),
        (Some(archive), None) => ExecCheckedScript::new(
            format!("load the image {name}"),
            format!("docker load --input {}", quote(&archive)),
        )
        .unless(there),
        (None, Some(archive)) => {
            let call = |what: &str| {
                let mut words = vec![what, &name, &archive];
                words.extend(changes.iter().map(String::as_str));
                command(&words)
            };
            ExecCheckedScript::new(format!("import the image {name}"), call("import"))
                .unless(call("is-imported"))
        }
        _ => bail!("image {name}: give load_archive or import_archive, not both"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Docker;
    use super::*;

    #[test]
    fn an_image_is_pulled_loaded_or_imported() {
        let script = |arguments: Value| {
            let mut recorder = Recorder::<Docker>::on("debian 12");
            recorder.call("image", arguments)?;
            Ok::<_, PluginError>(recorder.actions()[0].arguments["script"].clone())
        };
        assert_eq!(script(json!({"name": "a:1"})).unwrap(), "docker pull a:1");
        assert_eq!(
            script(json!({"name": "a:1", "load_archive": "/srv/a b.tar"})).unwrap(),
            "docker load --input '/srv/a b.tar'"
        );
        assert_eq!(
            script(json!({"name": "a:1", "import_archive": "/a", "changes": ["CMD x y"]})).unwrap(),
            "sh /usr/local/lib/pallet/docker-node import a:1 /a 'CMD x y'"
        );
        for (arguments, said) in [
            (json!({"name": "a b"}), "cannot name an image"),
            (json!({"name": "a", "changes": ["CMD x"]}), "for import_archive"),
            (json!({"name": "a", "load_archive": "b"}), "no absolute path"),
            (json!({"name": "a", "load_archive": "/b", "import_archive": "/c"}), "not both"),
        ] {
            let error = script(arguments.clone()).unwrap_err().to_string();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
