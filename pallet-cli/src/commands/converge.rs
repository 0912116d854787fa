//! `pallet-cli converge`

use std::process::ExitCode;

use pallet_core::engine::{ConvergePlan, PlanError};

use super::offers::explain_choice;
use super::operation::{OperationOptions, groups, run};
use crate::context::Context;

/// Make the right number of nodes exist, and configure them
#[derive(Debug, clap::Args)]
pub(crate) struct Converge {
    /// Only these groups, each with another count than the declared one if it is given: web=3
    #[arg(value_name = "GROUP[=COUNT]")]
    groups: Vec<String>,
    #[command(flatten)]
    options: OperationOptions,
    /// Show every image, kind of machine and place that was considered for new nodes, and why it was chosen or not
    #[arg(long)]
    explain: bool,
    /// Destroy nodes without asking
    #[arg(long)]
    yes: bool,
}

impl Converge {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let groups = groups(&loaded, &self.groups)?;
        let options = self.options.lift_options(&loaded)?;
        let (yes, dry_run) = (self.yes, self.options.dry_run());
        run(context, &loaded, async |engine| {
            let agree = |plan: &ConvergePlan| {
                for (group, choice) in plan.choices.iter().filter(|_| self.explain) {
                    match choice {
                        Ok(choice) => explain_choice(context, group, Ok(choice)),
                        Err(PlanError::NoMatch(error)) => explain_choice(context, group, Err(error)),
                        Err(PlanError::Service(_)) => {}
                    }
                }
                if dry_run { Ok(true) } else { context.confirm_destroy(&plan.destroy, yes) }
            };
            engine.converge(&groups, &options, agree).await
        })
    }
}
