//! `pallet-cli down`

use std::process::ExitCode;

use pallet_core::engine::{LiftOptions, NodeChanges};
use pallet_core::model::Node;

use crate::context::{Asked, Context};
use crate::operation::{Ending, run, selection};

pub(crate) use crate::verbs::Down;

impl Down {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load_for_nodes(true)?;
        context.confirm_stage(&loaded.project)?;
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
