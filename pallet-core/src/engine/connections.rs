//! Connections that outlive the operation that opened them: one that works through a session finds
//! its nodes connected.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::Connection;
use crate::transport::{Input, Transport};

/// How long a kept connection may take to show that it is alive.
const ALIVE: Duration = Duration::from_secs(5);

/// Idle connections over ssh, by node and login user. Each has one owner: whoever takes it has it
/// alone until it is given back.
///
/// The engine that has one takes connections from it and gives them back at the end of an
/// operation. They live on the runtime that opened them, so that must be kept as well.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<Key, Box<dyn Transport>>>>);

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The node's id.
    node: String,
    /// How it is reached.
    how: String,
    /// Who logs in.
    user: String,
}

impl Key {
    /// What a connection to this node is for; `None` if there is nothing to keep.
    pub(super) fn of(node: &str, connection: &Connection, login: Option<&str>) -> Option<Self> {
        let Connection::Ssh(ssh) = connection else { return None };
        Some(Key { node: node.to_owned(), how: format!("{ssh:?}"), user: login?.to_owned() })
    }
}

impl Connections {
    /// None yet.
    pub fn new() -> Self {
        Connections::default()
    }

    /// How many are idle.
    pub fn len(&self) -> usize {
        self.with(|idle| idle.len())
    }

    /// Whether none is idle.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes all that are idle.
    pub async fn close(&self) {
        let idle = self.with(std::mem::take);
        let mut goodbyes = JoinSet::new();
        for mut transport in idle.into_values() {
            goodbyes.spawn(async move { transport.close().await });
        }
        goodbyes.join_all().await;
    }

    /// Closes those to a node that is no more.
    pub(super) fn forget(&self, node: &str) {
        // a session ends when its owner goes
        self.with(|idle| idle.retain(|key, _| key.node != node));
    }

    /// An idle connection that is alive.
    pub(super) async fn take(&self, key: &Key) -> Option<Box<dyn Transport>> {
        let mut transport = self.with(|idle| idle.remove(key))?;
        let answer = timeout(ALIVE, transport.exec(":", Input::none(), &mut |_, _| {})).await;
        matches!(answer, Ok(Ok(0))).then_some(transport)
    }

    /// Takes a connection back. Another one of the same kind that came first is kept instead.
    pub(super) fn give(&self, key: Key, transport: Box<dyn Transport>) {
        self.with(|idle| {
            idle.entry(key).or_insert(transport);
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Key, Box<dyn Transport>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({} idle)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Connections, Key};
    use crate::model::{Connection, SshConnection};
    use crate::transport::{ConnectSettings, Exec};

    fn key(node: &str, user: &str) -> Key {
        let ssh =
            Connection::Ssh(SshConnection { host: "192.0.2.1".into(), ..SshConnection::default() });
        Key::of(node, &ssh, Some(user)).expect("an ssh connection is kept")
    }

    fn connection(program: &str) -> Box<dyn crate::transport::Transport> {
        Box::new(
            Exec::new(&[program.to_owned()], &ConnectSettings::default())
                .expect("there is a program"),
        )
    }

    #[tokio::test]
    async fn what_was_given_back_is_taken_once_by_who_it_is_for() {
        let kept = Connections::new();
        kept.give(key("a", "ops"), connection("env"));
        assert!(kept.take(&key("a", "root")).await.is_none(), "another user");
        assert!(kept.take(&key("b", "ops")).await.is_none(), "another node");
        assert!(kept.take(&key("a", "ops")).await.is_some());
        assert!(kept.take(&key("a", "ops")).await.is_none(), "it has an owner");
        assert!(Key::of("a", &Connection::Local, None).is_none());
    }

    #[tokio::test]
    async fn what_does_not_answer_is_not_used_again() {
        let kept = Connections::new();
        kept.give(key("a", "ops"), connection("false"));
        assert!(kept.take(&key("a", "ops")).await.is_none());
        kept.give(key("a", "ops"), connection("env"));
        kept.give(key("b", "ops"), connection("env"));
        kept.forget("a");
        assert_eq!(kept.len(), 1);
    }
}
