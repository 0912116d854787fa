//! `pallet-cli facts`

use std::process::ExitCode;

use pallet_core::engine::natural;

use crate::context::Context;
use crate::operation::{ask, code, selection};
use crate::output::facts;

pub(crate) use crate::verbs::Facts;

impl Facts {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let selection = selection(context, &loaded, &self.names, &self.selection, None)?;
        let mut found = ask(context, &loaded, async |engine| {
            engine.facts(&loaded.project.groups, &selection).await
        })?;
        found.sort_by_cached_key(|facts| natural(&facts.node.name));
        let printer = &context.printer;
        match printer.json() {
            true => printer.value(&found.iter().map(facts::value).collect()),
            false => printer.text(&facts::text(printer, &found)),
        }
        Ok(ExitCode::from(code(false, found.iter().all(|facts| facts.known.is_ok()))))
    }
}
