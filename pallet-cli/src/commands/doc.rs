//! `pallet-cli doc`

use std::process::ExitCode;

use anyhow::bail;

use crate::context::Context;
use crate::output::table;
use crate::reference::{
    DocEntry, Page, actions, configuration, declarations, find, named, request, text,
};
use crate::session::signatures;

/// Show the documentation of an action, a declaration, a plugin, the request, or pallet.toml
#[derive(Debug, clap::Args)]
pub(crate) struct Doc {
    /// Action (`remote_file`), declaration (`group_spec`), function of the REPL (`converge`),
    /// `request` or a member of it (`request.settings`), `pallet.toml` or a table of it
    /// (`admin_user`), crate (`nginx`), crate function (`nginx.site`), or provider
    /// (`provider:sandbox`) [default: list all]. Use `crate:` when an action and a crate have the
    /// same name
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
    /// Prints the documentation. The reference of commands is generated from `command_line`.
    pub(crate) fn run(
        self,
        context: &Context,
        command_line: &clap::Command,
    ) -> anyhow::Result<ExitCode> {
        let session: Vec<DocEntry> = signatures().iter().map(DocEntry::of_signature).collect();
        if let Some(page) = self.markdown {
            let registry = context.registry(false)?;
            context.printer.text(&page.markdown(&registry, command_line, &session)?);
            return Ok(ExitCode::SUCCESS);
        }
        match &self.name {
            None => list(context, session),
            Some(name) => explain(context, name, command_line, &session)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists everything that has documentation.
fn list(context: &Context, session: Vec<DocEntry>) {
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

/// Explains everything with this name.
fn explain(
    context: &Context,
    name: &str,
    command_line: &clap::Command,
    session: &[DocEntry],
) -> anyhow::Result<()> {
    let actions = actions();
    let mut entries: Vec<DocEntry> =
        actions.iter().filter(|one| one.name == name).cloned().collect();
    entries.extend(named(name, session));
    let is_command = command_line.find_subcommand(name).is_some();
    let (about, found) = match entries.is_empty() {
        true => match find(|| context.registry(false), &actions, name) {
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
