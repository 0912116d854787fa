//! Tags that are added to an existing node.
//!
//! The labels of a container are fixed at creation. These tags are therefore in a file in the
//! container, which the engine can read and write even if the container is stopped, and which is
//! deleted with it. The file names its container, so that nodes created from an image of a node do
//! not inherit its tags.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::archive::{self, File};
use crate::engine::Engine;

/// Always exists, because engines put the container's host name there.
const DIRECTORY: &str = "/etc";
const NAME: &str = "pallet-tags.json";

/// The tags of a container.
pub(crate) async fn read(engine: &Engine, container: &str) -> Answer<BTreeMap<String, String>> {
    let content = archive::read_file(engine, container, &format!("{DIRECTORY}/{NAME}")).await?;
    Ok(content.map(|content| parse(&content, container)).unwrap_or_default())
}

/// Adds tags to those of a container.
pub(crate) async fn lay(
    engine: &Engine,
    container: &str,
    tags: &BTreeMap<String, String>,
) -> Answer<()> {
    let mut all = read(engine, container).await?;
    all.extend(tags.clone());
    let content = json!({ "container": container, "tags": all }).to_string();
    archive::write(
        engine,
        container,
        DIRECTORY,
        &[File { path: NAME, content: content.as_bytes(), mode: 0o644, owner: (0, 0) }],
    )
    .await
}

fn parse(content: &[u8], container: &str) -> BTreeMap<String, String> {
    let file: Value = serde_json::from_slice(content).unwrap_or_default();
    if file["container"] != container {
        return BTreeMap::new();
    }
    serde_json::from_value(file["tags"].clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tags_of_this_container_count() {
        let file = json!({ "container": "c1", "tags": { "a": "b" } }).to_string();
        assert_eq!(parse(file.as_bytes(), "c1"), BTreeMap::from([("a".into(), "b".into())]));
        assert_eq!(parse(file.as_bytes(), "c2"), BTreeMap::new());
        assert_eq!(parse(b"no json", "c1"), BTreeMap::new());
    }
}
