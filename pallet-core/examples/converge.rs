//! Creating and configuring nodes: converge, another count, a lift with a closure, down. On sandbox
//! nodes, as root.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use pallet_core::engine::{GroupSpec, LiftOptions, Phase, PhaseChoice, ServerSpec};
use pallet_core::prelude::*;

mod lab;

#[tokio::main]
async fn main() -> Result<()> {
    let engine = lab::engine("converge-example")?;
    let motd = |request: &mut Request| request.add(RemoteFile::content("/etc/motd", "welcome\n"));
    let declared = [GroupSpec::new("web", Some(1), ServerSpec::new().phase("configure", motd))?];
    let options = LiftOptions::default();

    // the closure sees the plan first; if it returned false, the result would be `None`
    let made = engine
        .converge(&declared, &options, |plan| Ok(plan.destroy.is_empty()))
        .await?
        .context("nobody agreed")?;
    made.check()?;
    println!("converge: {made}");

    // another count than the declared one, like `web=2` on the command line
    let two = GroupSpec::choose(&declared, &["web=2".to_owned()])?;
    println!(
        "web=2: {}",
        engine.converge(&two, &options, |_| Ok(true)).await?.context("nobody agreed")?
    );

    // a phase that no group declares, on the existing nodes; the closure can capture variables
    let word = String::from("hello");
    let hello = Phase::new(move |request: &mut Request| {
        let name = request.target()?.name;
        request.add(RemoteFile::content("/etc/hello", format!("{word} from {name}\n")))
    });
    let inline = LiftOptions { phases: vec![PhaseChoice::Inline(hello)], ..LiftOptions::default() };
    println!("lift: {}", engine.lift(&declared, &inline).await?);
    println!("again: {}", engine.lift(&declared, &inline).await?);
    println!(
        "down: {}",
        engine.down(&declared, &options, |_| Ok(true)).await?.context("nobody agreed")?
    );
    Ok(())
}
