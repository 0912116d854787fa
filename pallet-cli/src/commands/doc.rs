//! `pallet-cli doc`

use std::process::ExitCode;

use anyhow::bail;
use pallet_core::model::PluginKind;

use crate::context::Context;
use crate::output::about::About;
use crate::output::reference::{Entry, actions, page, text};
use crate::output::table;
use crate::project::{declarations, did_you_mean};

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
                    context.printer.value(&actions.iter().map(Entry::json).collect());
                } else {
                    context.printer.text(&table(&["action", "what it ensures"], rows));
                }
            }
            Some(name) => {
                let (about, entries) = find(context, &actions, name)?;
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

/// What a name means: the plugin, where it is one of those as a whole, and the entries to explain.
pub(crate) fn find(
    context: &Context,
    actions: &[Entry],
    name: &str,
) -> anyhow::Result<(Option<About>, Vec<Entry>)> {
    let declarations = declarations();
    if let Some(entry) = actions.iter().chain(&declarations).find(|entry| entry.name == name) {
        return Ok((None, vec![entry.clone()]));
    }
    let registry = context.registry(false)?;
    if let Some(provider) = name.strip_prefix("provider:") {
        let manifest = registry.provider_manifest(provider)?;
        let entry = Entry::of_options(&manifest);
        return Ok((Some(About::of(&registry, PluginKind::Provider, manifest)), vec![entry]));
    }
    let plain = name.strip_prefix("crate:").unwrap_or(name);
    let (of, function) =
        plain.split_once('.').map_or((plain, None), |(of, function)| (of, Some(function)));
    let crates = registry.names(PluginKind::Crate);
    if !crates.contains(&of) {
        if registry.names(PluginKind::Provider).contains(&of) {
            bail!(
                "there is no action and no crate {name}; the provider is explained by \
                `pallet-cli doc provider:{of}`"
            );
        }
        let known = actions
            .iter()
            .chain(&declarations)
            .map(|entry| entry.name.as_str())
            .chain(crates.iter().copied());
        let help = did_you_mean(name, known).unwrap_or_else(|| {
            "`pallet-cli doc` lists the actions, \
                `pallet-cli crates` the crates"
                .to_owned()
        });
        bail!("there is no action and no crate {name}; {help}");
    }
    let manifest = registry.crate_manifest(of)?;
    let entries: Vec<Entry> =
        manifest.functions.iter().map(|known| Entry::of_function(of, known)).collect();
    let Some(function) = function else {
        return Ok((Some(About::of(&registry, PluginKind::Crate, manifest)), entries));
    };
    match manifest.functions.iter().position(|known| known.name == function) {
        Some(position) => Ok((None, vec![entries[position].clone()])),
        None => {
            let names = manifest.functions.iter().map(|known| known.name.as_str());
            let all = names.clone().collect::<Vec<_>>().join(", ");
            bail!(
                "the crate {of} has no function {function}; {}",
                did_you_mean(function, names).unwrap_or(format!("it has {all}"))
            );
        }
    }
}
