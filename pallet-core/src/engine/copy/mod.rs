//! Copying files and directories between this machine and nodes, over the connections that a lift
//! uses.
//!
//! Everything is streamed, and checked before it takes its place: a file by its size and SHA-256
//! digest, a directory by its archive. It is written beside its place under another name first, so
//! that a copy that fails leaves nothing behind. What a node sends is written by handles of
//! directories, and no link that stands in its way is followed.

mod archive;
mod download;
mod local;
mod place;
mod unpack;
mod upload;

pub use place::{CopyRequest, Place};

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::ad_hoc::nobody;
use super::event::Event;
use super::lift::LiftOptions;
use super::node_connect::unless_stopped;
use super::node_run::NodeRun;
use super::on_nodes::{grouped, on_nodes};
use super::{Engine, EngineError, GroupSpec};
use crate::model::Node;
use crate::script::quote;
use crate::transport::{self, Become, Input, Stream};

/// How to copy.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Directories too, with all that is in them.
    pub recursive: bool,
    /// Read and write there as whoever logs in, not as root.
    pub no_sudo: bool,
    /// With how many nodes at once.
    pub parallel: usize,
    /// Downloads of each node go into a directory of its name, even if there is only one.
    pub by_node: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        CopyOptions { recursive: false, no_sudo: false, parallel: 10, by_node: false }
    }
}

/// How a copy ended.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CopyOutcome {
    /// With every node, in the order of their names.
    pub nodes: Vec<CopyResult>,
    /// It was stopped before it was over.
    pub cancelled: bool,
}

/// How a copy ended with one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CopyResult {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: Option<String>,
    /// What was copied, in order.
    pub copied: Vec<Copied>,
    /// Why the rest was not, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Something that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// From where.
    pub from: String,
    /// Where it is now.
    pub to: String,
    /// How many files it is: 1, or those in a directory.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl CopyOutcome {
    /// Whether everything was copied.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.nodes.iter().all(|node| node.error.is_none())
    }

    /// The nodes with which the same was copied, or failed alike, together; in the order of the
    /// first of each.
    pub fn grouped(&self) -> Vec<(Vec<&str>, &CopyResult)> {
        grouped(
            &self.nodes,
            |result| &result.node,
            |one, other| one.copied == other.copied && one.error == other.error,
        )
    }
}

/// One thing to copy with one node; the error is one line.
#[async_trait::async_trait]
trait Job: Send + Sync {
    async fn copy(&self, there: &mut There<'_>) -> Result<Copied, String>;
}

/// A node that is copied from or to.
struct There<'a> {
    engine: &'a Engine,
    run: NodeRun,
    no_sudo: bool,
}

