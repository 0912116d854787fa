//! The output of `--output json`: one event per line. Only this file knows the format of events.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Output;

/// All events of one operation.
#[derive(Debug, Clone)]
pub struct Events(Vec<Event>);

/// One event.
#[derive(Debug, Clone)]
pub struct Event(Value);

impl Events {
    /// Parses the output of a command. Every line must be an event, and the last one must be the
    /// end.
    #[track_caller]
    pub fn of(output: &Output) -> Self {
        let events: Vec<_> = output.stdout.lines().map(|line| Event::read(line, output)).collect();
        assert!(
            events.last().is_some_and(|event| event.kind() == "finished"),
            "the last event is not `finished`\n{output}"
        );
        // one operation, with nothing left out
        let records = || events.iter().filter(|event| event.0["sequence"].is_u64());
        let numbers: Vec<_> = records().filter_map(|event| event.0["sequence"].as_u64()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{output}");
        let operation = |event: &Event| event.0["operation"].clone();
        let first = records().next().map(operation);
        assert!(records().all(|event| Some(operation(event)) == first), "{output}");
        Events(events)
    }

    /// The events of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Event> {
        self.0.iter().filter(move |event| event.kind() == kind)
    }

    /// The nodes that were created and destroyed, in order: `created web-1`.
    pub fn coming_and_going(&self) -> Vec<String> {
        let came = self.0.iter().filter(|event| ["created", "destroyed"].contains(&event.kind()));
        came.map(|event| format!("{} {}", event.kind(), event.node().unwrap_or_default())).collect()
    }

    /// The events of one node.
    pub fn of_node<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Event> {
        self.0.iter().filter(move |event| event.node() == Some(node))
    }

    /// Whether the operation says that everything succeeded.
    pub fn ok(&self) -> bool {
        self.0.last().is_some_and(|event| event.0["ok"] == true)
    }

    /// The number of actions that changed something, or would in a dry run, for each node that was
    /// reached.
    pub fn changes(&self) -> BTreeMap<String, usize> {
        let mut changes: BTreeMap<_, _> = self
            .of_kind("connected")
            .filter_map(|event| Some((event.node()?.to_owned(), 0)))
            .collect();
        for event in self.0.iter().filter(|event| event.action().is_some()) {
            let Some((node, changed)) = event.node().zip(event.changed()) else { continue };
            *changes.entry(node.to_owned()).or_default() += usize::from(changed);
        }
        changes
    }

    /// Whether each node's part succeeded.
    pub fn outcomes(&self) -> BTreeMap<String, bool> {
        let outcome = |event: &Event| {
            Some((event.node()?.to_owned(), event.0["result"].as_str()? != "failed"))
        };
        self.of_kind("node_finished").filter_map(outcome).collect()
    }

    /// The error of a node's part.
    pub fn error(&self, node: &str) -> Option<String> {
        self.of_node(node).find_map(|event| event.0["error"]["message"].as_str().map(str::to_owned))
    }
}

impl Event {
    #[track_caller]
    fn read(line: &str, output: &Output) -> Self {
        let event = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {line}\n{output}"));
        let event = Event(event);
        assert!(event.0["event"].is_string(), "an event without `event`: {line}\n{output}");
        event
    }

    /// The kind of event: `action`, `node_finished`, `finished`, ...
    pub fn kind(&self) -> &str {
        self.0["event"].as_str().unwrap_or_default()
    }

    /// The name of the node.
    pub fn node(&self) -> Option<&str> {
        self.0["node"].as_str()
    }

    /// The phase.
    pub fn phase(&self) -> Option<&str> {
        self.0["phase"].as_str()
    }

    /// The action.
    pub fn action(&self) -> Option<&str> {
        self.0["action"].as_str()
    }

    /// The text of a warning or message.
    pub fn message(&self) -> &str {
        self.0["message"].as_str().unwrap_or_default()
    }

    /// Whether the action changed anything, or would.
    pub fn changed(&self) -> Option<bool> {
        match self.kind() {
            "planned" => Some(!self.0["certainty"].is_null()),
            _ => self.0["changed"].as_bool(),
        }
    }
}
