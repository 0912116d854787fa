//! Opens repositories.

use super::layout::Layout;
#[cfg(feature = "registries")]
use super::registry::OciRegistry;
use super::{Access, Repository, Source};
use crate::distribution::artifact::ArtifactError;

/// Opens the repository at `source`. It need not exist yet, neither as a layout nor on a registry.
pub async fn open(source: &Source, access: &Access) -> Result<Box<dyn Repository>, ArtifactError> {
    Ok(match source {
        Source::Layout { .. } => Box::new(Layout::new(source)?),
        #[cfg(feature = "registries")]
        Source::Registry { .. } => Box::new(OciRegistry::open(source, access).await?),
        #[cfg(not(feature = "registries"))]
        Source::Registry { .. } => return Err(not_built(source, access)),
    })
}

/// The paths of the repositories under `source`. Many public registries do not list them.
pub async fn catalog(source: &Source, access: &Access) -> Result<Vec<String>, ArtifactError> {
    match source {
        Source::Layout { .. } => Layout::new(source)?.catalog(),
        #[cfg(feature = "registries")]
        Source::Registry { .. } => OciRegistry::open(source, access).await?.catalog().await,
        #[cfg(not(feature = "registries"))]
        Source::Registry { .. } => Err(not_built(source, access)),
    }
}

#[cfg(not(feature = "registries"))]
fn not_built(source: &Source, _: &Access) -> ArtifactError {
    ArtifactError::NotBuilt { place: source.to_string() }
}

#[cfg(all(test, not(feature = "registries")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_says_how_to_get_a_build_that_has_them() {
        let source: Source = "oci://example.com/crates/nginx".parse().unwrap();
        let Err(error) = open(&source, &Access::default()).await else { panic!("it opened") };
        assert_eq!(
            error.to_string(),
            "oci://example.com/crates/nginx: this pallet-cli was built without registries; build \
             it with `cargo build --release -p pallet-cli --features registries`, install a \
             release, or use a directory"
        );
    }
}
