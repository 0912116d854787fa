//! The first line of a journal: what the operation was asked to do, by whom, and where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::VERSION;
use crate::engine::process::NamedProcess;
use crate::engine::vault::Vault;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalHeader {
    /// The version of the format.
    pub journal: u32,
    /// The operation's ID. [`Journal`](super::Journal) fills it in.
    pub operation: String,
    /// The project's name.
    pub project: String,
    /// The project's directory.
    pub directory: String,
    /// The service's name.
    pub service: String,
    /// The words of the command, for people.
    pub command: Vec<String>,
    /// What is needed to run the operation again. Its form is up to the program.
    pub asked: Value,
    /// Digests of what the operation was declared by: files, plugins, the environment.
    pub inputs: BTreeMap<String, String>,
    /// The user who ran it.
    pub user: String,
    /// The name of the machine that ran it.
    pub host: String,
    /// Identifies that machine and its boot; empty if unknown.
    pub machine: String,
    /// The process that ran it.
    pub process: u32,
    /// When that process began, in clock ticks since the machine's boot, if known: numbers are used
    /// again.
    pub process_began: Option<u64>,
    /// The version of the program.
    pub pallet: String,
    /// The ID of the operation that this one resumes.
    pub resumes: Option<String>,
}

impl Default for JournalHeader {
    fn default() -> Self {
        JournalHeader {
            journal: VERSION,
            operation: String::new(),
            project: String::new(),
            directory: String::new(),
            service: String::new(),
            command: Vec::new(),
            asked: Value::Null,
            inputs: BTreeMap::new(),
            user: String::new(),
            host: String::new(),
            machine: String::new(),
            process: std::process::id(),
            process_began: NamedProcess::began(std::process::id()),
            pallet: String::new(),
            resumes: None,
        }
    }
}

impl JournalHeader {
    /// The process that ran the operation.
    pub(super) fn process(&self) -> NamedProcess<'_> {
        NamedProcess { machine: &self.machine, number: self.process, began: self.process_began }
    }

    /// Redacts secrets in what the user wrote.
    pub(super) fn redact(&mut self, vault: &Vault) {
        self.command.iter_mut().for_each(|word| vault.redact_in(word));
        redact(&mut self.asked, vault);
    }
}

fn redact(value: &mut Value, vault: &Vault) {
    match value {
        Value::String(text) => vault.redact_in(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, vault)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact(field, vault)),
        _ => {}
    }
}
