//! Shared by the examples: an engine for sandbox nodes, with the plugins that this workspace
//! builds.

use pallet_core::engine::{Engine, EngineConfig};
use pallet_core::plugins::Registry;
use pallet_core::prelude::*;

/// An engine for the sandbox nodes of a project. It needs Linux and root.
#[allow(dead_code, reason = "not every example needs it")]
pub(crate) fn engine(project: &str) -> Result<Engine> {
    Ok(Engine::new(config(project)?))
}

/// The configuration of that engine.
#[allow(clippy::disallowed_methods, reason = "a program of its own")]
pub(crate) fn config(project: &str) -> Result<EngineConfig> {
    let program = std::env::current_exe()?;
    let plugins =
        program.ancestors().nth(2).context("plugins stand beside the programs of the workspace")?;
    let data = std::env::temp_dir().join(format!("pallet-{project}"));
    let registry = Registry::scan(&[plugins.to_owned()]);
    Ok(EngineConfig::open(project, "sandbox", json!({}), registry, data)?)
}
