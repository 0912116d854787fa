//! `pallet-cli converge`

use std::process::ExitCode;

use pallet_core::engine::{ConvergePlan, LiftOptions, NodeChanges, PlanError};

use super::offers::explain_choice;
use crate::context::{Asked, Context};
use crate::operation::{
    Ending, JunitFile, confirm_waves, groups, lift_options, resume, run, selection,
};

pub(crate) use crate::verbs::Converge;

impl Converge {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let junit = JunitFile::of(&self.junit, false)?;
        let result = self.converge(context, &junit);
        junit.write(result)
    }

    fn converge(mut self, context: &Context, junit: &JunitFile) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let resumed = resume::<Self>(context, &loaded, "converge", &self.resumption)?;
        let resumed = resumed.map(|(before, resume)| {
            let now = std::mem::replace(&mut self, before);
            self.yes |= now.yes;
            self.unprotect.extend(now.unprotect);
            self.options.go_on_with(&now.options);
            resume
        });
        self.options.check()?;
        if !self.options.dry_run {
            context.confirm_stage(&loaded.project)?;
        }
        // a project without groups may still have nodes
        let groups = if self.remove_undeclared {
            loaded.project.groups.clone()
        } else {
            groups(&loaded, &self.groups)?
        };
        let node_changes = NodeChanges {
            replace: self.replace.clone(),
            replace_outdated: self.replace_outdated,
            unprotect: self.unprotect.clone(),
        };
        let resume = resumed.clone();
        let before = resumed.as_ref().map(|resume| resume.selected());
        let selection = selection(context, &loaded, &[], &self.selection, before)?;
        let options = lift_options(&self.options, &loaded)?;
        let options = LiftOptions { node_changes, resume, selection, ..options };
        let options = confirm_waves(context, self.options.confirm_waves, options)?;
        let (yes, dry_run) = (self.yes, self.options.dry_run);
        let asked = Asked::of("converge", &self).resuming(resumed.as_deref());
        let asked = asked.unless(self.options.no_journal || dry_run);
        run(context, &loaded, asked, Ending::of(&self.options), async |engine| {
            let stop = || engine.cancel.is_cancelled();
            let agree = |plan: &mut ConvergePlan| {
                for (group, choice) in plan.choices.iter().filter(|_| self.explain) {
                    match choice {
                        Ok(choice) => explain_choice(context, group, Ok(choice)),
                        Err(PlanError::NoMatch(error)) => {
                            explain_choice(context, group, Err(error))
                        }
                        Err(PlanError::Service(_)) => {}
                    }
                }
                let leaving = plan.leaving();
                if self.remove_undeclared
                    || (self.groups.is_empty()
                        && !dry_run
                        && context.confirm_undeclared(&plan.undeclared, &stop))
                {
                    plan.remove_undeclared();
                }
                // the user already agreed to remove undeclared nodes
                if dry_run { Ok(true) } else { context.confirm_destroy(&leaving, yes, &stop) }
            };
            junit.listen(&engine).converge(&groups, &options, agree).await
        })
    }
}
