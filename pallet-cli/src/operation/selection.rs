//! Selects groups and phases by name.

use anyhow::bail;
use pallet_core::engine::{GroupSpec, LiftOptions, PhaseChoice, RolloutOptions, Tags};

use crate::context::ProjectWithPlugins;
use crate::verbs::OperationOptions;

/// The engine's options. Inline code is checked here, before any node is touched.
pub(crate) fn lift_options(
    options: &OperationOptions,
    loaded: &ProjectWithPlugins,
) -> anyhow::Result<LiftOptions> {
    Ok(LiftOptions {
        phases: phases(loaded, &options.phases, &options.code)?,
        dry_run: options.dry_run,
        parallel: options.parallel.into(),
        overwrite_changes: options.overwrite_changes,
        tags: Tags { only: options.tags.clone(), skip: options.skip_tags.clone() },
        rollout: RolloutOptions {
            waves: options.waves.clone(),
            max_failures: options.max_failures,
            confirm: None,
        },
        ..LiftOptions::default()
    })
}

/// The phases with these names, followed by those given as code.
pub(crate) fn phases(
    loaded: &ProjectWithPlugins,
    names: &[String],
    code: &[String],
) -> anyhow::Result<Vec<PhaseChoice>> {
    let mut phases: Vec<_> = names.iter().cloned().map(PhaseChoice::Named).collect();
    for code in code {
        phases.push(PhaseChoice::Inline(loaded.project.inline(code)?));
    }
    Ok(phases)
}

/// The groups with these names, all if there are none. `web=3` overrides a group's count.
pub(crate) fn groups(
    loaded: &ProjectWithPlugins,
    names: &[String],
) -> anyhow::Result<Vec<GroupSpec>> {
    let all = &loaded.project.groups;
    if all.is_empty() && !names.iter().any(|name| name.ends_with("=0")) {
        bail!(
            "the project declares no group; declare one with group_spec in {}",
            loaded.project.directory.join("pallet.star").display()
        );
    }
    Ok(GroupSpec::choose(all, names)?)
}
