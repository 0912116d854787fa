//! Where the plugins of a project or user are configured, and what their installation depends on.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use pallet_core::distribution::install::{Installer, Mirror, Wanted};
use pallet_core::distribution::lock::{LOCK_FILE, Lock, Origin};
use pallet_core::distribution::repository::Source;
use pallet_core::distribution::signature::{IdentityRule, PublicKey, SignerRule, TrustedRoot};
use pallet_core::distribution::store::Store;
use pallet_core::distribution::trust::{Decisions, Trust, TrustRule};
use pallet_core::local::remove_leftovers;
use pallet_core::plugins::Machine;

use super::registry::RegistryOptions;
use crate::context::Context;
use crate::diagnostic::Diagnostics;
use crate::output::Downloads;
use crate::project::config::{Config, SignerConfig};
use crate::project::{CONFIG, read_configuration};

/// The files with required and locked plugins: a project's, or a user's.
#[derive(Debug, Clone)]
pub(crate) struct InstallScope {
    /// The base of relative paths.
    pub(crate) directory: PathBuf,
    /// pallet.toml or config.toml.
    pub(crate) config: PathBuf,
    /// pallet.lock.
    pub(crate) lock: PathBuf,
    /// Whether these are the user's files.
    pub(crate) global: bool,
}

/// Whose plugins these are, and how to reach their sources.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct SourceOptions {
    /// Use the plugins of this user instead of the project's
    #[arg(long)]
    pub(crate) global: bool,
    /// Do not access the network; use only the store, directories and local mirrors
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryOptions,
}

/// The content of a scope, and everything that an installation in it needs.
pub(crate) struct InstallContext {
    pub(crate) scope: InstallScope,
    /// The scope's own configuration, without the merged one.
    pub(crate) own: Config,
    pub(crate) lock: Option<Lock>,
    pub(crate) installer: Installer,
    /// Keeps other processes from changing the scope.
    #[allow(dead_code, reason = "closing it gives the lock back")]
    alone: Option<File>,
}

impl InstallScope {
    /// The user's scope if `global` is set, or if there is no project here and none was named;
    /// otherwise the project's.
    pub(crate) fn of(context: &Context, global: bool) -> anyhow::Result<Self> {
        let project = context.directory();
        if !global && project.join(CONFIG).is_file() {
            return Ok(InstallScope {
                config: project.join(CONFIG),
                lock: project.join(LOCK_FILE),
                directory: project,
                global: false,
            });
        }
        if !global && context.global.directory.is_some() {
            bail!(
                "there is no {CONFIG} in {}; `pallet-cli init` writes a project, --global \
                 installs for this user",
                project.display()
            );
        }
        let directory = context.env.configuration.clone();
        Ok(InstallScope {
            config: directory.join("config.toml"),
            lock: directory.join(LOCK_FILE),
            directory,
            global: true,
        })
    }

    /// The name of the configuration file in messages.
    pub(crate) fn name(&self) -> &'static str {
        if self.global { "config.toml" } else { CONFIG }
    }
}

impl InstallContext {
    /// Reads a scope. With `change`, waits until no other process is changing it.
    pub(crate) fn read(
        context: &Context,
        reach: &SourceOptions,
        decisions: Decisions,
        change: bool,
    ) -> anyhow::Result<Self> {
        let scope = InstallScope::of(context, reach.global)?;
        // leftovers of a command that was killed while it wrote the lock or the configuration
        remove_leftovers(&scope.directory);
        let alone = if change { Some(alone(context, &scope)?) } else { None };
        let home = Some(context.env.home.as_path());
        let mut found = Diagnostics::default();
        let user_file = context.env.configuration.join("config.toml");
        let user = if user_file.exists() {
            read_configuration(&user_file, &user_file.display().to_string(), home, None, &mut found)
        } else {
            Config::default()
        };
        let own = if scope.global {
            user.clone()
        } else {
            read_configuration(&scope.config, CONFIG, home, None, &mut found)
        };
        if found.has_errors() {
            return Err(found.into());
        }
        let config = if scope.global { user } else { user.merged(own.clone()) };
        let lock = Lock::read(&scope.lock)?;
        let installer = Installer {
            store: Store::at(&context.env.data),
            access: reach.registry.access(context, &sources(&config, lock.as_ref())),
            mirrors: mirrors(&config),
            registry: config.registry.clone(),
            offline: reach.offline,
            trust: trust(&config)?,
            decisions,
            machine: Machine::this(),
            own: context.own_plugins(),
            base: scope.directory.clone(),
            progress: Arc::new({
                let downloads = Downloads::new(&context.printer);
                move |step| downloads.tell(&step)
            }),
        };
        Ok(InstallContext { scope, own, lock, installer, alone })
    }

