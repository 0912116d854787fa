//! The types of file systems.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Types of file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilesystemType {
    /// The usual one of Linux.
    Ext4,
    /// The usual one of Red Hat's systems.
    Xfs,
    /// With snapshots.
    Btrfs,
    /// FAT, as firmware reads it.
    Vfat,
}

impl FilesystemType {
    pub(super) fn name(self) -> &'static str {
        match self {
            FilesystemType::Ext4 => "ext4",
            FilesystemType::Xfs => "xfs",
            FilesystemType::Btrfs => "btrfs",
            FilesystemType::Vfat => "vfat",
        }
    }
}
