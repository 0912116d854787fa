//! `pallet-cli publish`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use pallet_core::distribution::artifact::{
    Build, Details, Publication, Publishing, Release, manifest_for,
};
use pallet_core::distribution::repository::{self, Repository, Source};
use pallet_core::distribution::signature::SigningKey;
use pallet_core::plugins::source::DESCRIPTION;
use pallet_core::plugins::{Registry, is_source};
use serde_json::{Value, json};

use crate::context::Context;
use crate::distribution::{RegistryOptions, block_on, signing_key};
use crate::output::table;
use crate::package;

/// Build a plugin and push it to a registry or directory, from which others install it
///
/// A published version is never overwritten. A build for another target is added to it.
#[derive(Debug, clap::Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Publish {
    /// Directory of the plugin's package
    #[arg(value_name = "PATH", default_value = ".")]
    package: PathBuf,
    /// Destination: oci://HOST/PATH or layout:DIRECTORY; KIND/NAME is appended unless PATH ends
    /// with it
    source: String,
    /// Publish this library instead of building one; one for each target
    #[arg(long, value_name = "FILE")]
    dylib: Vec<PathBuf>,
    /// Build for this Rust target [default: this machine's]; a crate in Starlark runs on all
    #[arg(long, value_name = "TRIPLE", conflicts_with = "dylib")]
    target: Vec<String>,
    /// Sign with this private key; `pallet-cli generate-key` creates one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Show what would be pushed, without pushing anything
    #[arg(long)]
    dry_run: bool,
    /// Use only image media types, for registries that reject others
    #[arg(long)]
    image_types: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

impl Publish {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let source: Source = self.source.parse()?;
        let key = self.key.as_deref().map(|file| signing_key(context, file)).transpose()?;
        let directory = match &context.global.directory {
            Some(directory) => directory.join(&self.package),
            None => self.package.clone(),
        };
        let libraries = self.libraries(&directory)?;
        let builds: Vec<Build> =
            libraries.iter().map(|library| Build::read(library)).collect::<Result<_, _>>()?;
        let targets: Vec<&str> = builds.iter().map(|build| build.target.as_str()).collect();
        let details =
            Details { image_types: self.image_types, ..package::details(&directory, &targets)? };
        let Some(first) = builds.first() else { bail!("there is no library to publish") };
        let source = source.of_plugin(first.summary.kind, &first.summary.name);
        let access = self.registry.access(context, [&source]);
        block_on(async {
            let repository = repository::open(&source, &access).await?;
            let repository = repository.as_ref();
            let manifest = match libraries.iter().find(|file| is_source(file)) {
                Some(source) => {
                    check_files(context, first)?;
                    manifest_of_source(context, source)?
                }
                None => manifest_for(repository, &builds, &libraries).await?,
            };
            let release = Release::new(&builds, &manifest, &details)?;
            self.publish(context, repository, &release, key.as_ref()).await
        })
    }

    async fn publish(
        &self,
        context: &Context,
        repository: &dyn Repository,
        release: &Release,
        key: Option<&SigningKey>,
    ) -> anyhow::Result<ExitCode> {
        let publishing = Publishing::plan(repository, release, key).await?;
        let printer = &context.printer;
        if key.is_none() {
            printer.warning(
                "the plugin is not signed, so users must accept it explicitly; sign it with --key, \
                 or afterwards with cosign",
            );
        }
        let publication = match self.dry_run {
            true => publishing.publication().clone(),
            false => {
                let verbose = context.global.verbose > 0 && !printer.json();
                let tell = |what: &str| {
                    if verbose {
                        printer.said(&format!("pushing {what}"));
                    }
                };
                publishing.run(repository, &tell).await?
            }
        };
        match printer.json() {
            true => {
                printer.value(&as_json(repository.source(), release, &publication, self.dry_run))
            }
            false => {
                printer.text(&as_text(repository.source(), release, &publication, self.dry_run))
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The libraries that the user named, or those that cargo builds.
    fn libraries(&self, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
        if !self.dylib.is_empty() {
            return Ok(self.dylib.clone());
        }
        if directory.join(DESCRIPTION).is_file() && !self.target.is_empty() {
            bail!("a crate in Starlark runs on every system: leave out --target");
        }
        if self.target.is_empty() {
            return Ok(vec![package::build(directory, true, None)?]);
        }
        self.target.iter().map(|target| package::build(directory, true, Some(target))).collect()
    }
}

/// Checks that the modules of a crate in Starlark load nothing but files that are published.
fn check_files(context: &Context, build: &Build) -> anyhow::Result<()> {
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    build.write_to(directory.path())?;
    context.interpreter().check(directory.path()).map_err(|message| {
        anyhow!(
            "{} cannot be used as it would be published, without its tests and documents: \
             {message}",
            build.summary.name
        )
    })
}

/// The manifest of a crate in Starlark, which is loaded for it with all that it requires.
fn manifest_of_source(context: &Context, description: &Path) -> anyhow::Result<Value> {
    let directory = description.parent().map(Path::to_owned).unwrap_or_default();
    let own = Registry::scan(&[directory]);
    if let Some(problem) = own.problems().first() {
        bail!("{problem}");
    }
    let Some(name) = own.plugins().first().map(|found| found.summary.name.clone()) else {
        bail!("{} is not a crate", description.display())
    };
    let registry = own.before(context.scan()?);
    Ok(serde_json::to_value(registry.crate_manifest(&name)?)?)
}

fn as_text(source: &Source, release: &Release, publication: &Publication, dry_run: bool) -> String {
    let mut text = String::new();
    if dry_run && !publication.pushed.is_empty() {
        let row = |pushed: &pallet_core::distribution::artifact::Pushed| {
            vec![
                pushed.what.clone(),
                pushed.size.to_string(),
                pushed.media_type.clone(),
                pushed.digest.to_string(),
            ]
        };
        text +=
            &table(&["WHAT", "BYTES", "MEDIA TYPE", "DIGEST"], publication.pushed.iter().map(row));
    }
    let verb = if dry_run { "would publish" } else { "published" };
    text += &format!("{verb} {} to {source}\n", release.title());
    text += &format!("for {}", release.targets().join(", "));
    let others: Vec<&str> = publication
        .before
        .iter()
        .map(String::as_str)
        .filter(|target| !release.targets().contains(target))
        .collect();
    if !others.is_empty() {
        text += &format!(", beside {}", others.join(", "));
    }
    text += &format!("\nindex {}\n", publication.index);
    match &publication.signer {
        Some(signer) => text + &format!("signed with {signer}\n"),
        None => text + "not signed\n",
    }
}

fn as_json(source: &Source, release: &Release, publication: &Publication, dry_run: bool) -> Value {
    let pushed: Vec<Value> = publication
        .pushed
        .iter()
        .map(|pushed| {
            json!({
                "what": pushed.what, "media_type": pushed.media_type, "size": pushed.size,
                "digest": pushed.digest,
            })
        })
        .collect();
    json!({
        "dry_run": dry_run,
        "source": source,
        "kind": release.kind(),
        "name": release.name,
        "version": release.version,
        "index": publication.index,
        "targets": publication.targets,
        "before": publication.before,
        "pushed": pushed,
        "signer": publication.signer.as_ref().map(ToString::to_string),
    })
}
