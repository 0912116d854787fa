//! `pallet-cli doc`

use std::process::ExitCode;

use anyhow::bail;
use clap::CommandFactory;

use crate::cli::Cli;
use crate::context::Context;
use crate::output::pages::{Page, configuration, find, named, request};
use crate::output::reference::{Entry, actions, text};
use crate::output::table;
use crate::project::declarations;
use crate::session::signatures;

/// Explain an action, a declaration, a crate, a provider, the request, or pallet.toml
#[derive(Debug, clap::Args)]
pub(crate) struct Doc {
    /// An action (`remote_file`), a declaration (`group_spec`), a function of the REPL (`converge`),
    /// the `request` or one of its members (`request.settings`), `pallet.toml` or one of its tables
    /// (`admin_user`), a crate (`nginx`), one of its functions (`nginx.site`), or a provider
    /// (`provider:sandbox`) [default: list all]. Write `crate:NAME` for a crate whose name is also
    /// an action's
    name: Option<String>,
    /// Print a page of the reference in Markdown
    #[arg(
        long,
        value_enum,
        value_name = "PAGE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "actions",
        conflicts_with = "name"
    )]
    markdown: Option<Page>,
}

impl Doc {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let session: Vec<Entry> = signatures().iter().map(Entry::of_signature).collect();
        if let Some(page) = self.markdown {
            let registry = context.registry(false)?;
            context.printer.text(&page.markdown(&registry, &Cli::command(), &session)?);
            return Ok(ExitCode::SUCCESS);
        }
        match &self.name {
            None => list(context, session),
            Some(name) => explain(context, name, &session)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists everything that can be explained.
fn list(context: &Context, session: Vec<Entry>) {
    let kinds = [
        ("action", "ACTION", "WHAT IT ENSURES", actions()),
        ("declaration", "DECLARATION", "WHAT IT DECLARES", declarations()),
        ("request", "REQUEST", "WHAT IT IS", request()),
        ("table", "PALLET.TOML", "WHAT IT CONFIGURES", configuration()),
        ("function", "FUNCTION OF THE REPL", "WHAT IT DOES", session),
    ];
    if context.printer.json() {
        let entries = kinds.iter().flat_map(|(kind, .., entries)| {
            entries.iter().map(|entry| {
                let mut value = entry.json();
                value["kind"] = (*kind).into();
                value
            })
        });
        return context.printer.value(&entries.collect());
    }
    let tables = kinds.map(|(_, name, about, entries)| {
        let rows = entries.iter().map(|entry| vec![entry.name.clone(), entry.summary()]);
        table(&[name, about], rows)
    });
    context.printer.text(&tables.join("\n"));
}

/// Explains everything that has this name.
fn explain(context: &Context, name: &str, session: &[Entry]) -> anyhow::Result<()> {
    let actions = actions();
    let mut entries: Vec<Entry> = actions.iter().filter(|one| one.name == name).cloned().collect();
    entries.extend(named(name, session));
    let is_command = Cli::command().find_subcommand(name).is_some();
    let (about, found) = match entries.is_empty() {
        true => match find(&actions, name, || context.registry(false)) {
            Err(_) if is_command => {
                bail!("{name} is a command of pallet-cli; see `pallet-cli help {name}`")
            }
            found => found?,
        },
        false => (None, entries),
    };
    if let Some(plugin) = about {
        match context.printer.json() {
            true => context.printer.value(&plugin.json()),
            false => context.printer.text(&plugin.text()),
        }
    }
    for entry in found {
        match context.printer.json() {
            true => context.printer.value(&entry.json()),
            false => context.printer.text(&text(&entry)),
        }
    }
    if is_command && !context.printer.json() {
        context.printer.line(&format!("On the command line: `pallet-cli help {name}`."));
    }
    Ok(())
}
