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
    /// All nodes in one wave.
    pub(super) fn at_once(nodes: usize, phases: usize) -> Self {
        Schedule { waves: vec![(0..nodes).collect()], phases }
    }

    /// The steps in order: the nodes of a wave, and the position of a phase.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&[usize], usize)> {
        let phases = self.phases;
        self.waves
            .iter()
            .flat_map(move |wave| (0..phases).map(move |phase| (wave.as_slice(), phase)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_passes_all_phases_before_the_next_begins() {
        let schedule = Schedule { waves: vec![vec![0], vec![1, 2]], phases: 2 };
        let steps: Vec<_> = schedule.steps().collect();
        assert_eq!(steps, [(&[0][..], 0), (&[0], 1), (&[1, 2], 0), (&[1, 2], 1)]);
        assert_eq!(Schedule::at_once(2, 1).steps().collect::<Vec<_>>(), [(&[0, 1][..], 0)]);
    }
}
