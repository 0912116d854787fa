//! `pallet-cli doc`

use std::process::ExitCode;

use crate::context::Context;
use crate::output::table;
use crate::reference::{DocEntry, actions, find, page, text};

/// Explain an action, a function that declares something, a crate or one of its functions, or the
/// options of a provider
#[derive(Debug, clap::Args)]
pub(crate) struct Doc {
    /// An action (`remote_file`), a declaration (`group_spec`), a crate (`nginx`), one of its
    /// functions (`nginx.site`), or a provider (`provider:sandbox`); none: list all actions.
    /// `crate:` before a name means a crate whose name is also an action's
    name: Option<String>,
    /// Print the reference of all actions as a page in Markdown
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
