//! Ad hoc commands: runs a command on many nodes once, and returns its output.
//!
//! This is independent of lifts: nothing is planned or recorded, and it does not wait for an
//! operation that is changing the node, so that it can be used to watch one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::excerpt::{Lines, Piece};
use super::node::Session;
use super::operation::{Event, Kind, RunOutcome, RunResult, in_parallel};
use super::{Engine, EngineError, GroupSpec, Pattern, Selection};
use crate::model::Node;
use crate::script::{quote, shell};
use crate::transport::{self, Become, ScriptOptions, Stream, TransportError};

/// How much of a command's output is kept per stream, in bytes.
const KEPT: usize = 4 << 20;

/// What to run, on which nodes, and as which user.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The script: text for `sh`, or for the interpreter in its first line (`#!/usr/bin/env
    /// python3`).
    pub script: String,
    /// The nodes; all nodes of the groups unless something is said.
    pub selection: Selection,
    /// The maximum number of nodes in parallel.
    pub parallel: usize,
    /// The user who runs it.
    pub user: RunAs,
    /// Timeout on each node; `None`: no timeout.
    pub timeout: Option<Duration>,
}

/// The user who runs a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RunAs {
    /// Root, reached as in a lift: by sudo, unless the admin user has none.
    #[default]
    Admin,
    /// The login user.
    Login,
    /// This user, switched to from root.
    User(String),
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            script: String::new(),
            selection: Selection::default(),
            parallel: 50,
            user: RunAs::default(),
            timeout: None,
        }
    }
}

/// Joins the words of a command into a shell line: a single word is already a line, several are
/// quoted.
pub fn shell_line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" "),
    }
}

impl Engine {
    /// Runs a command on nodes, and reports every line of output as [`Event::Output`]. If a node
    /// cannot be reached, the error is in its result.
    ///
    /// It is an error if the script is empty, or if a name is unknown.
    pub async fn run_command(
        &self,
        groups: &[GroupSpec],
        options: &RunOptions,
    ) -> Result<RunOutcome, EngineError> {
        check(options)?;
        let begun = self.begin();
        let done = begun.engine.run_on_all(groups, options).await;
        begun.end(done)
    }

    async fn run_on_all(
        &self,
        groups: &[GroupSpec],
        options: &RunOptions,
    ) -> Result<RunOutcome, EngineError> {
        let mut nodes = self.select(groups, &options.selection).await?;
        let is_named = |word: &Pattern| !word.excludes() && word.name().is_some();
        if !options.selection.words.iter().any(is_named) {
            // without declared groups, those in the nodes' tags are meant
            nodes.retain(|node| {
                node.group.is_some()
                    && (groups.is_empty() || groups.iter().any(|group| group.owns(node)))
            });
            if nodes.is_empty() && !options.selection.is_all() {
                let message = "no node of a declared group is meant; name it to run on it";
                return Err(EngineError::Refused(message.to_owned()));
            }
        }
        self.find_secrets().await?;
        let names = nodes.iter().map(|node| node.name.clone());
        self.intend(Event::started(Kind::Run, false, names)).await?;
        let script = Arc::new(script(options));
        let engine = Arc::new(self.limited(nodes.len(), options.parallel));
        let options = Arc::new(options.clone());
        let results = in_parallel(&engine, nodes, |engine, node| {
            let (script, options) = (script.clone(), options.clone());
            async move {
                let result = engine.run_on(node, &script, &options).await;
                engine.tell(Event::Ran(result.clone()));
                result
            }
        });
        Ok(RunOutcome { nodes: results.await?, cancelled: self.cancel.is_cancelled() })
    }

    /// Looks up all secrets, since the output of a command may contain any of them.
    async fn find_secrets(&self) -> Result<(), EngineError> {
        let vault = self.vault.clone();
        let found = tokio::task::spawn_blocking(move || vault.find_all()).await;
        for error in found.map_err(|error| EngineError::Task(error.to_string()))? {
            let message = format!(
                "output may contain a secret that cannot be looked up, and is then not \
                 hidden: {error}"
            );
            self.tell(Event::Message { node: None, level: "debug".to_owned(), message });
        }
        Ok(())
    }

