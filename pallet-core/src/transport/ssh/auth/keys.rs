//! Logging in with keys: key files with their certificates, and keys in the agent.

use std::path::Path;

use ssh2::{Error, ErrorCode, Session};
use tokio::time::timeout;

use super::super::super::settings::Passphrase;
use super::super::super::{Secret, TransportError};
use super::super::key::{CERTIFICATE, KeyFile, blob, certified, read_certificate};
use super::login::Login;

/// The default key files in `~/.ssh`.
const USUAL: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];
/// libssh2 lets an agent sign only for the keys that the agent lists.
const APART: &str = "its key is in the agent, but the certificate is not: `ssh-add` adds a key \
    with the certificate beside it";
/// Maximum number of attempts to enter a passphrase.
const TRIES: usize = 3;

impl Login<'_> {
    pub(super) async fn with_keys(&mut self) -> Result<bool, TransportError> {
        let named = self.to.identity_files.iter().chain(&self.to.config.identity_files);
        let mut files: Vec<&Path> = Vec::new();
        for file in named {
            if !files.contains(&file.as_path()) {
                files.push(file);
            }
        }
        let mut keys: Vec<KeyFile> = Vec::new();
        for file in files {
            match KeyFile::read(file) {
                Ok(Some(key)) => keys.push(key),
                Ok(None) => self.tried.push(format!("{} does not exist", file.display())),
                Err(why) => self.tried.push(format!("{}: {why}", file.display())),
            }
        }
        let usual_wanted =
            self.to.identity_files.is_empty() && self.to.config.identity_files.is_empty();
        let mut usual: Vec<KeyFile> = match &self.settings.home {
            Some(home) if usual_wanted => USUAL
                .iter()
                .filter_map(|name| KeyFile::read(&home.join(".ssh").join(name)).ok().flatten())
                .collect(),
            _ => Vec::new(),
        };

        let held = self.agent_keys().await?;
        for file in &self.to.config.certificate_files {
            if let Err(why) = add_certificate(file, keys.iter_mut().chain(&mut usual), &held) {
                self.tried.push(format!("{}: {why}", file.display()));
            }
        }
        for key in &keys {
            if self.with_key(key, &held).await? {
                return Ok(true);
            }
        }
        let named: Vec<Vec<u8>> = keys.iter().chain(&usual).filter_map(KeyFile::blob).collect();
        let wanted = |blob: &&Vec<u8>| {
            !self.to.config.identities_only
                || named.contains(&certified(blob).unwrap_or_else(|| (*blob).clone()))
        };
        for blob in held.iter().filter(wanted) {
            if !self.offered.contains(blob) && self.with_agent(blob).await? {
                return Ok(true);
            }
        }
        for key in &usual {
            if self.with_key(key, &held).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tries one key file: first with its certificates, then alone. The agent signs if it has the
    /// key.
    async fn with_key(&mut self, key: &KeyFile, held: &[Vec<u8>]) -> Result<bool, TransportError> {
        let name = key.path.display().to_string();
        let publics = key.certificates.iter().map(Some).chain([key.public.as_ref()]);
        for public in publics {
            let public = public.map(String::as_str);
            let blob = public.and_then(blob);
            if blob.as_ref().is_some_and(|blob| self.offered.contains(blob)) {
                continue;
            }
            if let Some(blob) = blob.as_ref().filter(|blob| held.contains(blob)) {
                if self.with_agent(blob).await? {
                    return Ok(true);
                }
                continue;
            }
            let certificate = public.is_some_and(|public| public.contains(CERTIFICATE));
            let what =
                if certificate { format!("the certificate of {name}") } else { name.clone() };
            let Some(private) = &key.private else {
                let apart = certificate && key.blob().is_some_and(|blob| held.contains(&blob));
                self.tried.push(format!(
                    "{what}: {}",
                    if apart { APART } else { "the private key is neither in it nor in the agent" }
                ));
                continue;
            };
            if key.needs_hardware() {
                self.tried.push(format!("{what} is on a security key: add it to the agent"));
                return Ok(false);
            }
            let done = if key.locked {
                self.locked(key, public, private).await?
            } else {
                self.offer(public, private, None, false).await?
            };
            match done {
                Offer::Accepted => return Ok(true),
                Offer::Refused => self.tried.push(format!("{what} was refused")),
                Offer::Unusable(why) => {
                    self.tried.push(format!("{what}: {why}"));
                    break;
                }
            }
            self.offered.extend(blob);
        }
        self.offered.extend(key.blob());
        Ok(false)
    }

    /// Tries a key with a passphrase. The user is asked for it once per operation.
    async fn locked(
        &mut self,
        key: &KeyFile,
        public: Option<&str>,
        private: &Secret,
    ) -> Result<Offer, TransportError> {
        // If the public key is available, first ask the server whether it accepts the key: only
        // then ask for the passphrase.
        if public.is_some()
            && matches!(self.offer(public, private, None, true).await?, Offer::Refused)
        {
            return Ok(Offer::Refused);
        }
        let shared = self.settings.shared.passphrase(&key.path);
        let mut known = shared.lock().await;
        match known.clone() {
            Passphrase::Missing(why) => return Ok(Offer::Unusable(why)),
            Passphrase::Right(secret) => {
                drop(known);
                return self.offer(public, private, Some(secret), true).await;
            }
            Passphrase::Unasked => {}
        }
        let Some(prompt) = self.settings.prompt.clone() else {
            return Ok(Offer::Unusable(
                "it has a passphrase, and nobody can be asked for it: add the key to the agent \
                 with `ssh-add`"
                    .to_owned(),
            ));
        };
        for attempt in 0..TRIES {
            let again = if attempt == 0 { "" } else { "wrong; " };
            let (prompt, question) =
                (prompt.clone(), format!("{again}passphrase of {}: ", key.path.display()));
            let answer =
                tokio::task::spawn_blocking(move || prompt.secret(&question)).await.ok().flatten();
            let Some(secret) = answer else {
                *known = Passphrase::Missing(
                    "it has a passphrase, and none was given: add the key to the agent with \
                     `ssh-add`"
                        .to_owned(),
                );
                break;
            };
            match self.offer(public, private, Some(secret.clone()), true).await? {
                Offer::Unusable(_) => {}
                offer => {
                    *known = Passphrase::Right(secret);
                    return Ok(offer);
                }
            }
        }
        if let Passphrase::Unasked = *known {
            *known = Passphrase::Missing(format!("it has a passphrase; {TRIES} attempts failed"));
        }
        let Passphrase::Missing(why) = known.clone() else { return Ok(Offer::Refused) };
        Ok(Offer::Unusable(why))
    }

    /// Offers one key to the server.
    async fn offer(
        &mut self,
        public: Option<&str>,
        private: &Secret,
        passphrase: Option<Secret>,
        slow: bool,
    ) -> Result<Offer, TransportError> {
        let (user, public, private) =
            (self.to.user.clone(), public.map(str::to_owned), private.clone());
        let call = move |session: &Session| {
            session.userauth_pubkey_memory(
                &user,
                public.as_deref(),
                private.expose(),
                passphrase.as_ref().map(Secret::expose),
            )
        };
        // Decrypting a key is slow by design. It runs on a separate thread, so that it does not
        // delay other connections.
        let result = if slow {
            self.link.block(self.limit, call).await?
        } else {
            self.link.drive_within(self.limit, "the login", call).await?
        };
        match result {
            Ok(()) => Ok(Offer::Accepted),
            Err(error) => {
                self.still_there(&error).await?;
                Ok(match error.code() {
                    ErrorCode::Session(-18) => Offer::Refused,
                    ErrorCode::Session(-19) if error.message().starts_with("Invalid signature") => {
                        Offer::Refused
                    }
                    _ if slow => Offer::Unusable("the passphrase is wrong".to_owned()),
                    _ => Offer::Unusable(format!("libssh2 cannot use it: {}", error.message())),
                })
            }
        }
    }

    /// The public keys in the agent.
    async fn agent_keys(&mut self) -> Result<Vec<Vec<u8>>, TransportError> {
        let Some(socket) = self.to.agent.clone() else { return Ok(Vec::new()) };
        let path = socket.clone();
        let listed = self.link.block(self.limit, move |session| -> Result<Vec<Vec<u8>>, Error> {
            let mut agent = session.agent()?;
            agent.set_identity_path(&path)?;
            agent.connect()?;
            agent.list_identities()?;
            Ok(agent.identities()?.iter().map(|identity| identity.blob().to_vec()).collect())
        });
        let Ok(listed) = timeout(self.limit, listed).await else {
            let message = format!(
                "the ssh agent at {} did not answer within {} s",
                socket.display(),
                self.limit.as_secs()
            );
            return Err(TransportError::Timeout { host: self.to.peer.clone(), message });
        };
        match listed? {
            Ok(keys) => {
                if keys.is_empty() {
                    self.tried.push("the agent holds no key".to_owned());
                }
                Ok(keys)
            }
            Err(error) => {
                self.tried.push(format!("the agent at {}: {}", socket.display(), error.message()));
                Ok(Vec::new())
            }
        }
    }

    /// Tries a key in the agent.
    async fn with_agent(&mut self, blob: &[u8]) -> Result<bool, TransportError> {
        self.offered.push(blob.to_vec());
        let Some(socket) = self.to.agent.clone() else { return Ok(false) };
        let (user, blob) = (self.to.user.clone(), blob.to_vec());
        let tried = self.link.block(
            self.limit,
            move |session| -> Result<Result<(), (Error, String)>, Error> {
                let mut agent = session.agent()?;
                agent.set_identity_path(&socket)?;
                agent.connect()?;
                agent.list_identities()?;
                let keys = agent.identities()?;
                match keys.iter().find(|key| key.blob() == blob) {
                    Some(key) => Ok(agent
                        .userauth(&user, key)
                        .map_err(|error| (error, key.comment().to_owned()))),
                    None => {
                        Err(Error::new(ErrorCode::Session(-42), "the agent no longer has the key"))
                    }
                }
            },
        );
        match tried.await? {
            Ok(Ok(())) => Ok(true),
            Ok(Err((error, comment))) => {
                self.still_there(&error).await?;
                self.tried.push(format!("the agent's key {comment} was refused"));
                Ok(false)
            }
            Err(error) => {
                self.tried.push(format!("the agent: {}", error.message()));
                Ok(false)
            }
        }
    }
}

/// Adds a certificate to its key.
fn add_certificate<'a>(
    file: &Path,
    mut keys: impl Iterator<Item = &'a mut KeyFile>,
    held: &[Vec<u8>],
) -> Result<(), String> {
    let certificate = read_certificate(file)?;
    let key = blob(&certificate).and_then(|blob| certified(&blob));
    let key = key.ok_or("it is damaged")?;
    if let Some(owner) = keys.find(|it| it.blob().as_ref() == Some(&key)) {
        if !owner.certificates.contains(&certificate) {
            owner.certificates.push(certificate);
        }
        return Ok(());
    }
    Err(match held.contains(&key) {
        true => APART.to_owned(),
        false => "its key is neither named (IdentityFile) nor in the agent".to_owned(),
    })
}

/// The result of offering a key.
enum Offer {
    Accepted,
    Refused,
    Unusable(String),
}
