//! The commands, one file each. To add one: its file, and its line in the table below.

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;

mod offers;
pub(crate) mod operation;
mod plugins;
mod registry_options;

pub(crate) use registry_options::RegistryOptions;

macro_rules! commands {
    ($($(#[$doc:meta])* $module:ident::$command:ident,)*) => {
        $(pub(crate) mod $module;)*

        /// What to do.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($(#[$doc])* $command($module::$command),)*
        }

        impl Command {
            pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
                match self {
                    $(Command::$command(command) => command.run(context),)*
                }
            }
        }
    };
}

commands! {
    init::Init,
    check::Check,
    converge::Converge,
    lift::Lift,
    down::Down,
    explain::Explain,
    graph::Graph,
    run::Run,
    cp::Cp,
    nodes::Nodes,
    images::Images,
    hardware::Hardware,
    locations::Locations,
    repl::Repl,
    ssh::Ssh,
    doc::Doc,
    new::New,
    test::Test,
    providers::Providers,
    add_service::AddService,
    crates::Crates,
    install::Install,
    update::Update,
    uninstall::Uninstall,
    list::List,
    outdated::Outdated,
    search::Search,
    mirror::Mirror,
    verify::Verify,
    gc::Gc,
    publish::Publish,
    generate_key::GenerateKey,
    lsp::Lsp,
    version::Version,
    completions::Completions,
    man::Man,
}