    /// The plugins that the scope's file requires.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let installed = self.own.plugins.values().filter(|required| required.path.is_none());
        let wanted = installed.map(|required| Wanted {
            name: required.name().to_owned(),
            kind: required.kind,
            requirement: required.version.clone(),
            origin: required.source.clone(),
            by: self.scope.name().to_owned(),
        });
        wanted.collect()
    }

    /// The lock, or an error if there is none.
    pub(crate) fn locked(&self) -> anyhow::Result<&Lock> {
        self.lock.as_ref().with_context(|| {
            format!("there is no {}; `pallet-cli install` writes it", self.scope.lock.display())
        })
    }
}

/// The registries in a configuration and a lock.
fn sources(config: &Config, lock: Option<&Lock>) -> Vec<Source> {
    let required = config.plugins.values().filter_map(|required| required.source.as_ref());
    let locked = lock.into_iter().flat_map(Lock::plugins).map(|locked| &locked.source);
    let origins = required.chain(locked).filter_map(|origin| match origin {
        Origin::Repository(source) => Some(source.clone()),
        Origin::Archive { .. } | Origin::File(_) => None,
    });
    origins
        .chain(config.mirrors.values().map(|mirror| mirror.to.clone()))
        .chain(config.registry.clone())
        .collect()
}

/// Keeps other processes from changing the same scope. The lock is on the directory, so that no
/// lock file is left behind.
fn alone(context: &Context, scope: &InstallScope) -> anyhow::Result<File> {
    let shown = scope.directory.display();
    std::fs::create_dir_all(&scope.directory).with_context(|| format!("cannot make {shown}"))?;
    let directory = File::open(&scope.directory).with_context(|| format!("cannot open {shown}"))?;
    if directory.try_lock().is_err() {
        context.printer.status(&format!(
            "waiting for another pallet-cli process that is changing the plugins of {shown}"
        ));
        directory.lock().with_context(|| format!("cannot lock {shown}"))?;
    }
    Ok(directory)
}

fn mirrors(config: &Config) -> Vec<Mirror> {
    let mirror = |(prefix, mirror): (&String, &crate::project::config::MirrorConfig)| Mirror {
        prefix: prefix.clone(),
        to: mirror.to.clone(),
        pull_through: mirror.pull_through,
    };
    config.mirrors.iter().map(mirror).collect()
}

fn trust(config: &Config) -> anyhow::Result<Trust> {
    let mut rules = Vec::new();
    for (prefix, signers) in &config.trust {
        let signers = signers
            .iter()
            .map(|source| signer(source).with_context(|| format!("[trust] {prefix:?}")));
        rules.push(TrustRule {
            prefix: prefix.clone(),
            signers: signers.collect::<anyhow::Result<_>>()?,
        });
    }
    let root = match &config.sigstore.trusted_root {
        None => TrustedRoot::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the trusted root {}", path.display()))?;
            TrustedRoot::from_json(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?
        }
    };
    Ok(Trust { rules, root })
}

fn signer(source: &SignerConfig) -> anyhow::Result<SignerRule> {
    match source {
        SignerConfig::Text(text) => Ok(text.parse::<PublicKey>()?.into()),
        SignerConfig::File(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the public key {}", path.display()))?;
            Ok(text.parse::<PublicKey>().with_context(|| path.display().to_string())?.into())
        }
        SignerConfig::Identity(rule) => Ok(SignerRule::Like(rule.clone())),
    }
}

/// The signers of the command line: keys as files or as text in the form that Pallet prints, and
/// identities with their issuers.
pub(super) fn signers(
    keys: &[String],
    identities: &[String],
    issuers: &[String],
) -> anyhow::Result<Vec<SignerRule>> {
    let key = |word: &String| {
        // the base64 body of every public key begins with M
        let inline = word.starts_with("-----")
            || (word.starts_with('M') && !std::path::Path::new(word).is_file());
        let source =
            if inline { SignerConfig::Text(word.clone()) } else { SignerConfig::File(word.into()) };
        ensure!(!word.is_empty(), "--accept-signer requires a public key or a file with one");
        signer(&source).with_context(|| format!("--accept-signer {word}"))
    };
    let identity = |(identity, issuer): (&String, &String)| {
        let rule = IdentityRule::new(identity, issuer)
            .map_err(|error| anyhow!("--accept-identity {identity}: {error}"));
        rule.map(SignerRule::Like)
    };
    ensure!(
        identities.len() == issuers.len(),
        "each --accept-identity requires an --accept-issuer, and vice versa"
    );
    keys.iter().map(key).chain(identities.iter().zip(issuers).map(identity)).collect()
}
