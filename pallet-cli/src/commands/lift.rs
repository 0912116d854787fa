//! `pallet-cli lift`

use std::process::ExitCode;

use pallet_core::engine::LiftOptions;

use crate::context::{Asked, Context};
use crate::operation::{groups, lift_options, run, time_limit};

pub(crate) use crate::verbs::Lift;

impl Lift {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        if let Some(word) = self.groups.iter().find(|word| word.contains('=')) {
            anyhow::bail!("{word}: lift does not change node counts; use converge");
        }
        let groups = groups(&loaded, &self.groups)?;
        let options =
            LiftOptions { drift_only: self.drift_only, ..lift_options(&self.options, &loaded)? };
        let asked = Asked::of("lift", &self);
        let asked =
            asked.unless(self.options.no_journal || self.options.dry_run || self.drift_only);
        run(context, &loaded, asked, time_limit(&self.options), async |engine| {
            engine.lift(&groups, &options).await.map(Some)
        })
    }
}
