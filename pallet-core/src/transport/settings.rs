//! How to connect: what the caller knows of this user and this machine, and what the connections of
//! one operation share.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::Secret;
use super::ssh::SshCache;

/// How many handshakes with one address may be under way: sshd begins to refuse at ten
/// (`MaxStartups 10:30:100`).
const HANDSHAKES_PER_ADDRESS: usize = 8;
/// How many handshakes may be under way in all, so that each has a fair share of the processor.
const HANDSHAKES: usize = 64;

/// How many connections may be waited for at once: each has a file open.
const DIALS: usize = 256;
/// How long a login shell may take until it answers.
pub(super) const SHELL_TIMEOUT: Duration = Duration::from_secs(30);

/// How to connect to nodes. Clones share what the connections of one operation have in common.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    /// Who logs in where neither the node nor the ssh configuration says.
    pub user: String,
    /// Private keys to try first.
    pub identity_files: Vec<PathBuf>,
    /// The login user's password. It is offered to nodes, never to the hosts on the way to them.
    pub password: Option<Secret>,
    /// The socket of the ssh agent, if there is one: `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
    /// This user's home directory, for `~` and for the usual keys in `~/.ssh`.
    pub home: Option<PathBuf>,
    /// The ssh configuration: the user's file before the system's.
    pub ssh_config: Vec<PathBuf>,
    /// OpenSSH's client, if there is one. It is asked (`ssh -G`) what a configuration means that
    /// cannot be followed here.
    pub ssh_program: Option<PathBuf>,
    /// The user's known_hosts files; a key that is accepted is added to the first.
    pub known_hosts: Vec<PathBuf>,
    /// The system's known_hosts files.
    pub global_known_hosts: Vec<PathBuf>,
    /// How long it may take to reach a node and to agree on keys, and how long one that refuses for
    /// being busy is asked again.
    pub connect_timeout: Duration,
    /// How long a node's login shell may take until it runs what it is given: its start-up files,
    /// and sudo, come before that.
    pub shell_timeout: Duration,
    /// How long a command may neither read nor write; `None` for as long as it likes.
    pub command_timeout: Option<Duration>,
    /// How long a node may be silent before it is asked whether it is there; `None` for never. At
    /// least three seconds.
    pub keepalive: Option<Duration>,
    /// Who can be asked for passphrases.
    pub prompt: Option<Arc<dyn Prompt>>,
    /// What connections share.
    pub shared: Arc<Shared>,
}

/// Asks a person.
pub trait Prompt: Debug + Send + Sync {
    /// Asks for a secret and waits for it; `None` when nobody answers.
    fn secret(&self, question: &str) -> Option<Secret>;
}

/// What the connections of one operation share: passphrases that were asked for once, files that
/// were read once, and room for handshakes.
#[derive(Debug)]
pub struct Shared {
    pub(super) dials: Arc<Semaphore>,
    pub(super) handshakes: Arc<Semaphore>,
    addresses: Mutex<HashMap<String, Arc<Semaphore>>>,
    passphrases: Mutex<HashMap<PathBuf, Arc<AsyncMutex<Passphrase>>>>,
    pub(super) ssh: SshCache,
}

/// What is known of a key's passphrase.
#[derive(Debug, Clone, Default)]
pub(super) enum Passphrase {
    /// Nobody was asked yet.
    #[default]
    Unasked,
    /// It opens the key.
    Right(Secret),
    /// Why there is none.
    Missing(String),
}

impl Shared {
    /// Room for a handshake with one address.
    pub(super) fn address(&self, address: &str) -> Arc<Semaphore> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses
            .entry(address.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(HANDSHAKES_PER_ADDRESS)))
            .clone()
    }

    /// The passphrase of one key. Whoever holds its lock may ask for it.
    pub(super) fn passphrase(&self, key: &Path) -> Arc<AsyncMutex<Passphrase>> {
        self.passphrases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key.to_owned())
            .or_default()
            .clone()
    }
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            dials: Arc::new(Semaphore::new(DIALS)),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            addresses: Mutex::default(),
            passphrases: Mutex::default(),
            ssh: SshCache::default(),
        }
    }
}

impl ConnectSettings {
    /// The settings of a user with the usual files of OpenSSH.
    pub fn for_user(user: impl Into<String>, home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        ConnectSettings {
            user: user.into(),
            ssh_config: vec![home.join(".ssh/config"), "/etc/ssh/ssh_config".into()],
            known_hosts: vec![home.join(".ssh/known_hosts"), home.join(".ssh/known_hosts2")],
            global_known_hosts: vec![
                "/etc/ssh/ssh_known_hosts".into(),
                "/etc/ssh/ssh_known_hosts2".into(),
            ],
            home: Some(home),
            ..ConnectSettings::default()
        }
    }
}

impl Default for ConnectSettings {
    /// No files, no secrets, and times that suit a node across the world.
    fn default() -> Self {
        ConnectSettings {
            user: "root".to_owned(),
            identity_files: Vec::new(),
            password: None,
            agent: None,
            home: None,
            ssh_config: Vec::new(),
            ssh_program: None,
            known_hosts: Vec::new(),
            global_known_hosts: Vec::new(),
            connect_timeout: Duration::from_secs(20),
            shell_timeout: SHELL_TIMEOUT,
            command_timeout: None,
            keepalive: Some(Duration::from_secs(15)),
            prompt: None,
            shared: Arc::default(),
        }
    }
}
