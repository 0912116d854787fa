//! `pallet-cli lift`

use std::process::ExitCode;

use pallet_core::engine::LiftOptions;

use crate::context::{Asked, Context};
use crate::operation::{
    Ending, JunitFile, confirm_waves, groups, lift_options, resume, run, selection,
};

pub(crate) use crate::verbs::Lift;

impl Lift {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let junit = JunitFile::of(&self.junit, self.drift_only)?;
        let result = self.lift(context, &junit);
        junit.write(result)
    }

    fn lift(mut self, context: &Context, junit: &JunitFile) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let resumed = resume::<Self>(context, &loaded, "lift", &self.resumption)?;
        let resumed = resumed.map(|(before, resume)| {
            let now = std::mem::replace(&mut self, before);
            self.options.go_on_with(&now.options);
            resume
        });
        if let Some(word) = self.groups.iter().find(|word| word.contains('=')) {
            anyhow::bail!("{word}: lift does not change node counts; use converge");
        }
        self.options.check()?;
        if !self.options.dry_run && !self.drift_only {
            context.confirm_stage(&loaded.project)?;
        }
        let groups = groups(&loaded, &[])?;
        let before = resumed.as_ref().map(|resume| resume.selected());
        let selection = selection(context, &loaded, &self.groups, &self.selection, before)?;
        let options = LiftOptions {
            drift_only: self.drift_only,
            selection,
            resume: resumed.clone(),
            ..lift_options(&self.options, &loaded)?
        };
        let options = confirm_waves(context, self.options.confirm_waves, options)?;
        let asked = Asked::of("lift", &self).resuming(resumed.as_deref());
        let asked =
            asked.unless(self.options.no_journal || self.options.dry_run || self.drift_only);
        run(context, &loaded, asked, Ending::of(&self.options), async |engine| {
            junit.listen(&engine).lift(&groups, &options).await.map(Some)
        })
    }
}
