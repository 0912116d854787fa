//! `pallet-cli cp`

use std::process::ExitCode;

use pallet_core::engine::{CopyOptions, CopyRequest};
use serde::Serialize;

use crate::context::{Asked, Context};
use crate::operation::{code, drive, selection};
use crate::output::copy_result::copy_result;
use crate::verbs::SelectionOptions;

/// Copy files between this machine and nodes
///
/// NODE:/path is a file on a node, GROUP:/path one on each node of a group. Files from a group or
/// from several nodes are written to TARGET/NODE/. Each file is replaced atomically.
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct Cp {
    /// Files to copy and their destination: `site.tar web:/srv/`, `web:/var/log/syslog logs/`
    #[arg(value_name = "SOURCE... TARGET", required = true, num_args = 2..)]
    places: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    selection: SelectionOptions,
    /// Copy directories recursively
    #[arg(short, long)]
    recursive: bool,
    /// Read and write on nodes as the login user [default: root, with sudo if necessary]
    #[arg(long)]
    no_sudo: bool,
    /// Maximum number of nodes in parallel
    #[arg(
        long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    parallel: u16,
    /// Do not write the operation to the journal
    #[arg(long)]
    no_journal: bool,
}

impl Cp {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let request = CopyRequest::parse(&self.places)?;
        let asked = Asked::of("cp", &self).unless(self.no_journal);
        let loaded = context.load_for_nodes(false)?;
        context.confirm_stage(&loaded.project)?;
        let groups = &loaded.project.groups;
        let options = CopyOptions {
            recursive: self.recursive,
            no_sudo: self.no_sudo,
            parallel: self.parallel.into(),
            by_node: false,
            selection: selection(context, &loaded, &[], &self.selection, None)?,
        };
        let (outcome, reporter) = drive(context, &loaded, asked, async |engine| {
            engine.copy(groups, &request, &options).await
        })?;
        let seconds = reporter.seconds();
        if !context.printer.json() {
            context.printer.text(&copy_result(&context.printer, &outcome, seconds));
        }
        reporter.tell_others();
        Ok(ExitCode::from(code(outcome.cancelled, outcome.ok())))
    }
}