    async fn run_on(&self, node: Node, script: &str, options: &RunOptions) -> RunResult {
        let started = Instant::now();
        let (mut out, mut err) = (Captured::default(), Captured::default());
        let (name, of) = (node.name.clone(), node.group.clone());
        let mut tell = |piece: Piece<'_>| {
            let line = self.vault.redact_piece(piece.text, piece.begins, piece.ends).into_owned();
            self.tell(Event::Output {
                node: name.clone(),
                phase: String::new(),
                action: "run".to_owned(),
                line,
            });
        };
        let mut session = Session::alone(self, node);
        let result = {
            let mut take = |stream: Stream, piece: &[u8]| {
                let kept = if stream == Stream::Out { &mut out } else { &mut err };
                kept.take(piece, &mut tell);
            };
            command(&mut session, self, script, options, &mut take).await
        };
        session.leave(self).await;
        out.lines.end(&mut tell);
        err.lines.end(&mut tell);
        let text =
            |kept: &Captured| self.vault.redact(&String::from_utf8_lossy(&kept.bytes)).into_owned();
        let (exit, error) = match result {
            Ok(exit) => (Some(exit), None),
            Err(error) => (None, Some(self.vault.redact(&error).into_owned())),
        };
        let (stdout, stderr, left_out) = (text(&out), text(&err), out.left_out + err.left_out);
        RunResult {
            node: name,
            group: of,
            exit,
            error,
            stdout,
            stderr,
            left_out,
            seconds: started.elapsed().as_secs_f64(),
        }
    }
}

/// Runs a script according to the options; the error is one line.
async fn command(
    session: &mut Session,
    engine: &Engine,
    script: &str,
    options: &RunOptions,
    output: &mut (dyn FnMut(Stream, &[u8]) + Send),
) -> Result<i32, String> {
    if let Some(why) = session.cannot_be_asked() {
        return Err(why);
    }
    let login = options.user == RunAs::Login;
    let limit = options.timeout;
    let work = async {
        let reached = session.connect(engine);
        let (transport, r#become) = match limit {
            None => reached.await?,
            Some(limit) => tokio::time::timeout(limit, reached).await.unwrap_or_else(|_| {
                let message = format!("it was not reached within {} s", limit.as_secs_f64());
                Err(TransportError::Overdue { message })
            })?,
        };
        let r#become = if login { &Become::Login } else { r#become };
        let options = ScriptOptions { limit, ..engine.script_options() };
        transport::run_script_with(transport, r#become, script, &options, output).await
    };
    let result = engine.unless_stopped("the command", work).await;
    // on an error, closing the connection ends the command
    session.settle(&result);
    result.map(|ran| session.tell_left(engine, ran)).map_err(|error| error.to_string())
}

fn check(options: &RunOptions) -> Result<(), EngineError> {
    if options.script.trim().is_empty() {
        return Err(EngineError::Refused(
            "there is nothing to run: the command or the script is empty".to_owned(),
        ));
    }
    if options.script.contains('\0') {
        return Err(EngineError::Refused(
            "the command or the script holds a NUL character; a shell cannot read it".to_owned(),
        ));
    }
    match &options.user {
        RunAs::User(user)
            if user.is_empty()
                || user.starts_with('-')
                || user.contains(|c: char| c.is_whitespace() || c.is_control()) =>
        {
            Err(EngineError::Refused(format!("{user:?} is not a valid user name")))
        }
        _ => Ok(()),
    }
}

/// The shell command for the node: runs the script in a shell of its own, as the wanted user.
fn script(options: &RunOptions) -> String {
    let user = match &options.user {
        RunAs::User(user) => Some(user.as_str()),
        RunAs::Admin | RunAs::Login => None,
    };
    let Some(line) = options.script.strip_prefix("#!") else { return shell(&options.script, user) };
    let interpreter = line.lines().next().unwrap_or_default().trim();
    let words: String =
        interpreter.splitn(2, char::is_whitespace).map(|word| quote(word.trim()) + " ").collect();
    let in_file = format!(
        "directory=$(mktemp -d) || exit\n\
         trap 'rm -rf -- \"$directory\"' EXIT\n\
         trap 'exit 143' HUP INT TERM\n\
         printf %s {} >\"$directory/script\" || exit\n\
         {words}\"$directory/script\"",
        quote(&options.script)
    );
    shell(&in_file, user)
}

/// The output of a command on one stream.
#[derive(Default)]
struct Captured {
    bytes: Vec<u8>,
    left_out: u64,
    lines: Lines,
}

impl Captured {
    fn take(&mut self, read: &[u8], tell: &mut dyn FnMut(Piece<'_>)) {
        let room = KEPT.saturating_sub(self.bytes.len()).min(read.len());
        self.bytes.extend_from_slice(&read[..room]);
        self.left_out += (read.len() - room) as u64;
        self.lines.push(read, tell);
    }
}
