//! `pallet-cli doc`

use std::process::ExitCode;

use crate::context::Context;
use crate::output::table;
use crate::reference::{DocEntry, actions, find, page, text};

/// Show the documentation of an action, a declaration, a crate, a crate function, or a provider's
/// options
#[derive(Debug, clap::Args)]
pub(crate) struct Doc {
    /// Action (`remote_file`), declaration (`group_spec`), crate (`nginx`), crate function
    /// (`nginx.site`), or provider (`provider:sandbox`) [default: list all actions]. Use `crate:`
    /// when an action and a crate have the same name
    name: Option<String>,
    /// Print the reference of all actions as a Markdown page
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

impl Doc {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let actions = actions();
        if self.markdown {
            context.printer.text(&page(&actions));
            return Ok(ExitCode::SUCCESS);
        }
        match &self.name {
            None => {
                let rows = actions.iter().map(|entry| vec![entry.name.clone(), entry.summary()]);
                if context.printer.json() {
                    context.printer.value(&actions.iter().map(DocEntry::json).collect());
                } else {
                    context.printer.text(&table(&["action", "what it ensures"], rows));
                }
            }
            Some(name) => {
                let (about, entries) = find(|| context.registry(false), &actions, name)?;
                if let Some(plugin) = about {
                    match context.printer.json() {
                        true => context.printer.value(&plugin.json()),
                        false => context.printer.text(&plugin.text()),
                    }
                }
                for entry in entries {
                    match context.printer.json() {
                        true => context.printer.value(&entry.json()),
                        false => context.printer.text(&text(&entry)),
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
