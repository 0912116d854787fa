//! Publishes a plugin's artifact to a repository.
//!
//! A version is never overwritten: existing builds stay, and only missing targets are added. The
//! tag is set last, when everything is pushed and signed, so that an incomplete version is never
//! visible.

use super::index::Index;
use super::release::{Piece, Pushed, Release};
use super::{ArtifactError, Descriptor, Digest, Plugin, media};
use crate::distribution::repository::{Content, Reference, Repository};
use crate::distribution::signature::{
    self, PublicKey, Signed, SignerRule, SigningKey, TrustedRoot,
};
use crate::plugins::ANY_TARGET;

/// What publishing does, or would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// The digest of the index.
    pub index: Digest,
    /// All targets of the version, afterwards.
    pub targets: Vec<String>,
    /// The targets that the version had before.
    pub before: Vec<String>,
    /// Everything that is pushed, in order, except the parts of a signature. Empty if only a
    /// signature is added.
    pub pushed: Vec<Pushed>,
    /// The signer.
    pub signer: Option<PublicKey>,
}

/// A release, checked against the repository.
#[derive(Debug)]
pub struct Publishing<'a> {
    release: &'a Release,
    key: Option<&'a SigningKey>,
    /// Only a signature needs to be pushed.
    only_sign: bool,
    index: Piece,
    publication: Publication,
}

impl<'a> Publishing<'a> {
    /// Checks the repository and plans what to push. Changes nothing.
    pub async fn plan(
        repository: &dyn Repository,
        release: &'a Release,
        key: Option<&'a SigningKey>,
    ) -> Result<Self, ArtifactError> {
        let place = format!("{} {}", repository.source(), release.version);
        let refused = |message: String| ArtifactError::Refused { place: place.clone(), message };
        let published = published(repository, release, &place).await?;
        let index = release.index(published.as_ref().map(|(_, index)| index));
        let mut publication = Publication {
            index: index.descriptor.digest,
            targets: Vec::new(),
            before: Vec::new(),
            pushed: release.pieces(&index),
            signer: key.map(SigningKey::public),
        };
        let mut only_sign = false;
        if let Some((plugin, _)) = &published {
            publication.before = plugin.targets.keys().cloned().collect();
            let same = |target: &super::release::ReleasedTarget| {
                plugin
                    .targets
                    .get(&target.name)
                    .map(|there| there.manifest.digest == target.manifest.descriptor.digest)
            };
            if let Some(target) = release.targets.iter().find(|target| same(target) == Some(false))
            {
                return Err(refused(format!(
                    "has another build for {} already, and a version is never overwritten; raise \
                     the version",
                    target.name
                )));
            }
            let source = |name: &String| name == ANY_TARGET;
            if publication.before.iter().any(source)
                != release.targets.iter().any(|target| source(&target.name))
            {
                return Err(refused(
                    "is published already, and is either source or libraries, not both; raise the \
                     version"
                        .to_owned(),
                ));
            }
            only_sign = release.targets.iter().all(|target| same(target) == Some(true));
            let rules: Vec<SignerRule> =
                publication.signer.iter().cloned().map(SignerRule::from).collect();
            let signed =
                signature::verify(repository, &plugin.index, &rules, &TrustedRoot::default())
                    .await?;
            match (&signed, key) {
                (Signed::Unsigned | Signed::ByOthers(_), Some(_)) => {}
                (Signed::ByOthers(_), None) if !only_sign => {
                    return Err(refused(
                        "is signed, and adding a target changes the artifact; sign that too, with \
                         --key"
                            .to_owned(),
                    ));
                }
                _ if only_sign => {
                    return Err(refused(
                        "already exists; raise the version to publish something else".to_owned(),
                    ));
                }
                _ => {}
            }
            if only_sign {
                publication.pushed.clear();
                publication.index = plugin.index;
            }
        }
        publication.targets = publication
            .before
            .iter()
            .cloned()
            .chain(release.targets.iter().map(|target| target.name.clone()))
            .collect();
        publication.targets.sort();
        publication.targets.dedup();
        Ok(Publishing { release, key, only_sign, index, publication })
    }

    /// The plan.
    pub fn publication(&self) -> &Publication {
        &self.publication
    }

    /// Executes the plan. `progress` is called with each part that is pushed next.
    pub async fn run(
        self,
        repository: &dyn Repository,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Publication, ArtifactError> {
        if self.only_sign {
            let reference = Reference::Digest(self.publication.index);
            let (index, _) = repository.manifest(&reference).await?;
            self.sign(repository, &index, progress).await?;
            return Ok(self.publication);
        }
        for target in &self.release.targets {
            progress(&format!("files of {}", target.name));
            repository
                .put_blob(&target.config.descriptor, Content::Bytes(&target.config.content))
                .await?;
            repository
                .put_blob(&target.layer.descriptor, Content::Bytes(&target.layer.content))
                .await?;
            repository
                .put_manifest(&target.manifest.descriptor, &target.manifest.content, None)
                .await?;
        }
        progress("index");
        repository.put_manifest(&self.index.descriptor, &self.index.content, None).await?;
        self.sign(repository, &self.index.descriptor, progress).await?;
        // somebody else may have published in the meantime
        let place = format!("{} {}", repository.source(), self.release.version);
        let before: Vec<String> = published(repository, self.release, &place)
            .await?
            .map(|(plugin, _)| plugin.targets.into_keys().collect())
            .unwrap_or_default();
        if before != self.publication.before {
            return Err(ArtifactError::Refused {
                place,
                message: "somebody else is publishing it; run the command again".to_owned(),
            });
        }
        repository
            .put_manifest(&self.index.descriptor, &self.index.content, Some(&self.release.version))
            .await?;
        Ok(self.publication)
    }

    async fn sign(
        &self,
        repository: &dyn Repository,
        index: &Descriptor,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(), ArtifactError> {
        if let Some(key) = self.key {
            progress("signature");
            signature::sign(repository, index, key).await?;
        }
        Ok(())
    }
}

/// The published build of the release's version; an error if it is another plugin.
async fn published(
    repository: &dyn Repository,
    release: &Release,
    place: &str,
) -> Result<Option<(Plugin, Index)>, ArtifactError> {
    let (descriptor, content) =
        match repository.manifest(&Reference::Version(release.version.clone())).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
    let index = Index::parse(place, &descriptor, &content)?;
    let plugin = index.plugin(place, descriptor.digest)?;
    let requires =
        index.annotations.get(media::REQUIRES_KEY) == release.annotations.get(media::REQUIRES_KEY);
    if plugin.kind == release.kind
        && plugin.name == release.name
        && plugin.abi == release.abi.major
        && requires
    {
        return Ok(Some((plugin, index)));
    }
    let message = format!(
        "holds another plugin, or one that requires other crates ({}); raise the version",
        plugin.name
    );
    Err(ArtifactError::Refused { place: place.to_owned(), message })
}
