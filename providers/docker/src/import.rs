//! Fetches images into the engine: imports a directory or a tarball, or pulls a reference.

use std::path::Path;
use std::time::{Duration, Instant};

use bollard::body_try_stream;
use bollard::errors::Error;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::{Stream, StreamExt};
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::credentials;
use crate::engine::{Engine, is_absent, one_line};
use crate::pack;
use crate::service::Docker;

/// The repository of imported images; it is local, so no registry is asked for it.
pub(crate) const REPOSITORY: &str = "localhost/pallet";
/// How long to wait for the reading thread after the engine has stopped reading.
const LET_GO: Duration = Duration::from_secs(5);
/// Interval of progress messages during a pull.
const TELL: Duration = Duration::from_secs(1);

impl Docker {
    /// Makes sure that the engine has the image, and returns its reference there.
    pub(crate) async fn fetch(&self, engine: &Engine, image: &str) -> Answer<String> {
        match self.options.images.get(image) {
            Some(path) => imported(engine, image, &self.context.directory.join(path)).await,
            None => pulled(engine, image, &self.context.home).await,
        }
    }
}

/// Imports a root file system, unless the engine already has its current state.
async fn imported(engine: &Engine, name: &str, path: &Path) -> Answer<String> {
    let wrong = |why: String| PluginError::invalid_input(format!("image {name}: {why}"));
    if path.is_dir() && std::fs::symlink_metadata(path.join("bin/sh")).is_err() {
        return Err(wrong(format!(
            "{} is not a root file system: it has no bin/sh",
            path.display()
        )));
    }
    let stamp = pack::stamp(path).map_err(|error| wrong(one_line(&format!("{error:#}"))))?;
    let reference = format!("{REPOSITORY}/{name}:{stamp}");
    if is_there(engine, &reference).await? {
        return Ok(reference);
    }
    engine.progress(format!("importing image {name}"));
    // Podman ignores `tag` here, so `repo` contains it
    let options = CreateImageOptionsBuilder::default().from_src("-").repo(&reference).build();
    let (body, reading) = pack::stream(path);
    let what = format!("image {name} cannot be imported");
    let client = engine.patient();
    let imported = follow(
        engine,
        &what,
        client.create_image(Some(options), Some(body_try_stream(body)), None),
    )
    .await;
    // polling the runtime lets the connection close, which ends the reading thread
    let end = Instant::now() + LET_GO;
    while !reading.is_finished() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    match reading.is_finished().then(|| reading.join()) {
        // the reading error is more useful than the engine's
        Some(Ok(Err(error))) if !error.chain().any(is_broken_pipe) => {
            return Err(wrong(one_line(&format!("{error:#}"))));
        }
        _ => imported?,
    }
    match is_there(engine, &reference).await? {
        true => Ok(reference),
        false => Err(PluginError::failed(format!(
            "{what}: the engine accepted it, but does not have it"
        ))),
    }
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Pulls an image, unless the engine already has it.
async fn pulled(engine: &Engine, reference: &str, home: &Path) -> Answer<String> {
    check_reference(reference)?;
    if is_there(engine, reference).await? {
        return Ok(reference.to_owned());
    }
    let credentials = credentials::for_image(home, reference)?;
    engine.progress(format!("pulling image {reference}"));
    // without a tag, the engine would pull all tags
    let has_tag = reference.contains('@')
        || reference.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let full = if has_tag { reference.to_owned() } else { format!("{reference}:latest") };
    let options = CreateImageOptionsBuilder::default().from_image(&full).build();
    let client = engine.patient();
    follow(
        engine,
        &format!("image {reference} cannot be pulled"),
        client.create_image(Some(options), None, credentials),
    )
    .await?;
    Ok(reference.to_owned())
}

/// Follows the engine's progress until the call ends.
async fn follow(
    engine: &Engine,
    what: &str,
    told: impl Stream<Item = Result<CreateImageInfo, Error>>,
) -> Answer<()> {
    let mut told = std::pin::pin!(told);
    let mut last = Instant::now();
    while let Some(line) = engine.unless_cancelled(told.next()).await? {
        let line = line.map_err(|error| engine.error(what, error))?;
        // an import ends with only the digest as its status
        if let Some(status) =
            line.status.filter(|status| last.elapsed() > TELL && !status.starts_with("sha256:"))
        {
            engine.progress(one_line(&status));
            last = Instant::now();
        }
    }
    Ok(())
}

/// Whether the engine has an image.
pub(crate) async fn is_there(engine: &Engine, reference: &str) -> Answer<bool> {
    match engine.client.inspect_image(reference).await {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(engine.error(&format!("cannot look for image {reference}"), error)),
    }
}

/// Refuses invalid image references, because they become part of the engine's URLs.
pub(crate) fn check_reference(reference: &str) -> Answer<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    let parts = || reference.split(['/', ':', '@']);
    if reference.bytes().all(plain)
        && parts().all(|part| part.starts_with(|first: char| first.is_ascii_alphanumeric()))
    {
        return Ok(());
    }
    let error = PluginError::invalid_input(format!("`{reference}` cannot be the name of an image"));
    Err(error.with_help(
        "write it as for `docker pull`, such as `debian:12`, or name one of the option `images`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_as_for_docker() {
        for good in [
            "debian",
            "debian:12",
            "registry.local:5000/team/app:1.2_3-a",
            "debian@sha256:00ff",
            "sha256:00ff",
        ] {
            check_reference(good).unwrap();
        }
        for bad in ["", "../json", "a//b", "a?b", "a b", "/a", "a:", "..", "débian"] {
            assert_eq!(check_reference(bad).unwrap_err().kind, ErrorKind::InvalidInput, "{bad}");
        }
    }
}
