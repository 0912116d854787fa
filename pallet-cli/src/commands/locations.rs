//! `pallet-cli locations`

use std::process::ExitCode;

use pallet_core::engine::template::OfferKind;

use crate::context::Context;

pub(crate) use crate::verbs::Locations;

impl Locations {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        self.options.list(context, OfferKind::Location, &["LOCATION", "NAME"], |offers| {
            let row = |location: &pallet_core::plugin::Location| {
                vec![location.id.clone(), location.name.clone()]
            };
            (offers.locations.clone(), offers.locations.iter().map(row).collect())
        })
    }
}
