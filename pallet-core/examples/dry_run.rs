//! A dry run: what a converge would create and change, planned against a predicted fresh image.
//! Nothing is created. As root.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::{Event, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::prelude::*;

mod lab;

fn web(request: &mut Request) -> Result<()> {
    request.add(Directory::at("/srv/hello").mode(0o750))?;
    request.add(RemoteFile::content("/srv/hello/index.html", "hello\n"))
}

#[tokio::main]
async fn main() -> Result<()> {
    let planned = Arc::new(Mutex::new(Vec::new()));
    let told = planned.clone();
    let engine = lab::engine("dry-run-example")?.on_event(move |event| {
        if let Event::Planned(change) = event {
            told.lock().unwrap_or_else(PoisonError::into_inner).push(change.clone());
        }
    });
    let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", web))?];
    let options = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome =
        engine.converge(&groups, &options, |_| Ok(true)).await?.context("nobody agreed")?;
    println!("would create {}", outcome.created.join(", "));
    for change in planned.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{}: {change}\n{}", change.node, change.diff);
    }
    println!("{} nodes are there", engine.nodes().await?.len());
    Ok(())
}
