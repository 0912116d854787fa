//! A session of work on plugins.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::contents::Contents;
use super::installer::Installer;
use crate::distribution::artifact::{Digest, Plugin};
use crate::distribution::lock::Origin;

/// A session, in which every request is sent once.
pub struct Session<'a> {
    pub(super) installer: &'a Installer,
    pub(super) opened: BTreeMap<Origin, Contents>,
    pub(super) versions: BTreeMap<Origin, Vec<Version>>,
    pub(super) plugins: BTreeMap<(Origin, Version), Plugin>,
    /// Indexes whose signatures were verified in this session.
    pub(super) verified: BTreeSet<Digest>,
}

impl Installer {
    /// Starts a session.
    pub fn session(&self) -> Session<'_> {
        Session {
            installer: self,
            opened: BTreeMap::new(),
            versions: BTreeMap::new(),
            plugins: BTreeMap::new(),
            verified: BTreeSet::new(),
        }
    }
}
