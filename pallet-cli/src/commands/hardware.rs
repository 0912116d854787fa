//! `pallet-cli hardware`

use std::process::ExitCode;

use pallet_core::engine::template::OfferKind;

use crate::context::Context;

pub(crate) use crate::verbs::Hardware;

impl Hardware {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let header = ["HARDWARE", "CORES", "RAM MiB", "DISK GiB", "ARCHITECTURES", "PRICE/HOUR"];
        self.options.list(context, OfferKind::Hardware, &header, |offers| {
            let row = |hardware: &pallet_core::plugin::Hardware| {
                let disk = hardware.disk.map(|disk| disk.to_string()).unwrap_or_default();
                let price = hardware.price.map(|price| price.to_string()).unwrap_or_default();
                vec![
                    hardware.id.clone(),
                    hardware.cores.to_string(),
                    hardware.ram.to_string(),
                    disk,
                    hardware.arch.join(", "),
                    price,
                ]
            };
            (offers.hardware.clone(), offers.hardware.iter().map(row).collect())
        })
    }
}
