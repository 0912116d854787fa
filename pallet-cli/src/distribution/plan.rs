//! Shared by the commands that change locked plugins: their options, and the order of the work.
//!
//! Pallet first chooses and checks everything, then fetches everything into the store, and only
//! then changes the files of the project.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use pallet_core::distribution::install::{Chosen, Unlock, Wanted};
use pallet_core::distribution::lock::{Lock, LockedPlugin};
use pallet_core::distribution::repository::Source;
use pallet_core::distribution::trust::Decisions;
use pallet_core::plugins::ANY_TARGET;
use pallet_core::plugins::source::{DESCRIPTION, Description};
use serde_json::json;

use super::changes::Changes;
use super::context::{InstallContext, SourceOptions, signers};
use super::edit::ConfigDocument;
use crate::context::Context;

/// Options of every command that changes locked plugins.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct InstallOptions {
    #[command(flatten)]
    pub(crate) reach: SourceOptions,
    /// Accept unsigned plugins; the decision is recorded in pallet.lock
    #[arg(long)]
    pub(crate) accept_unsigned: bool,
    /// Accept plugins signed with this public key (a file, or the key itself); the decision is
    /// recorded in pallet.lock
    #[arg(long, value_name = "KEY")]
    pub(crate) accept_signer: Vec<String>,
    /// Accept plugins signed by this identity (an email address or a workflow URI; `*` matches any
    /// characters except `/`); the decision is recorded in pallet.lock
    #[arg(long, value_name = "IDENTITY", requires = "accept_issuer")]
    pub(crate) accept_identity: Vec<String>,
    /// OIDC issuer URL of the identity; one for each --accept-identity
    #[arg(long, value_name = "ISSUER", requires = "accept_identity")]
    pub(crate) accept_issuer: Vec<String>,
    /// Show what would change, without changing anything
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What a command should change.
pub(crate) struct InstallPlan {
    /// All required plugins.
    pub(crate) wanted: Vec<Wanted>,
    /// Which locked plugins may change even if they still match.
    pub(crate) unlock: Unlock,
    /// Changes to the table `plugins`, by key.
    edits: Vec<(String, Edit)>,
}

enum Edit {
    /// Requires this plugin, in the given version or the chosen one.
    Require(Wanted),
    Release,
}

impl InstallOptions {
    /// Reads the scope for these further sources, and locks it.
    pub(crate) fn setup(
        &self,
        context: &Context,
        words: &[String],
    ) -> anyhow::Result<InstallContext> {
        let signers = signers(&self.accept_signer, &self.accept_identity, &self.accept_issuer)?;
        let decisions = Decisions { unsigned: self.accept_unsigned, signers };
        let mut setup = InstallContext::read(context, &self.reach, decisions, true)?;
        if setup.scope.global && !self.reach.global {
            context.printer.status(&format!(
                "no project found; using the plugins of this user, in {}",
                setup.scope.config.display()
            ));
        }
        let named: Vec<Source> = words
            .iter()
            .filter_map(|word| word.split('@').next().unwrap_or(word).parse().ok())
            .collect();
        setup
            .installer
            .access
            .plain_http
            .extend(self.reach.registry.access(context, &named).plain_http);
        Ok(setup)
    }
}

impl InstallPlan {
    /// A plan with the plugins that the scope's file requires.
    pub(crate) fn of(setup: &InstallContext, unlock: Unlock) -> Self {
        InstallPlan { wanted: setup.wanted(), unlock, edits: Vec::new() }
    }

    /// Requires a plugin, replacing an earlier requirement.
    pub(crate) fn require(&mut self, setup: &InstallContext, wanted: Wanted, given: bool) {
        let before = setup.own.plugins.values().find(|old| {
            old.name() == wanted.name && old.kind.is_none_or(|kind| Some(kind) == wanted.kind)
        });
        let other = setup.own.plugins.contains_key(&wanted.name)
            && before.is_none_or(|before| before.kind.is_some());
        let key = match (before, other, wanted.kind) {
            (Some(before), ..) => before.key.clone(),
            (None, true, Some(pallet_core::model::PluginKind::Provider)) => {
                format!("provider/{}", wanted.name)
            }
            (None, true, _) => format!("crate/{}", wanted.name),
            (None, false, _) => wanted.name.clone(),
        };
        let mut wanted = wanted;
        if let (Some(before), false) = (before, given) {
            wanted.requirement = before.version.clone();
        }
        self.wanted.retain(|old| {
            old.name != wanted.name || (old.kind.is_some() && old.kind != wanted.kind)
        });
        let mut names = match std::mem::replace(&mut self.unlock, Unlock::Nothing) {
            Unlock::Named(names) => names,
            Unlock::All | Unlock::Nothing => BTreeSet::new(),
        };
        names.insert(wanted.name.clone());
        self.unlock = Unlock::Named(names);
        self.wanted.push(wanted.clone());
        self.edits.push((key, Edit::Require(wanted)));
    }

    /// Drops the requirement of a plugin.
    pub(crate) fn release(&mut self, key: &str, name: &str) {
        self.wanted.retain(|old| old.name != name || !key.ends_with(name));
        self.edits.push((key.to_owned(), Edit::Release));
    }

