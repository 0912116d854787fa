//! How to connect: settings of this user and this machine, and the state that the connections of
//! one operation share.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::Secret;
use super::ssh::SshCache;

/// Maximum number of handshakes in parallel with one address: sshd starts to refuse connections at
/// ten (`MaxStartups 10:30:100`).
const HANDSHAKES_PER_ADDRESS: usize = 8;
/// Maximum number of handshakes in parallel in total, so that each gets enough processor time.
const HANDSHAKES: usize = 64;

/// Maximum number of connection attempts in parallel: each has a file open.
const DIALS: usize = 256;
/// Default timeout for the login shell to answer.
pub(super) const SHELL_TIMEOUT: Duration = Duration::from_secs(30);

/// How to connect to nodes. Clones share the state of one operation.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    /// The login user if neither the node nor the ssh configuration names one.
    pub user: String,
    /// Private keys to try first.
    pub identity_files: Vec<PathBuf>,
    /// The login user's password. It is sent only to nodes, never to jump hosts.
    pub password: Option<Secret>,
    /// The socket of the ssh agent (`SSH_AUTH_SOCK`), if there is one.
    pub agent: Option<PathBuf>,
    /// The user's home directory, for `~` and for the default keys in `~/.ssh`.
    pub home: Option<PathBuf>,
    /// The ssh configuration files: the user's, then the system's.
    pub ssh_config: Vec<PathBuf>,
    /// OpenSSH's client, if it is installed. Pallet runs `ssh -G` for configuration that it cannot
    /// evaluate itself.
    pub ssh_program: Option<PathBuf>,
    /// The user's known_hosts files. Accepted keys are added to the first.
    pub known_hosts: Vec<PathBuf>,
    /// The system's known_hosts files.
    pub global_known_hosts: Vec<PathBuf>,
    /// Timeout for connecting to a node and exchanging keys, and how long to retry a node that is
    /// too busy.
    pub connect_timeout: Duration,
    /// Timeout for the login shell to run our command. Its start-up files and sudo come before
    /// that.
    pub shell_timeout: Duration,
    /// How long a command may neither read nor write; `None`: no limit.
    pub command_timeout: Option<Duration>,
    /// How long a node may be silent before Pallet sends a keepalive, at least 3 s; `None`: no
    /// keepalives.
    pub keepalive: Option<Duration>,
    /// Asks the user for passphrases.
    pub prompt: Option<Arc<dyn Prompt>>,
    /// The state that connections share.
    pub shared: Arc<Shared>,
}

/// Asks a person.
pub trait Prompt: Debug + Send + Sync {
    /// Asks for a secret and waits for it; `None` if nobody answers.
    fn secret(&self, question: &str) -> Option<Secret>;
}

/// The state that the connections of one operation share: passphrases already asked for, files
/// already read, and limits on handshakes.
#[derive(Debug)]
pub struct Shared {
    pub(super) dials: Arc<Semaphore>,
    pub(super) handshakes: Arc<Semaphore>,
    addresses: Mutex<HashMap<String, Arc<Semaphore>>>,
    passphrases: Mutex<HashMap<PathBuf, Arc<AsyncMutex<Passphrase>>>>,
    pub(super) ssh: SshCache,
}

/// What Pallet knows about a key's passphrase.
#[derive(Debug, Clone, Default)]
pub(super) enum Passphrase {
    /// Nobody was asked yet.
    #[default]
    Unasked,
    /// The passphrase that unlocks the key.
    Right(Secret),
    /// Why there is no passphrase.
    Missing(String),
}

impl Shared {
    /// The slots for handshakes with one address.
    pub(super) fn address(&self, address: &str) -> Arc<Semaphore> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses
            .entry(address.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(HANDSHAKES_PER_ADDRESS)))
            .clone()
    }

    /// The passphrase of one key. Only the holder of the lock may ask for it.
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
    /// Settings for a user, with OpenSSH's default files.
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
    /// No files, no secrets, and timeouts that suit a node on another continent.
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
