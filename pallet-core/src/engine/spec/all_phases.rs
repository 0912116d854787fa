//! All phases of a group in order.

use super::phase::Phase;
use super::phase_names::{BOOTSTRAP, HEALTH, SETTINGS};
use super::server::GroupSpec;

/// All phases of a group: first those that a converge runs, in their order, then the others by
/// name, and the health check last. `settings` and `bootstrap` are always the first two.
pub(in crate::engine) fn all_phases(
    group: &GroupSpec,
    default_bootstrap: Option<&Phase>,
) -> Vec<(String, Option<Phase>)> {
    let own = |name: &str| group.server.phases.get(name).cloned();
    let bootstrap = own(BOOTSTRAP).or_else(|| default_bootstrap.cloned());
    let mut phases = vec![(SETTINGS.to_owned(), own(SETTINGS)), (BOOTSTRAP.to_owned(), bootstrap)];
    let others = group.server.phases.keys().cloned();
    for name in group.default_phases().into_iter().chain(others) {
        if !phases.iter().any(|(known, _)| *known == name) {
            phases.push((name.clone(), own(&name)));
        }
    }
    if let Some(health) = group.server.rollout.as_ref().and_then(|rollout| rollout.health.clone()) {
        phases.push((HEALTH.to_owned(), Some(health)));
    }
    phases
}
