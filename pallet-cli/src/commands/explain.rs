//! `pallet-cli explain`

use std::process::ExitCode;

use pallet_core::engine::ExplainOptions;
use pallet_core::model::Os;

use super::operation::{drive, phases};
use crate::context::Context;
use crate::error::SOME_NODE_FAILED;
use crate::output::explanation::text;

/// Show what each action asks of a node and does to it, who declared it, and the script that would
/// run; nothing is written
///
/// A group is explained as its first node would be made, with no node at all; a node that is there
/// is asked, as a dry run asks it.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Groups, or nodes that are there [default: all groups]
    #[arg(value_name = "GROUP|NODE")]
    names: Vec<String>,
    /// Explain this phase; may be repeated [default: what a converge of a group would run, or a
    /// lift of a node]
    #[arg(long = "phase", value_name = "PHASE")]
    phases: Vec<String>,
    /// Explain this code as a phase, with `request` in scope: 'package(request, "tree")'
    #[arg(short = 'e', long = "expression", value_name = "CODE")]
    code: Vec<String>,
    /// Take the nodes of groups to be this system: "debian 12", "rocky 9", "alpine" [default: what
    /// the node-spec means]
    #[arg(long, value_name = "SYSTEM")]
    os: Option<String>,
    /// Show all scripts, not only the short ones
    #[arg(long)]
    script: bool,
}

impl Explain {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let options = ExplainOptions {
            phases: phases(&loaded, &self.phases, &self.code)?,
            os: self
                .os
                .as_deref()
                .map(|name| Os::of_name(name, std::env::consts::ARCH))
                .transpose()?,
            ..ExplainOptions::default()
        };
        let (explanations, _) = drive(context, &loaded, async |engine| {
            engine.explain_named(&loaded.project.groups, &self.names, &options).await
        })?;
        match context.printer.json() {
            true => context.printer.value(&serde_json::to_value(&explanations)?),
            false => {
                let texts: Vec<_> = explanations
                    .iter()
                    .map(|explanation| text(&context.printer, explanation, self.script))
                    .collect();
                context.printer.text(&texts.join("\n"));
            }
        }
        let failed = explanations.iter().any(|explanation| explanation.error.is_some());
        Ok(if failed { ExitCode::from(SOME_NODE_FAILED) } else { ExitCode::SUCCESS })
    }
}