impl There<'_> {
    /// Runs a program on the node. Its error is the last line of what it said.
    async fn run(
        &mut self,
        program: &str,
        input: Input,
        out: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), String> {
        let engine = self.engine;
        let mut errors = Vec::new();
        let no_sudo = self.no_sudo;
        let run = &mut self.run;
        let work = async {
            let (transport, r#become) = run.connect(engine).await?;
            let r#become = if no_sudo { &Become::Login } else { r#become };
            let mut take = |stream, piece: &[u8]| match stream {
                Stream::Out => out(piece),
                Stream::Err if errors.len() < SAID => errors.extend_from_slice(piece),
                Stream::Err => {}
            };
            let turn = engine.turn();
            transport::run_program_in_turn(transport, r#become, program, input, &turn, &mut take)
                .await
        };
        match unless_stopped(engine, "the copy", work).await {
            Ok(0) => Ok(()),
            Ok(code) => Err(said(&errors, code)),
            Err(error) => {
                // whatever state the connection is in, it is not used again
                self.run.transport = None;
                Err(error.to_string())
            }
        }
    }
}

/// So much of what a program says on standard error is kept.
const SAID: usize = 64 * 1024;

/// What a program on a node said before it failed.
fn said(errors: &[u8], code: i32) -> String {
    let errors = String::from_utf8_lossy(errors);
    // that is all that tar says of itself, and not why
    let why = |line: &&str| !line.is_empty() && !line.contains("Exiting with failure status");
    let last = errors.lines().rev().map(str::trim).find(why);
    match last {
        // tar tells of a disk that is full in the middle of a block that it wrote only a part
        _ if errors.contains("No space left on device") || errors.contains("Wrote only") => "no \
            space left on the device there"
            .to_owned(),
        Some(line) => line.strip_prefix("pallet: ").unwrap_or(line).to_owned(),
        None => format!("the shell there ended with code {code}"),
    }
}

/// What programs on nodes begin with; `fail` says why it ends.
fn program(values: &[(&str, &str)], body: &str) -> String {
    let values: String =
        values.iter().map(|(name, value)| format!("{name}={}\n", quote(value))).collect();
    format!(
        "LC_ALL=C; export LC_ALL; PATH=$PATH:/usr/local/bin:/usr/bin:/bin\n\
         fail() {{ printf 'pallet: %s\\n' \"$*\" >&2; exit 1; }}\n\
         trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM\n{values}{body}"
    )
}

impl Engine {
    /// Does a copy as people write it. What comes from a group goes into a directory of each node's
    /// name.
    pub async fn copy(
        &self,
        groups: &[GroupSpec],
        request: &CopyRequest,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        match request {
            CopyRequest::Upload { sources, name, target } => {
                let nodes = self.select(groups, std::slice::from_ref(name)).await?;
                self.upload(nodes, sources, target, options).await
            }
            CopyRequest::Download { sources, target } => {
                let mut from = Vec::new();
                for (name, path) in sources {
                    from.push((
                        self.select(groups, std::slice::from_ref(name)).await?,
                        path.clone(),
                    ));
                }
                let of_group = |(nodes, (name, _)): (&(Vec<Node>, String), &(String, String))| {
                    nodes.0.iter().any(|node| node.name != *name && node.id != *name)
                };
                let by_node = options.by_node || from.iter().zip(sources).any(of_group);
                self.download(&from, target, &CopyOptions { by_node, ..options.clone() }).await
            }
        }
    }

    /// Does the jobs of each node, one after the other, with many nodes at once.
    async fn do_jobs(
        &self,
        nodes: Vec<(Node, Vec<Arc<dyn Job>>)>,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        self.tell(Event::started("copy", false, nodes.iter().map(|(node, _)| node.name.clone())));
        let jobs: Arc<std::collections::BTreeMap<_, _>> =
            Arc::new(nodes.iter().map(|(node, jobs)| (node.id.clone(), jobs.clone())).collect());
        let nodes = nodes.into_iter().map(|(node, _)| node).collect();
        let no_sudo = options.no_sudo;
        let results = on_nodes(self, nodes, options.parallel, move |engine, node| {
            let jobs = jobs.clone();
            async move {
                let started = Instant::now();
                let mut result = CopyResult {
                    node: node.name.clone(),
                    group: node.group.clone(),
                    ..CopyResult::default()
                };
                let jobs = jobs.get(&node.id).map(Vec::as_slice).unwrap_or_default();
                let mut there = There {
                    engine: &engine,
                    run: NodeRun::new(&engine, node, nobody(), &LiftOptions::default()),
                    no_sudo,
                };
                result.error = there.run.cannot_be_asked();
                for job in jobs {
                    if result.error.is_some() {
                        break;
                    }
                    match job.copy(&mut there).await {
                        Ok(copied) => result.copied.push(copied),
                        Err(error) => result.error = Some(engine.vault.redact(&error).into_owned()),
                    }
                }
                there.run.leave(&engine).await;
                result.seconds = started.elapsed().as_secs_f64();
                engine.tell(Event::Copied(result.clone()));
                result
            }
        });
        Ok(CopyOutcome { nodes: results.await?, cancelled: self.cancel.is_cancelled() })
    }
}

/// The last part of a path: what a copy of it is called. `None` where it has none.
fn base_name(path: &str) -> Option<&str> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// Two things that would be called the same in one directory.
fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), EngineError> {
    let mut seen = std::collections::BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(EngineError::Refused(format!(
            "two of the sources are called {name}: one \
            would replace the other"
        ))),
        None => Ok(()),
    }
}
