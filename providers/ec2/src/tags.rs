//! The tags by which all resources of a project can be found from any machine.

use std::collections::BTreeMap;

use pallet_core::prelude::*;
use sha2::{Digest, Sha256};

pub(crate) const PROJECT: &str = node_tags::PROJECT.tag;
pub(crate) const GROUP: &str = node_tags::GROUP.tag;
pub(crate) const NAME: &str = node_tags::NAME.tag;
/// The host key that a node was created with, so that every machine can recognize an impostor.
pub(crate) const HOST_KEY: &str = node_tags::HOST_KEY.tag;
/// The login user of a fresh node.
pub(crate) const IMAGE_USER: &str = node_tags::IMAGE_USER.tag;
/// The number of earlier nodes with its name whose client tokens EC2 may still know.
pub(crate) const GENERATION: &str = "pallet-generation";

/// The tags of resources that belong to a whole project.
pub(crate) fn of_project(project: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(PROJECT.to_owned(), project.to_owned())])
}

/// EC2's filter by a tag.
pub(crate) fn filter(tag: &str) -> String {
    format!("tag:{tag}")
}

/// A project's name for use in EC2's names, with a digest if it has characters that are not allowed
/// there.
pub(crate) fn plain(project: &str) -> String {
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '-' }
    };
    let plain: String = project.chars().map(safe).take(100).collect();
    if plain == project { plain } else { format!("{plain}-{}", &digest(project)[..8]) }
}

/// The digest of a text, as 64 hexadecimal digits.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses project names that cannot be a tag.
pub(crate) fn check(project: &str) -> Result<(), PluginError> {
    let length = project.chars().count();
    if length == 0 || length > 255 || project.starts_with("aws:") {
        return Err(PluginError::invalid_input(format!(
            "`{project}` cannot be a tag of ec2; set another `name` of the project in pallet.toml"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_projects_never_share_a_name() {
        assert_eq!(plain("shop-1.x"), "shop-1.x");
        assert!(plain("my shop").starts_with("my-shop-"));
        assert_ne!(plain("my shop"), plain("my/shop"));
        assert!(check("").is_err() && check("shop").is_ok());
    }
}
