//! `pallet-cli images`

use std::process::ExitCode;

use pallet_core::engine::template::OfferKind;

use crate::context::Context;

pub(crate) use crate::verbs::Images;

impl Images {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        self.options.list(
            context,
            OfferKind::Image,
            &["IMAGE", "NAME", "SYSTEM", "LOGIN USER"],
            |offers| {
                let row = |image: &pallet_core::plugin::Image| {
                    let system = image.os.as_ref().map(ToString::to_string).unwrap_or_default();
                    vec![
                        image.id.clone(),
                        image.name.clone(),
                        system,
                        image.login_user.clone().unwrap_or_default(),
                    ]
                };
                (offers.images.clone(), offers.images.iter().map(row).collect())
            },
        )
    }
}
