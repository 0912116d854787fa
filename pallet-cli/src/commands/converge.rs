//! `pallet-cli converge`

use std::process::ExitCode;

use pallet_core::engine::{ConvergePlan, PlanError};

use super::offers::explain_choice;
use super::operation::{OperationOptions, groups, run};
use crate::context::Context;

/// Make the right number of nodes exist, and configure them
#[derive(Debug, clap::Args)]
pub(crate) struct Converge {
    /// Only these groups, each with another count than the declared one if it is given: web=3;
    /// old=0 for one that is not declared any more
    #[arg(value_name = "GROUP[=COUNT]")]
    groups: Vec<String>,
    #[command(flatten)]
    options: OperationOptions,
    /// Show every image, kind of machine and place that was considered for new nodes, and why it
    /// was chosen or not
    #[arg(long)]
    explain: bool,
    /// Destroy nodes without asking
    #[arg(long)]
    yes: bool,
    /// Destroy nodes of groups that the project does not declare any more, without asking
    #[arg(long, conflicts_with = "groups")]
    remove_undeclared: bool,
}

impl Converge {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        // a project whose last group is gone may still have its nodes
        let groups = if self.remove_undeclared {
            loaded.project.groups.clone()
        } else {
            groups(&loaded, &self.groups)?
        };
        let options = self.options.lift_options(&loaded)?;
        let (yes, dry_run) = (self.yes, self.options.dry_run());
        run(context, &loaded, self.options.time_limit(), async |engine| {
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
                // what was asked for in so many words is not asked again
                if dry_run { Ok(true) } else { context.confirm_destroy(&destroy, yes) }
            };
            engine.converge(&groups, &options, agree).await
        })
    }
}
