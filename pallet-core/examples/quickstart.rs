//! The quickstart as a program: two sandbox nodes, each serving a page that says its own name.
//!
//! ```text
//! cargo build --workspace && cargo run -p pallet-core --features host --example quickstart [-- down]
//! ```

use std::sync::Arc;

use pallet_core::engine::{Engine, Event, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::plugin::ServiceContext;
use pallet_core::prelude::*;
use pallet_core::registry::Registry;

fn web(request: &mut Request) -> Result<()> {
    let name = request.target()?.name;
    request.call("nginx", "install", json!({}))?;
    request.add(Directory::at("/srv/hello"))?;
    request.add(RemoteFile::content("/srv/hello/index.html", format!("hello from {name}\n")))?;
    request.call("nginx", "site", json!({"name": "hello", "port": 80, "root": "/srv/hello"}))?;
    Ok(())
}

#[tokio::main]
#[allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of its own")]
async fn main() -> Result<()> {
    // plugins stand beside the programs of the workspace
    let program = std::env::current_exe()?;
    let plugins = program.ancestors().nth(2).context("the program stands in no directory")?;
    let registry = Arc::new(Registry::scan(&[plugins.to_owned()]));
    let data = std::env::temp_dir().join("pallet-quickstart-example");
    let context = ServiceContext { project: "quickstart-example".into(), data_directory: data, ..ServiceContext::default() };

    let mut engine = Engine::new("quickstart-example", registry.service("sandbox", Default::default(), context)?);
    engine.registry = registry;
    engine.events = Arc::new(|event| match event {
        Event::Created { node, address, .. } => println!("{node}: created, http://{}/", address.unwrap_or_default()),
        Event::Action { change, changed: true } => println!("{}: {} {}: {}", change.node, change.action, change.subject, change.summary),
        _ => {}
    });

    let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", web))?];
    let options = LiftOptions::default();
    // what is destroyed is shown first to who may say no
    let outcome = if std::env::args().nth(1).as_deref() == Some("down") {
        engine.down(&groups, &options, |_| Ok(true)).await?
    } else {
        engine.converge(&groups, &options, |_| Ok(true)).await?
    };
    let outcome = outcome.context("nobody agreed")?;
    let (changed, unchanged, failed) = outcome.counts();
    println!("{changed} changed, {unchanged} unchanged, {failed} failed, {} destroyed", outcome.destroyed.len());
    ensure!(outcome.ok(), "some node failed: {:?}", outcome.nodes);
    Ok(())
}
