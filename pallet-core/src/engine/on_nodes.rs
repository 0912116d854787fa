//! Work on many nodes at once, when they need not wait for each other.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Engine, EngineError};
use crate::model::Node;

impl Engine {
    /// This engine for work on so many nodes, of which so many are worked on at once. A node that
    /// is only waited for, until it is reached and its shell has answered, is none of those.
    pub(super) fn in_turns(&self, nodes: usize, parallel: usize) -> Engine {
        let parallel = parallel.max(1);
        Engine {
            turns: (nodes > parallel).then(|| Arc::new(Semaphore::new(parallel))),
            ..self.clone()
        }
    }
}

/// Does some work on each node, on so many at once; gives what came of it, in the order of the
/// nodes.
pub(super) async fn on_nodes<T, F>(
    engine: &Engine,
    nodes: Vec<Node>,
    parallel: usize,
    work: impl Fn(Arc<Engine>, Node) -> F,
) -> Result<Vec<T>, EngineError>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let engine = Arc::new(engine.in_turns(nodes.len(), parallel));
    let mut tasks = JoinSet::new();
    for (position, node) in nodes.into_iter().enumerate() {
        let work = work(engine.clone(), node);
        tasks.spawn(async move { (position, work.await) });
    }
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(finished) = tasks.join_next().await {
        done.push(finished.map_err(|error| EngineError::Task(error.to_string()))?);
    }
    done.sort_by_key(|(position, _)| *position);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// The nodes whose results are alike, together; in the order of the first of each.
pub(super) fn grouped<'a, R>(
    results: &'a [R],
    node: fn(&R) -> &str,
    alike: fn(&R, &R) -> bool,
) -> Vec<(Vec<&'a str>, &'a R)> {
    let mut groups: Vec<(Vec<&'a str>, &'a R)> = Vec::new();
    for result in results {
        match groups.iter_mut().find(|(_, known)| alike(known, result)) {
            Some((nodes, _)) => nodes.push(node(result)),
            None => groups.push((vec![node(result)], result)),
        }
    }
    groups
}
