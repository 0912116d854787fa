//! The commands, one file each. To add one, add its file and a line to the table below.

use std::process::ExitCode;

use clap::Subcommand;

use crate::context::Context;

pub(crate) mod completions;
pub(crate) mod doc;
pub(crate) mod man;
mod offers;
mod plugins;

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
    plan::Plan,
    down::Down,
    explain::Explain,
    graph::Graph,
    run::Run,
    cp::Cp,
    history::History,
    report::Report,
    watch::Watch,
    environment::Environment,
    diff_stages::DiffStages,
    schedule::Schedule,
    nodes::Nodes,
    facts::Facts,
    images::Images,
    hardware::Hardware,
    locations::Locations,
    repl::Repl,
    ssh::Ssh,
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
}

/// Global options that a command accepts but does not use. Its help does not list them.
pub(crate) const UNUSED_OPTIONS: &[(&str, &[&str])] = &[
    ("init", &["service", "environment", "verbose"]),
    ("doc", &["service", "environment", "verbose"]),
    ("history", &["service", "environment"]),
    ("report", &["service", "environment", "verbose"]),
    ("watch", &["service", "environment", "verbose"]),
    ("schedule", &["verbose"]),
    ("new", &["directory", "service", "environment", "verbose"]),
    ("add-service", &["service", "environment", "verbose"]),
    ("providers", &["verbose"]),
    ("crates", &["service", "environment", "verbose"]),
    ("install", &["service", "environment", "verbose"]),
    ("update", &["service", "environment", "verbose"]),
    ("uninstall", &["service", "environment", "verbose"]),
    ("list", &["service", "environment", "verbose"]),
    ("outdated", &["service", "environment", "verbose"]),
    ("search", &["service", "environment", "verbose"]),
    ("mirror", &["service", "environment", "verbose"]),
    ("verify", &["service", "environment", "verbose"]),
    ("gc", &["directory", "service", "environment", "verbose"]),
    ("publish", &["service", "environment"]),
    ("generate-key", &["directory", "service", "environment", "verbose"]),
    ("lsp", &["directory", "output", "verbose"]),
    ("version", &["directory", "service", "environment", "verbose"]),
    ("completions", &["directory", "service", "environment", "output", "verbose"]),
    ("man", &["directory", "service", "environment", "output", "verbose"]),
];
