//! Copies files and directories between this machine and nodes, over the same connections as a
//! lift.
//!
//! Everything is streamed and verified before it moves into place: a file by its size and SHA-256
//! digest, a directory by its archive. It is first written under another name beside its final
//! place, so that a failed copy leaves nothing behind. Content from a node is written through
//! directory handles, and symlinks in the way are not followed.

mod archive;
mod download;
mod local;
mod names;
mod options;
mod path;
mod remote;
mod unpack;
mod upload;

pub use options::CopyOptions;
pub use path::{CopyPath, CopyRequest};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use self::remote::{Job, Jobs, Remote};
use super::node::Session;
use super::operation::{CopyOutcome, CopyResult, Event, Kind, in_parallel};
use super::{Engine, EngineError, GroupSpec};
use crate::model::Node;

impl Engine {
    /// Makes a copy as the user wrote it. Files from a group go into one directory per node.
    pub async fn copy(
        &self,
        groups: &[GroupSpec],
        request: &CopyRequest,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        let engine = self.with_silent();
        match request {
            CopyRequest::Upload { sources, name, target } => {
                let nodes = engine.select(groups, &options.selection_of(name)?).await?;
                engine.upload(nodes, sources, target, options).await
            }
            CopyRequest::Download { sources, target } => {
                let mut from = Vec::new();
                for (name, path) in sources {
                    from.push((
                        engine.select(groups, &options.selection_of(name)?).await?,
                        path.clone(),
                    ));
                }
                let of_group = |(nodes, (name, _)): (&(Vec<Node>, String), &(String, String))| {
                    nodes.0.iter().any(|node| node.name != *name && node.id != *name)
                };
                let by_node = options.by_node || from.iter().zip(sources).any(of_group);
                engine.download(&from, target, &CopyOptions { by_node, ..options.clone() }).await
            }
        }
    }

    /// Copies files and directories to a path on each of these nodes: into it if it is a directory
    /// there. Modes are kept. New files belong to the user who writes them; replaced files keep
    /// their owner.
    ///
    /// It is an error if a source cannot be read. A failure on a node is recorded in that node's
    /// result.
    pub async fn upload(
        &self,
        nodes: Vec<Node>,
        sources: &[PathBuf],
        target: &str,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        let jobs = upload::jobs(sources, target, options.recursive).await?;
        self.do_jobs(nodes.into_iter().map(|node| (node, jobs.clone())).collect(), options).await
    }

    /// Copies files and directories from these nodes to a local path: into it if it is a directory.
    /// With several nodes, or with [`by_node`](CopyOptions::by_node), each node's files go into a
    /// directory named after the node in `target`, which is created. Modes are kept.
    ///
    /// Each source is a path and the nodes that it is copied from. A failure with a node is
    /// recorded in that node's result.
    pub async fn download(
        &self,
        sources: &[(Vec<Node>, String)],
        target: &Path,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        self.do_jobs(download::jobs(sources, target, options)?, options).await
    }

    /// Runs the jobs of each node one after the other, with many nodes in parallel.
    async fn do_jobs(
        &self,
        nodes: Vec<(Node, Jobs)>,
        options: &CopyOptions,
    ) -> Result<CopyOutcome, EngineError> {
        let begun = self.begin();
        let names = nodes.iter().map(|(node, _)| node.name.clone());
        begun.engine.intend(Event::started(Kind::Copy, false, names)).await?;
        let engine = Arc::new(begun.engine.limited(nodes.len(), options.parallel));
        let no_sudo = options.no_sudo;
        let results = in_parallel(&engine, nodes, |engine, (node, jobs)| async move {
            let result = copy_with(&engine, node, &jobs, no_sudo).await;
            engine.tell(Event::Copied(result.clone()));
            result
        });
        let done =
            results.await.map(|nodes| CopyOutcome { nodes, cancelled: self.cancel.is_cancelled() });
        begun.end(done)
    }
}

async fn copy_with(
    engine: &Engine,
    node: Node,
    jobs: &[Arc<dyn Job>],
    no_sudo: bool,
) -> CopyResult {
    let started = Instant::now();
    let mut result =
        CopyResult { node: node.name.clone(), group: node.group.clone(), ..CopyResult::default() };
    let mut remote = Remote { engine, session: Session::alone(engine, node), no_sudo };
    result.error = remote.session.cannot_be_asked();
    for job in jobs {
        if result.error.is_some() {
            break;
        }
        match job.copy(&mut remote).await {
            Ok(copied) => result.copied.push(copied),
            Err(error) => result.error = Some(engine.vault.redact(&error).into_owned()),
        }
    }
    remote.session.leave(engine).await;
    result.seconds = started.elapsed().as_secs_f64();
    result
}
