//! Connections that outlive the operation that opened them, so that the operations of a session
//! find their nodes already connected.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::Connection;
use crate::transport::{Input, Transport};

/// Timeout for a kept connection to show that it is alive.
const ALIVE: Duration = Duration::from_secs(5);

/// Idle ssh connections, by node and login user. Each has one owner: whoever takes a connection has
/// exclusive use of it until it is given back.
///
/// An engine takes connections from this pool and gives them back at the end of an operation. They
/// live on the tokio runtime that opened them, so keep that runtime alive too.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<Key, Box<dyn Transport>>>>);

/// Identifies connections that are interchangeable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The node's id.
    node: String,
    /// The ssh settings.
    how: String,
    /// The login user.
    user: String,
}

impl Key {
    /// The key of connections to this node; `None` if the connection cannot be kept.
    pub(super) fn of(node: &str, connection: &Connection, login: Option<&str>) -> Option<Self> {
        let Connection::Ssh(ssh) = connection else { return None };
        Some(Key { node: node.to_owned(), how: format!("{ssh:?}"), user: login?.to_owned() })
    }
}

impl Connections {
    /// An empty pool.
    pub fn new() -> Self {
        Connections::default()
    }

    /// The number of idle connections.
    pub fn len(&self) -> usize {
        self.with(|idle| idle.len())
    }

    /// Whether there are no idle connections.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes all idle connections.
    pub async fn close(&self) {
        let idle = self.with(std::mem::take);
        let mut goodbyes = JoinSet::new();
        for mut transport in idle.into_values() {
            goodbyes.spawn(async move { transport.close().await });
        }
        goodbyes.join_all().await;
    }

    /// Closes the idle connections to a node that no longer exists.
    pub(super) fn forget(&self, node: &str) {
        // dropping a transport ends its session
        self.with(|idle| idle.retain(|key, _| key.node != node));
    }

    /// Takes an idle connection, if there is one that is still alive.
    pub(super) async fn take(&self, key: &Key) -> Option<Box<dyn Transport>> {
        let mut transport = self.with(|idle| idle.remove(key))?;
        let answer = timeout(ALIVE, transport.exec(":", Input::none(), &mut |_, _| {})).await;
        matches!(answer, Ok(Ok(0))).then_some(transport)
    }

    /// Takes a connection back. If one with the same key is already idle, that one is kept instead.
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
