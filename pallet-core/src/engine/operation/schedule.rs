//! The schedule: waves of nodes, the phases of each wave, and the nodes of a phase in parallel.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::engine::{Engine, EngineError};

/// Which nodes run which phase when: wave by wave, and within a wave phase by phase. All nodes of a
/// wave finish a phase before the next one begins.
pub(super) struct Schedule {
    /// The positions of the nodes of each wave.
    waves: Vec<Vec<usize>>,
    phases: usize,
}

impl Schedule {
    /// These waves of nodes, with this number of phases.
    pub(super) fn of(waves: Vec<Vec<usize>>, phases: usize) -> Self {
        Schedule { waves, phases }
    }

    /// The waves in order, each with the positions of its nodes.
    pub(super) fn waves(&self) -> &[Vec<usize>] {
        &self.waves
    }

    /// The positions of the phases of each wave, in order.
    pub(super) fn phases(&self) -> std::ops::Range<usize> {
        0..self.phases
    }
}

/// Does some work on all items concurrently, and returns the results in the order of the items. All
/// parallel work on nodes goes through here. The engine's [slots](Engine::limited) limit how many
/// nodes are really worked on at once.
pub(in crate::engine) async fn in_parallel<I, T, F>(
    engine: &Arc<Engine>,
    items: impl IntoIterator<Item = I>,
    work: impl Fn(Arc<Engine>, I) -> F,
) -> Result<Vec<T>, EngineError>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (position, item) in items.into_iter().enumerate() {
        let work = work(engine.clone(), item);
        tasks.spawn(async move { (position, work.await) });
    }
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(finished) = tasks.join_next().await {
        done.push(finished.map_err(|error| EngineError::Task(error.to_string()))?);
    }
    done.sort_by_key(|(position, _)| *position);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
