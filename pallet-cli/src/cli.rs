//! The entry point of the command line: global options, and how a command's result is reported.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use pallet_core::model::closest;

use crate::commands::completions::Completions;
use crate::commands::doc::Doc;
use crate::commands::man::Man;
use crate::commands::{Command, UNUSED_OPTIONS};
use crate::completion;
use crate::context::{Context, GlobalOptions};
use crate::output::Printer;
use crate::process::{ProcessEnv, exit_code, restrict_umask};

/// Create nodes and keep them configured
#[derive(Debug, Parser)]
#[command(
    name = "pallet-cli",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    subcommand: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    #[command(flatten)]
    Command(Box<Command>),
    Doc(Doc),
    Completions(Completions),
    Man(Man),
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    restrict_umask();
    let env = ProcessEnv::current();
    if let Some(code) = completion::answer(&env, command) {
        return code;
    }
    let parsed = command().try_get_matches().and_then(|mut matches| {
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command()))
    });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(mut error) => {
            suggest_command(&mut error);
            // help and version are not errors
            let code = if error.use_stderr() { 2 } else { 0 };
            // a closed stdout or stderr is not an error either
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let global = cli.global.or_from(&env);
    let printer = Printer::new(global.print_options(), &env);
    let context =
        Context { global, printer, env, messages: Default::default(), secrets: Default::default() };
    let result = match cli.subcommand {
        Subcommands::Command(command) => command.run(&context),
        Subcommands::Doc(doc) => doc.run(&context, &command()),
        Subcommands::Completions(completions) => completions.run(&context, command()),
        Subcommands::Man(man) => man.run(&context, command()),
    };
    match result {
        Ok(code) if code == ExitCode::SUCCESS && context.printer.lost_output() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => {
            context.printer.error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The definition of the command line. The reference is generated from it.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    for (name, unused) in UNUSED_OPTIONS {
        let is_unused = |id: &str| {
            let with = IMPLIED.iter().find(|(implied, _)| *implied == id);
            unused.contains(&id) || with.is_some_and(|(_, other)| unused.contains(other))
        };
        command = hide(command, name, &is_unused);
    }
    let names: Vec<String> =
        command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for name in &names {
        for (option, commands) in USED_BY {
            if !commands.contains(&name.as_str()) {
                command = hide(command, name, &|id| id == option);
            }
        }
    }
    command.mut_subcommands(|command| command.mut_args(tell_repeatable)).mut_args(tell_repeatable)
}

/// Global options that are hidden along with another one.
const IMPLIED: [(&str, &str); 1] = [("quiet", "verbose")];

/// Global options that only these commands use.
const USED_BY: [(&str, &[&str]); 3] = [
    ("per_node", &["converge", "lift", "plan", "down", "history", "repl"]),
    ("confirm_stage", &["converge", "lift", "down", "run", "cp", "ssh", "repl"]),
    (
        "stage",
        &[
            "check",
            "converge",
            "cp",
            "down",
            "environment",
            "explain",
            "facts",
            "graph",
            "hardware",
            "history",
            "images",
            "lift",
            "locations",
            "nodes",
            "plan",
            "repl",
            "report",
            "run",
            "schedule",
            "ssh",
            "watch",
        ],
    ),
];

/// Leaves global options out of the help of a command.
fn hide(command: clap::Command, name: &str, is_unused: &dyn Fn(&str) -> bool) -> clap::Command {
    let own = command.find_subcommand(name);
    let there = |id: &str| {
        own.is_some_and(|own| own.get_arguments().any(|argument| argument.get_id() == id))
    };
    let hidden: Vec<Arg> = command
        .get_arguments()
        .filter(|argument| is_unused(argument.get_id().as_str()))
        .filter(|argument| !there(argument.get_id().as_str()))
        .map(|argument| argument.clone().hide(true))
        .collect();
    // an argument of the subcommand overrides the global one
    command.mut_subcommand(name, |command| command.args(hidden))
}

/// Adds "(repeatable)" to the help of an option that may be given more than once.
fn tell_repeatable(argument: Arg) -> Arg {
    let is_repeatable =
        argument.get_long().is_some() && matches!(argument.get_action(), ArgAction::Append);
    match argument.get_help().filter(|_| is_repeatable) {
        Some(help) => {
            let help = format!("{help} (repeatable)");
            argument.help(help)
        }
        None => argument,
    }
}

/// Suggests our command for the name of another tool's command.
fn suggest_command(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let command = Cli::command();
    if let Some(ours) = closest(word, command.get_subcommands().map(clap::Command::get_name)) {
        error
            .insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![ours.to_owned()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn hides_the_options_that_a_command_does_not_use() {
        let mut command = command();
        command.build();
        for (name, unused) in UNUSED_OPTIONS {
            let help = command.find_subcommand_mut(name).unwrap().render_long_help().to_string();
            assert!(!unused.contains(&"service") || !help.contains("--service"), "{help}");
            assert!(!unused.contains(&"directory") || !help.contains("--directory"), "{help}");
            let matches =
                Cli::command().try_get_matches_from(["pallet-cli", "--service", "x", name]);
            let is_known = matches.as_ref().err().map(clap::Error::kind);
            assert_ne!(is_known, Some(clap::error::ErrorKind::UnknownArgument), "{name}");
        }
        let converge = command.find_subcommand_mut("converge").unwrap();
        assert!(converge.render_help().to_string().contains("--service"));
    }

    #[test]
    fn global_options_stand_before_and_after_the_command() {
        for words in
            [["--service", "x", "publish", "oci://h/p"], ["publish", "oci://h/p", "--service", "x"]]
        {
            let mut matches =
                command().try_get_matches_from([&["pallet-cli"], &words[..]].concat()).unwrap();
            let cli = Cli::from_arg_matches_mut(&mut matches).unwrap();
            assert_eq!(cli.global.service.as_deref(), Some("x"));
        }
    }

    #[test]
    fn commands_of_other_tools_are_known() {
        let tip = |word: &str| {
            let mut error = command().try_get_matches_from(["pallet-cli", word]).unwrap_err();
            suggest_command(&mut error);
            error
                .to_string()
                .lines()
                .find(|line| line.contains("tip"))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        assert_eq!(tip("destroy"), "tip: a similar subcommand exists: 'down'");
        assert_eq!(tip("apply"), "tip: a similar subcommand exists: 'converge'");
        assert_eq!(tip("covnerge"), "tip: a similar subcommand exists: 'converge'");
    }
}
