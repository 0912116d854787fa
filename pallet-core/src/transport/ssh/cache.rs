//! Caches for all ssh connections of an operation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::TransportError;
use super::config_file::ConfigFile;
use super::config_options::ConfigOptions;
use super::file_cache::FileCache;
use super::known_hosts::KnownHosts;

/// State that the ssh connections of one operation share.
#[derive(Debug, Default)]
pub(in super::super) struct SshCache {
    pub(super) configs: FileCache<ConfigFile>,
    pub(super) known_hosts: FileCache<KnownHosts>,
    answers: Mutex<HashMap<String, Arc<Mutex<Answer>>>>,
}

/// OpenSSH's answer to one question, if it was asked already.
pub(super) type Answer = Option<Result<Arc<ConfigOptions>, TransportError>>;

impl SshCache {
    /// The answer to one question. Only the holder of the lock may ask OpenSSH.
    pub(super) fn answer(&self, question: &str) -> Arc<Mutex<Answer>> {
        self.answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(question.to_owned())
            .or_default()
            .clone()
    }
}
