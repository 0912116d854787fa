//! `pallet-cli nodes`

use std::process::ExitCode;

use pallet_core::engine::natural;

use crate::context::Context;
use crate::operation::{ask, selection};
use crate::output::{nodes, table};

pub(crate) use crate::verbs::Nodes;

impl Nodes {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let json = context.printer.json();
        let loaded = context.load_for_nodes(!json)?;
        let selection = selection(context, &loaded, &self.names, &self.selection, None)?;
        let engine = context.engine(&loaded)?;
        let mut found = match selection.matching {
            None => {
                let all = engine.service.nodes()?;
                let chosen = selection.choose(&all, &loaded.project.groups)?;
                chosen.into_iter().map(|position| all[position].clone()).collect()
            }
            Some(_) => ask(context, &loaded, async |engine| {
                engine.select(&loaded.project.groups, &selection).await
            })?,
        };
        found.sort_by_cached_key(|node| natural(&node.name));
        let knows = loaded.project.knows_groups;
        if json {
            if !knows {
                context.printer.aside(
                    "pallet.star cannot be loaded, so undeclared groups cannot be marked; run \
                     `pallet-cli check` for details",
                );
            }
            let mut shown = serde_json::to_value(&found)?;
            for (shown, node) in
                shown.as_array_mut().into_iter().flatten().zip(&found).filter(|_| knows)
            {
                shown["declared"] = loaded.project.declares(node).into();
            }
            context.printer.value(&shown);
            return Ok(ExitCode::SUCCESS);
        }
        let rows = found.iter().map(|node| {
            let mut row = nodes::row(node);
            if knows && !loaded.project.declares(node) {
                row[1] = format!("{} (not declared)", row[1]).trim_start().to_owned();
            }
            row.to_vec()
        });
        context.printer.text(&table(&nodes::TITLES, rows));
        Ok(ExitCode::SUCCESS)
    }
}
