//! A program that loads a project and configures its nodes, or shows what would change on them.
//!
//! ```text
//! cargo build --workspace
//! cargo run -p pallet-cli --example load_project -- DIRECTORY [apply]
//! ```
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of its own")]

use anyhow::Context;
use pallet_cli::OpenOptions;
use pallet_core::engine::LiftOptions;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let directory = words.next().context("usage: load_project DIRECTORY [apply]")?;
    let dry_run = words.next().as_deref() != Some("apply");

    let program = std::env::current_exe()?;
    let plugins =
        program.ancestors().nth(2).context("plugins stand beside the workspace's programs")?;
    let project = OpenOptions::new().plugins(plugins).open(directory)?;
    project.warnings().iter().for_each(|warning| println!("{warning}"));
    for group in project.groups() {
        println!("group {}: {} nodes", group.name, group.count.unwrap_or_default());
    }
    for (cluster, groups) in project.clusters() {
        println!("cluster {cluster}: {}", groups.join(", "));
    }

    let engine = project.engine()?.on_event(|event| println!("{event}"));
    let options = LiftOptions { dry_run, ..LiftOptions::default() };
    let outcome = engine.lift(project.groups(), &options).await?;
    println!("{outcome}");
    Ok(outcome.check()?)
}
