//! `run` and `run_script`: commands on nodes, once.

use std::path::PathBuf;

use serde::Serialize;

use super::junit::JunitOptions;
use super::selection::SelectionOptions;
use super::verb::ParameterType::{Any, Flag, Number, Targets, Text as TextType};
use super::verb::{Text, Verb, VerbParameter, command};

/// Run a command or script on nodes and show its output, grouping identical results; or run a
/// Starlark script: `run FILE.star`
///
/// A command of one word is a line of shell: `run web -- 'df -h | tail -1'`. Several words are a
/// program and its arguments. Commands get no stdin, do not wait for an operation that is changing
/// the node, and are not recorded on the node.
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct Run {
    /// Nodes to run it on: names of nodes, groups and roles, patterns such as `web-*` and
    /// `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file; or a Starlark
    /// script, which is run here with the functions of `pallet-cli repl`
    #[arg(
        value_name = "NODES|FILE.star",
        required_unless_present_any = ["all", "limit", "failed", "matching", "sample"]
    )]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) selection: SelectionOptions,
    /// Run it on all nodes of all groups
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// Run this local script instead of a command; `-` is stdin. A first line such as
    /// `#!/usr/bin/python3` selects the interpreter
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub(crate) script: Option<PathBuf>,
    /// Run as this user [default: root, with sudo if necessary]
    #[arg(long = "as", value_name = "USER", visible_alias = "user")]
    pub(crate) user: Option<String>,
    /// Run as the login user
    #[arg(long, conflicts_with = "user")]
    pub(crate) no_sudo: bool,
    /// Maximum number of nodes in parallel
    #[arg(
        long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub(crate) parallel: u16,
    /// Kill it after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    /// Do not write the operation to the journal
    #[arg(long)]
    pub(crate) no_journal: bool,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) junit: JunitOptions,
    /// Command to run
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

const WHAT: VerbParameter =
    VerbParameter::required("what", Targets, Text::Own("Groups or nodes to run it on."));
const USER: VerbParameter = VerbParameter::keyword("user", TextType, Text::Argument("user"));
const NO_SUDO: VerbParameter = VerbParameter::keyword("no_sudo", Flag, Text::Argument("no_sudo"));
const PARALLEL: VerbParameter =
    VerbParameter::keyword("parallel", Number, Text::Argument("parallel"));
const TIMEOUT: VerbParameter = VerbParameter::keyword("timeout", Number, Text::Argument("timeout"));

pub(super) const RUN: Verb = Verb {
    name: "run",
    command: Some(|| command::<Run>("run")),
    command_only: &["names", "all", "script", "no_journal", "junit"],
    summary: Text::Own("Run a command on nodes and show its output, grouping identical results."),
    more: "Returns `ok` and `nodes`, each with `exit`, `stdout` and `stderr`.",
    examples: &[
        "run(web, \"uptime\")",
        "[node.stdout for node in run(web, [\"uname\", \"-r\"]).nodes]",
    ],
    parameters: &[
        WHAT,
        VerbParameter::required(
            "command",
            Any("a line of shell, or a list of words"),
            Text::Argument("command"),
        ),
        USER,
        NO_SUDO,
        PARALLEL,
        TIMEOUT,
    ],
};

pub(super) const RUN_SCRIPT: Verb = Verb {
    name: "run_script",
    command: Some(|| command::<Run>("run")),
    command_only: &["names", "all", "command", "no_journal", "junit"],
    summary: Text::Own("Run a script on nodes and show its output, grouping identical results."),
    more: "Returns what `run` returns.",
    examples: &["run_script(web, \"cd /srv\\nls\")"],
    parameters: &[
        WHAT,
        VerbParameter::required(
            "script",
            TextType,
            Text::Own(
                "Text of the script; a first line such as `#!/usr/bin/env python3` selects the \
                 interpreter.",
            ),
        ),
        USER,
        NO_SUDO,
        PARALLEL,
        TIMEOUT,
    ],
};
