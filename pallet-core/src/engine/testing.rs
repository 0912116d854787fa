//! Helpers for the engine's own tests.

use std::sync::{Arc, Mutex};

use super::{Engine, EngineConfig, Event, GroupSpec, Record};
use crate::plugin::Service;

#[path = "../../tests/common/mod.rs"]
mod cloud;

pub(super) use cloud::Cloud;

/// A service without nodes.
pub(super) fn nowhere() -> Arc<dyn Service> {
    Arc::new(Cloud::default())
}

/// An engine on this service that knows these groups, and the events that it reports.
pub(super) fn engine(cloud: Cloud, declared: &[GroupSpec]) -> (Engine, Arc<Mutex<Vec<Event>>>) {
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let events = told.clone();
    let sink = move |record: &Record| events.lock().unwrap().push(record.event.clone());
    let engine = Engine::new(EngineConfig {
        declared: Some(declared.to_vec()),
        sinks: vec![Arc::new(sink)],
        ..EngineConfig::new("test", Arc::new(cloud))
    });
    (engine, told)
}

/// The warnings among the events, each with its node.
pub(super) fn warnings(told: &Mutex<Vec<Event>>) -> Vec<String> {
    let warning = |event: &Event| match event {
        Event::Warning { node, message } => Some(format!(
            "{}{message}",
            node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default()
        )),
        _ => None,
    };
    told.lock().unwrap().iter().filter_map(warning).collect()
}
