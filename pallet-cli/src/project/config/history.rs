//! The table `[history]`: how long journals are kept.

use pallet_core::schemars::JsonSchema;

/// How long the journals of operations are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct HistoryConfig {
    /// Remove journals that are older than this many days. Default: 90.
    pub(crate) days: Option<u32>,
    /// Keep at most the journals of this many operations. Default: 1,000.
    pub(crate) operations: Option<u32>,
}

impl HistoryConfig {
    /// The number of days, or the default.
    pub(crate) fn days(&self) -> u32 {
        self.days.unwrap_or(90)
    }

    /// The number of operations, or the default.
    pub(crate) fn operations(&self) -> usize {
        self.operations.map_or(1000, |number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    pub(super) fn merged(self, over: HistoryConfig) -> HistoryConfig {
        HistoryConfig {
            days: over.days.or(self.days),
            operations: over.operations.or(self.operations),
        }
    }
}
