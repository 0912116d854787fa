//! The available images, with their systems.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptionsBuilder, ListImagesOptionsBuilder};
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::container::{remove, with_label};
use crate::engine::{Engine, is_absent, is_conflict};
use crate::import::{REPOSITORY, check_reference};
use crate::options::Transport;
use crate::service::Docker;
use crate::{archive, os};

/// Marks a container that exists only to read files of its image.
const PROBE: &str = "pallet.probe";

impl Docker {
    /// The configured images, followed by the engine's. Looks up their systems only if the
    /// node-spec has conditions on them.
    pub(crate) async fn all_images(
        &self,
        engine: &Engine,
        wanted: &ImageSpec,
    ) -> Answer<Vec<Image>> {
        let asked =
            wanted.os_family.is_some() || wanted.os_version.is_some() || wanted.arch.is_some();
        let mut systems = Systems::load(&self.context.data_directory);
        let mut images = Vec::new();
        if let Some(id) =
            wanted.image_id.as_ref().filter(|id| !self.options.images.contains_key(*id))
        {
            check_reference(id)?;
            // if it is missing, it is pulled when a node is created
            let os = systems.of(engine, id, true).await?;
            images.push(self.image(id, os));
        } else {
            for (name, path) in &self.options.images {
                if wanted.image_id.as_ref().is_none_or(|id| id == name) {
                    let os = self.configured_os(engine, &mut systems, name, path, asked).await?;
                    images.push(self.image(name, os));
                }
            }
            if wanted.image_id.is_none() {
                for reference in references(engine).await? {
                    engine.check_cancelled()?;
                    let os = systems.of(engine, &reference, asked).await?;
                    images.push(self.image(&reference, os));
                }
            }
        }
        systems.save();
        Ok(images)
    }

    /// The system of a configured image: read from a directory directly, and from a tarball once
    /// the engine has imported it.
    async fn configured_os(
        &self,
        engine: &Engine,
        systems: &mut Systems,
        name: &str,
        path: &Path,
        asked: bool,
    ) -> Answer<Option<Os>> {
        let path = self.context.directory.join(path);
        if path.is_dir() {
            let Some(text) = files::os_release(&path) else {
                return Ok(None);
            };
            return Ok(Some(os::of(&text, &engine.machine().await?.arch.concat())));
        }
        if !asked {
            return Ok(None);
        }
        let reference = self.fetch(engine, name).await?;
        systems.of(engine, &reference, true).await
    }

    pub(crate) fn image(&self, id: &str, os: Option<Os>) -> Image {
        let login_user = (self.options.transport == Transport::Ssh).then(|| "root".to_owned());
        Image { id: id.to_owned(), name: id.to_owned(), os, login_user, min_disk: None }
    }

    /// Removes leftover containers of interrupted lookups.
    pub(crate) async fn remove_probes(&self, engine: &Engine) -> Answer<()> {
        for container in with_label(engine, PROBE).await? {
            remove(engine, &container.id.unwrap_or_default()).await?;
        }
        Ok(())
    }
}

/// The references of the engine's images, without those that Pallet imported.
async fn references(engine: &Engine) -> Answer<Vec<String>> {
    let images = engine.client.list_images(Some(ListImagesOptionsBuilder::default().build())).await;
    let images = images.map_err(|error| engine.error("cannot list images", error))?;
    let named = images.into_iter().flat_map(|image| image.repo_tags);
    let mut references: Vec<_> =
        named.filter(|name| !name.contains("<none>") && !name.starts_with(REPOSITORY)).collect();
    references.sort();
    references.dedup();
    Ok(references)
}

/// Caches the systems of images, by image digest.
struct Systems {
    file: PathBuf,
    known: BTreeMap<String, Option<Os>>,
    is_new: bool,
}

impl Systems {
    fn load(directory: &Path) -> Systems {
        let file = directory.join("images.json");
        let known = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Systems { file, known, is_new: false }
    }

    /// Saves the cache. Errors are ignored: it only saves time.
    fn save(&self) {
        let Some(directory) = self.file.parent().filter(|_| self.is_new) else { return };
        let part = self.file.with_extension(format!("{}.part", std::process::id()));
        let text = serde_json::to_vec(&self.known).unwrap_or_default();
        let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&part, text));
        let _ = written.and_then(|()| std::fs::rename(&part, &self.file));
    }

    /// The system of an image in the engine; without `asked`, only from the cache.
    async fn of(&mut self, engine: &Engine, reference: &str, asked: bool) -> Answer<Option<Os>> {
        let image = match engine.client.inspect_image(reference).await {
            Ok(image) => image,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => {
                return Err(engine.error(&format!("cannot inspect image {reference}"), error));
            }
        };
        let id = image.id.unwrap_or_default();
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        if !asked {
            return Ok(None);
        }
        engine.progress(format!("looking into image {reference}"));
        let text = os_release(engine, &id).await?;
        let os = text.map(|text| os::of(&text, image.architecture.as_deref().unwrap_or_default()));
        self.known.insert(id, os.clone());
        self.is_new = true;
        Ok(os)
    }
}

/// The os-release of an image, read from a container that is never started.
async fn os_release(engine: &Engine, image: &str) -> Answer<Option<String>> {
    // one name per image, so that the leftover of an interrupted lookup is reused
    let name = format!("pallet-probe.{}", archive::short(image.trim_start_matches("sha256:")));
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        // a container needs a command, but an image may have none
        entrypoint: Some(vec!["/bin/sh".to_owned()]),
        labels: Some([(PROBE.to_owned(), image.to_owned())].into()),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    match engine.client.create_container(Some(options), body).await {
        Err(error) if !is_conflict(&error) => {
            return Err(engine.error("cannot look into an image", error));
        }
        _ => {}
    }
    let mut text = None;
    for file in Os::RELEASE_FILES {
        if text.is_none() {
            text = archive::read_file(engine, &name, &format!("/{file}")).await?;
        }
    }
    remove(engine, &name).await?;
    Ok(text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_up_is_remembered() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("docker");
        let mut systems = Systems::load(&data);
        systems.save();
        assert!(!data.exists(), "there was nothing to remember");
        systems
            .known
            .insert("sha256:1".into(), Some(os::of("ID=debian\nVERSION_ID=12\n", "amd64")));
        systems.known.insert("sha256:2".into(), None);
        systems.is_new = true;
        systems.save();
        assert_eq!(Systems::load(&data).known, systems.known);
        std::fs::write(data.join("images.json"), "no json").unwrap();
        assert!(Systems::load(&data).known.is_empty());
    }
}
