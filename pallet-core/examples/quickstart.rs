//! The quickstart as a program: two sandbox nodes, each serving a page that says its own name.
//!
//! ```text
//! cargo build --workspace
//! cargo run -p pallet-core --features host --example quickstart [-- down]
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of its own")]

use pallet_core::engine::{Engine, EngineConfig, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::plugins::Registry;
use pallet_core::prelude::*;

fn web(request: &mut Request) -> Result<()> {
    let name = request.target()?.name;
    request.call("nginx", "install", json!({}))?;
    request.add(Directory::at("/srv/hello"))?;
    request.add(RemoteFile::content("/srv/hello/index.html", format!("hello from {name}\n")))?;
    request.call("nginx", "site", json!({"name": "hello", "port": 80, "root": "/srv/hello"}))?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let program = std::env::current_exe()?;
    let plugins =
        program.ancestors().nth(2).context("plugins stand beside the programs of the workspace")?;
    let data = std::env::temp_dir().join("pallet-quickstart-example");
    let registry = Registry::scan(&[plugins.to_owned()]);
    let config = EngineConfig::open("quickstart-example", "sandbox", json!({}), registry, data)?;
    let engine = Engine::new(config).on_event(|event| println!("{event}"));
    let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", web))?];
    let options = LiftOptions::default();
    // the closure sees first what would be destroyed, and can refuse
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("down") => engine.down(&groups, &options, |_| Ok(true)).await?,
        _ => engine.converge(&groups, &options, |_| Ok(true)).await?,
    };
    let outcome = outcome.context("nobody agreed")?;
    println!("{outcome}");
    Ok(outcome.check()?)
}
