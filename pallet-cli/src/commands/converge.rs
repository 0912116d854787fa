//! `pallet-cli converge`

use std::process::ExitCode;

use pallet_core::engine::{ConvergePlan, PlanError};

use super::offers::explain_choice;
use crate::context::{Asked, Context};
use crate::operation::{groups, lift_options, run, time_limit};

pub(crate) use crate::verbs::Converge;

impl Converge {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        // a project without groups may still have nodes
        let groups = if self.remove_undeclared {
            loaded.project.groups.clone()
        } else {
            groups(&loaded, &self.groups)?
        };
        let options = lift_options(&self.options, &loaded)?;
        let (yes, dry_run) = (self.yes, self.options.dry_run);
        let asked = Asked::of("converge", &self).unless(self.options.no_journal || dry_run);
        run(context, &loaded, asked, time_limit(&self.options), async |engine| {
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
                let destroy = plan.destroy.clone();
                if self.remove_undeclared
                    || (self.groups.is_empty()
                        && !dry_run
                        && context.confirm_undeclared(&plan.undeclared))
                {
                    plan.remove_undeclared();
                }
                // only `destroy` needs confirmation: the user already agreed to remove undeclared
                // nodes
                if dry_run { Ok(true) } else { context.confirm_destroy(&destroy, yes) }
            };
            engine.converge(&groups, &options, agree).await
        })
    }
}
