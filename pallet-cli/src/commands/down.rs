//! `pallet-cli down`

use std::process::ExitCode;

use anyhow::bail;
use pallet_core::engine::{LiftOptions, NodeChanges};
use pallet_core::model::Node;

use crate::context::{Asked, Context};
use crate::operation::{Ending, run, selection};
use crate::project::{LoadedProject, MAIN};

pub(crate) use crate::verbs::Down;

impl Down {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load_for_nodes(true)?;
        context.confirm_stage(&loaded.project)?;
        refuse_unknown(&loaded.project)?;
        let yes = self.yes;
        let asked = Asked::of("down", &self).unless(self.no_journal);
        let node_changes = NodeChanges { unprotect: self.unprotect, ..NodeChanges::default() };
        let selection = selection(context, &loaded, &self.names, &self.selection, None)?;
        let options = LiftOptions { node_changes, selection, ..LiftOptions::default() };
        run(context, &loaded, asked, Ending::default(), async |engine| {
            let stop = || engine.cancel.is_cancelled();
            let agree = |nodes: &[Node]| context.confirm_destroy(nodes, yes, &stop);
            engine.down(&loaded.project.groups, &options, agree).await
        })
    }
}

/// Refuses if a stage protects nodes and nobody can tell which.
fn refuse_unknown(project: &LoadedProject) -> anyhow::Result<()> {
    let guarded = project.stage.as_ref().filter(|(_, stage)| stage.protect.is_any());
    match guarded {
        Some((name, _)) if project.groups.is_empty() => bail!(
            "stage {name} protects nodes, and which these are is not known without {MAIN}; \
             `pallet-cli check` shows what is wrong with it"
        ),
        _ => Ok(()),
    }
}
