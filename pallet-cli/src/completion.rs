//! Completion in shells: the scripts of `pallet-cli completions` ask this program for what can
//! follow, with the variable [`COMPLETE`] set.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use pallet_core::action::TABLE;
use pallet_core::model::PluginKind;

use crate::context::{Context, GlobalOptions, ProjectWithPlugins};
use crate::output::Printer;
use crate::output::history::short_id;
use crate::process::{COMPLETE, ProcessEnv};

/// How long the service is waited for to list its nodes.
const ASKING: Duration = Duration::from_secs(1);

/// Answers a shell that asks for completions of this command line; `None`: nobody asks.
pub(crate) fn answer(env: &ProcessEnv, command: fn() -> clap::Command) -> Option<ExitCode> {
    ProcessEnv::variable(COMPLETE)?;
    let known = Arc::new(Known { env: env.clone(), loaded: OnceLock::new() });
    let asked = CompleteEnv::with_factory(|| with_completers(command(), &known)).var(COMPLETE);
    let directory = std::env::current_dir().ok();
    match asked.try_complete(std::env::args_os(), directory.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        // a shell has nowhere to show an error
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// What an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Nodes, groups and roles, after `!` and commas too.
    Nodes,
    Groups,
    OneNode,
    Phases,
    Services,
    Stages,
    /// Crates and their functions.
    Tags,
    /// Everything that has documentation.
    Documented,
    /// Operations in the journal.
    Operations,
}

impl Names {
    /// What an argument of a command names, if it names something of a project.
    fn of(command: &str, argument: &clap::Arg) -> Option<Self> {
        let value = argument.get_value_names().and_then(|names| names.first());
        Some(match (argument.get_id().as_str(), value.map(clap::builder::Str::as_str)) {
            ("service", _) => Names::Services,
            ("stage" | "confirm_stage", _) => Names::Stages,
            ("first" | "second", _) if command == "diff-stages" => Names::Stages,
            ("name", _) if command == "doc" => Names::Documented,
            ("node", _) if command == "ssh" => Names::OneNode,
            ("id", _) if ["report", "watch", "show"].contains(&command) => Names::Operations,
            ("first" | "second", _) if command == "diff" => Names::Operations,
            (_, Some("NODES" | "GROUP|NODES" | "NODES|FILE.star")) => Names::Nodes,
            (_, Some("GROUP" | "GROUP[=COUNT]")) => Names::Groups,
            (_, Some("NODE")) => Names::OneNode,
            (_, Some("PHASE")) => Names::Phases,
            (_, Some("TAGS")) => Names::Tags,
            _ => return None,
        })
    }
}

/// The command line, with completers for what is in a project.
fn with_completers(command: clap::Command, known: &Arc<Known>) -> clap::Command {
    let of = |name: String| {
        let known = known.clone();
        move |argument: clap::Arg| match Names::of(&name, &argument) {
            Some(names) => {
                let known = known.clone();
                let complete = move |current: &OsStr| known.candidates(names, current);
                argument.add(ArgValueCompleter::new(complete))
            }
            None => argument,
        }
    };
    let name = command.get_name().to_owned();
    command.mut_args(of(name)).mut_subcommands(|command| with_completers(command, known))
}

/// The project that is completed for.
struct Known {
    env: ProcessEnv,
    /// Loaded when it is first needed.
    loaded: OnceLock<Option<(Context, ProjectWithPlugins)>>,
}

impl Known {
    fn loaded(&self) -> Option<&(Context, ProjectWithPlugins)> {
        let load = || {
            let words = &self.env.arguments;
            let after = |options: &[&str]| {
                let at = words.iter().position(|word| options.contains(&word.as_str()))?;
                // the last word is the one that is completed
                words.get(at + 1).filter(|_| at + 2 < words.len()).cloned()
            };
            let global = GlobalOptions {
                directory: after(&["-C", "--directory"]).map(PathBuf::from),
                service: after(&["--service"]),
                stage: after(&["--stage"]),
                ..GlobalOptions::default()
            };
            let env = ProcessEnv { interactive: false, ..self.env.clone() };
            let context = Context {
                global: global.or_from(&env),
                printer: Printer::silent(),
                env,
                messages: Default::default(),
                secrets: Default::default(),
            };
            let registry = context.scan_without_own(&context.directory()).ok()?;
            let loaded = context.load_for_nodes_with(Arc::new(registry), false).ok()?;
            Some((context, loaded))
        };
        self.loaded.get_or_init(load).as_ref()
    }

    /// What can be completed from these characters.
    fn candidates(&self, names: Names, current: &OsStr) -> Vec<CompletionCandidate> {
        let Some(current) = current.to_str() else { return Vec::new() };
        // what is before the name stays
        let lists = matches!(names, Names::Nodes | Names::Tags);
        let begins = current.rfind(',').filter(|_| lists).map_or(0, |comma| comma + 1);
        let excludes = names == Names::Nodes && current[begins..].starts_with('!');
        let begins = begins + usize::from(excludes);
        let (before, word) = current.split_at(begins);
        // shells may insert what is offered as it is
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._@+:/".contains(c);
        let found = self.names(names).into_iter();
        let found = found.filter(|name| name.starts_with(word) && name.chars().all(plain));
        found.map(|name| CompletionCandidate::new(format!("{before}{name}"))).collect()
    }

    fn names(&self, names: Names) -> BTreeSet<String> {
        let Some((context, loaded)) = self.loaded() else { return BTreeSet::new() };
        let (project, registry) = (&loaded.project, &loaded.registry);
        let groups = || project.groups.iter().map(|group| group.name.clone());
        let roles = || project.groups.iter().flat_map(|group| group.server.roles.iter().cloned());
        let functions = || {
            let crates = registry.names(PluginKind::Crate).into_iter();
            let manifests = crates.filter_map(|name| {
                let functions = registry.crate_manifest(name).ok()?.functions.into_iter();
                let own = functions.map(|function| format!("{name}.{}", function.name));
                Some(own.chain([name.to_owned()]).collect::<Vec<_>>())
            });
            manifests.flatten().collect::<Vec<_>>()
        };
        match names {
            Names::Nodes => groups().chain(roles()).chain(nodes(context, loaded)).collect(),
            Names::Groups => groups().collect(),
            Names::OneNode => nodes(context, loaded).into_iter().collect(),
            Names::Phases => project
                .groups
                .iter()
                .flat_map(|group| group.server.phases.keys().cloned())
                .collect(),
            Names::Services => project.config.services.keys().cloned().collect(),
            Names::Stages => project.config.stages.keys().cloned().collect(),
            Names::Tags => functions().into_iter().collect(),
            Names::Operations => {
                let operations = context.journals(project).operations().unwrap_or_default();
                operations.iter().map(|operation| short_id(operation).to_owned()).collect()
            }
            Names::Documented => {
                let actions = TABLE.iter().map(|entry| entry.name.to_owned());
                functions().into_iter().chain(actions).collect()
            }
        }
    }
}

/// Providers that list nodes without asking anybody but this machine.
const LOCAL: [&str; 3] = ["localhost", "node-list", "sandbox"];

/// The names of the project's nodes: those of its last operation and, if nobody else has to be
/// asked, those that the service lists in time.
fn nodes(context: &Context, loaded: &ProjectWithPlugins) -> Vec<String> {
    let service = loaded.project.config.service(context.global.service.as_deref());
    let is_local = service.is_ok_and(|(_, service)| LOCAL.contains(&service.provider.as_str()));
    let engine = is_local.then(|| context.engine_without_passwords(loaded).ok()).flatten();
    let Some(engine) = engine else { return of_last_operation(context, loaded) };
    let (sender, listed) = std::sync::mpsc::channel();
    let ask = move || {
        // fails only if nobody waits any more
        let _ = sender.send(engine.service.nodes());
    };
    if std::thread::Builder::new().name("nodes".to_owned()).spawn(ask).is_err() {
        return Vec::new();
    }
    match listed.recv_timeout(ASKING) {
        Ok(Ok(nodes)) => nodes.into_iter().map(|node| node.name).collect(),
        _ => Vec::new(),
    }
}

fn of_last_operation(context: &Context, loaded: &ProjectWithPlugins) -> Vec<String> {
    let journals = context.journals(&loaded.project);
    let own = Context::journal_project(&loaded.project);
    let latest = journals.latest(Some(&own)).ok().flatten();
    let journal = latest.and_then(|operation| journals.read(&operation).ok());
    journal.map(|journal| journal.nodes().into_iter().collect()).unwrap_or_default()
}
