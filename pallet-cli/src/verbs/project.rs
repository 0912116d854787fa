//! `check`, `reload`, `with_admin_user` and `help`: the project and the session.

use super::junit::JunitOptions;
use super::selection::SelectionOptions;
use super::verb::ParameterType::Any;
use super::verb::{Text, Verb, VerbParameter, command};

/// Check the project without connecting to nodes: its files, and what its phases declare for every
/// group
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Check only the groups of these nodes: names of nodes, groups and roles, patterns such as
    /// `web-*` and `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file
    #[arg(value_name = "NODES")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionOptions,
    #[command(flatten)]
    pub(crate) junit: JunitOptions,
}

pub(super) const CHECK: Verb = Verb {
    name: "check",
    command: Some(|| command::<Check>("check")),
    command_only: &["names", "junit"],
    summary: Text::Command,
    more: "Reads the files as they are now, without loading them into the session. Fails if \
        anything is wrong.",
    examples: &["check()"],
    parameters: &[],
};

pub(super) const RELOAD: Verb = Verb {
    name: "reload",
    command: None,
    command_only: &[],
    summary: Text::Own("Reload pallet.toml and pallet.star."),
    more: "Connections and your own definitions are kept. If the files have errors, the session \
        keeps the old project.",
    examples: &["reload()"],
    parameters: &[],
};

pub(super) const WITH_ADMIN_USER: Verb = Verb {
    name: "with_admin_user",
    command: None,
    command_only: &[],
    summary: Text::Own(
        "Connect to nodes as another user: while the function runs, or from now on if there is no \
         function.",
    ),
    more: "None restores the user of pallet.toml.",
    examples: &[
        "with_admin_user(\"root\", lambda: lift(web, phase = \"bootstrap\"))",
        "with_admin_user({\"name\": \"ops\", \"identity_files\": [\"~/.ssh/ops\"], \"no_sudo\": \
         True})",
    ],
    parameters: &[
        VerbParameter::required(
            "user",
            Any("the name of a user, or a dict with name, identity_files, no_sudo"),
            Text::Own("User to log in as."),
        ),
        VerbParameter::optional(
            "function",
            Any("a function without parameters"),
            Text::Own("What to do as that user."),
        ),
    ],
};

pub(super) const HELP: Verb = Verb {
    name: "help",
    command: None,
    command_only: &[],
    summary: Text::Own(
        "Explain an action, a crate or one of its functions, a function of the session, or a spec.",
    ),
    more: "Without an argument, list the functions.",
    examples: &["help(remote_file)", "help(\"nginx.site\")"],
    parameters: &[VerbParameter::optional(
        "x",
        Any("a function, a crate, a group, or the name of one"),
        Text::Own("What to explain."),
    )],
};