    /// Carries out the plan.
    pub(crate) async fn carry_out(
        self,
        context: &Context,
        setup: &InstallContext,
        dry_run: bool,
    ) -> anyhow::Result<()> {
        let old = setup.lock.clone().unwrap_or_default();
        let mut session = setup.installer.session();
        let Chosen { mut lock, notes } = session.choose(&self.wanted, &old, &self.unlock).await?;
        let edits = self.edited(&mut lock);
        let fetched = if dry_run { Vec::new() } else { session.fetch(&lock).await? };
        if !dry_run {
            check_sources(context, setup, &old, &lock)?;
        }
        let changes = Changes::between(&old, &lock);
        let changes = changes.with(|new, before| {
            if dry_run { Ok(Vec::new()) } else { session.capabilities(new, before) }
        })?;
        if context.printer.json() {
            context.printer.value(&json!({
                "changes": changes.json(), "fetched": fetched, "notes": notes, "dry_run": dry_run,
            }));
        } else {
            for line in notes.iter().chain(&changes.lines()) {
                context.printer.line(line);
            }
            context.printer.line(&summary(setup, &lock, &fetched, &changes, dry_run));
        }
        if dry_run {
            return Ok(());
        }
        // the lock is written first, so that a process that is killed in between never leaves a
        // plugin that is required but not locked
        lock.write(&setup.scope.lock)?;
        remember(context, setup)?;
        let mut document = ConfigDocument::read(&setup.scope.config)?;
        for edit in &edits {
            match edit {
                (key, None) => document.release(key),
                (key, Some((version, source))) => document.require(key, version, source)?,
            }
        }
        if edits.is_empty() { Ok(()) } else { document.write(&setup.scope.config) }
    }

    /// The edits with the chosen versions. The lock gets the same requirements as the file.
    fn edited(&self, lock: &mut Lock) -> Vec<(String, Option<(String, String)>)> {
        let mut edits = Vec::new();
        for (key, edit) in &self.edits {
            let Edit::Require(wanted) = edit else {
                edits.push((key.clone(), None));
                continue;
            };
            let Some(chosen) = lock
                .named(&wanted.name)
                .find(|locked| wanted.kind.is_none_or(|kind| kind == locked.kind))
                .cloned()
            else {
                continue;
            };
            let mut text = wanted.requirement.to_string();
            if wanted.requirement == semver::VersionReq::STAR {
                text = chosen.version.to_string();
            }
            let requirement = text.parse().unwrap_or_else(|_| wanted.requirement.clone());
            edits.push((key.clone(), Some((text, chosen.source.to_string()))));
            lock.insert(LockedPlugin { requirement: Some(requirement), ..chosen });
        }
        edits
    }
}

/// Checks the modules of crates in Starlark that are new, before anything refers to them.
fn check_sources(
    context: &Context,
    setup: &InstallContext,
    old: &Lock,
    new: &Lock,
) -> anyhow::Result<()> {
    let interpreter = context.interpreter();
    for locked in new.plugins().filter(|locked| old.get(&locked.package()) != Some(*locked)) {
        let Some(target) = locked.targets.get(ANY_TARGET) else { continue };
        let directory = setup.installer.store.directory(target.content.digest());
        let sound =
            is_as_published(locked, &directory).and_then(|()| interpreter.check(&directory));
        sound.map_err(|message| {
            anyhow!("crate {locked} is not sound, and nothing was installed: {message}")
        })?;
    }
    Ok(())
}

/// Compares what was published of a crate with what its files say.
fn is_as_published(locked: &LockedPlugin, directory: &Path) -> Result<(), String> {
    let found = Description::read(&directory.join(DESCRIPTION))
        .map_err(|error| format!("{DESCRIPTION}: {error}"))?;
    if (&found.name, &found.version) != (&locked.name, &locked.version) {
        return Err(format!("its {DESCRIPTION} is that of {} {}", found.name, found.version));
    }
    if found.requires != locked.requires {
        return Err(format!("its {DESCRIPTION} requires other crates than was published"));
    }
    Ok(())
}

fn summary(
    setup: &InstallContext,
    lock: &Lock,
    fetched: &[String],
    changes: &Changes<'_>,
    dry_run: bool,
) -> String {
    let (count, file) = (lock.plugins().len(), setup.scope.lock.display());
    let plugins =
        if count == 1 { "1 plugin is".to_owned() } else { format!("{count} plugins are") };
    match (dry_run, changes.is_empty(), fetched.len()) {
        (true, true, _) => "nothing would change".to_owned(),
        (true, false, _) => "dry run: nothing was changed".to_owned(),
        (false, true, 0) if count == 0 => {
            format!("no plugin is required in {}", setup.scope.config.display())
        }
        (false, true, 0) => format!("{plugins} installed as locked in {file}; nothing to do"),
        (false, true, fetched) => {
            format!("{plugins} installed as locked in {file}, {fetched} of them now")
        }
        (false, false, _) => format!("{plugins} installed and locked in {file}"),
    }
}

/// Protects the plugins of the lock from garbage collection in the store.
fn remember(context: &Context, setup: &InstallContext) -> anyhow::Result<()> {
    context.remember(&setup.installer.store, &setup.scope.lock)
}

/// Runs a future that accesses registries.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}
