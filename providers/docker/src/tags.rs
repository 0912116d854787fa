//! Tags that a node gets while it exists.
//!
//! Labels of a container are fixed when it is made. So these tags are a file in the container,
//! which the engine reads and writes also while it is stopped, and which goes with it. It names its
//! container: an image that was made from a node brings no tags to others.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::archive::{self, File};
use crate::engine::Engine;

/// It is always there: engines keep the container's host name in it.
const DIRECTORY: &str = "/etc";
const NAME: &str = "pallet-tags.json";

/// The tags of a container.
pub(crate) async fn read(engine: &Engine, container: &str) -> Answer<BTreeMap<String, String>> {
    let content = archive::read_file(engine, container, &format!("{DIRECTORY}/{NAME}")).await?;
    Ok(content.map(|content| parse(&content, container)).unwrap_or_default())
}

/// Lays tags over those of a container.
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
