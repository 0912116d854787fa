//! The table `[history]`: how long journals are kept.

use pallet_core::schemars::JsonSchema;
use toml::Spanned;
use toml::de::DeValue;

use super::keys::keys;
use super::read::Reader;

/// How long the journals of operations are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct HistoryConfig {
    /// Remove journals that are older than this many days. Default: 90.
    pub(crate) days: Option<u32>,
    /// Keep at most the journals of this many operations. Default: 1,000.
    pub(crate) operations: Option<u32>,
}

impl Reader<'_> {
    pub(super) fn history(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> HistoryConfig {
        let mut history = HistoryConfig::default();
        for (key, span, value) in self.table(key, value) {
            match key {
                "days" => history.days = self.positive(key, value, key),
                "operations" => history.operations = self.positive(key, value, key),
                _ => self.unknown(span, key, "history", &keys::<HistoryConfig>()),
            }
        }
        history
    }
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
