//! Subscribing to events: a channel receives the events of all nodes as they happen. On a sandbox
//! node, as root.
#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::sync::mpsc::channel;

use pallet_core::engine::{Event, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::prelude::*;

mod lab;

#[tokio::main]
async fn main() -> Result<()> {
    // the listener is called from several threads, and the operation waits for it, so it only
    // forwards events
    let (sender, events) = channel();
    let engine =
        lab::engine("events-example")?.on_event(move |event| drop(sender.send(event.clone())));
    let says = |request: &mut Request| {
        request.add(Directory::at("/srv/events"))?;
        request.add(ExecScript::new("echo from the node"))
    };
    let groups = [GroupSpec::new("web", Some(1), ServerSpec::new().phase("configure", says))?];
    let listener = std::thread::spawn(move || {
        let mut changes = 0;
        for event in events {
            match &event {
                Event::Action { change, changed: true } => {
                    changes += 1;
                    println!("{}: {} {}", change.node, change.action, change.subject);
                }
                Event::Output { node, line, .. } => println!("{node} says {line:?}"),
                // every event can be serialized to one line of JSON, as with `--output json`
                Event::NodeFinished { .. } => {
                    println!("{}", serde_json::to_string(&event).unwrap_or_default())
                }
                _ => {}
            }
        }
        changes
    });
    engine
        .converge(&groups, &LiftOptions::default(), |_| Ok(true))
        .await?
        .context("nobody agreed")?
        .check()?;
    engine.down(&groups, &LiftOptions::default(), |_| Ok(true)).await?;
    // dropping the engine closes the channel
    drop(engine);
    println!("{} changes", listener.join().unwrap_or_default());
    Ok(())
}
