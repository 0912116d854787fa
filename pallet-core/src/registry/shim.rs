//! Stands for what the branch `artifact` brings.
use std::path::Path;
use super::artifact::ArtifactError;
#[derive(Debug, Clone, PartialEq)]
pub struct PublicKey(String);
impl std::fmt::Display for PublicKey { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) } }
impl std::str::FromStr for PublicKey { type Err = ArtifactError; fn from_str(s: &str) -> Result<Self, ArtifactError> { Ok(PublicKey(s.to_owned())) } }
pub(super) fn h1_of_directory(_: &Path) -> Result<String, ArtifactError> { Ok(String::new()) }
pub(super) fn unpack(_: &Path, _: &Path, _: &super::artifact::Target) -> Result<(), ArtifactError> { Ok(()) }
