//! `pallet-cli new`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::context::Context;
use crate::package::{
    CoreSource, Language, License, PackageKind, Template, check_new, checkout_around,
};

/// Create the package of a new crate or provider, with code, documentation, tests and a README
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// Kind of plugin
    #[arg(value_enum)]
    kind: PackageKind,
    /// Name of the plugin: a-z, 0-9 and -
    name: String,
    /// Directory to create [default: NAME]
    to: Option<PathBuf>,
    /// Write a crate in Starlark: no compiler is needed, and it runs on every system
    #[arg(long, conflicts_with_all = ["rust", "pallet_core", "pallet_core_git"])]
    starlark: bool,
    /// Write a crate in Rust, which is the default
    #[arg(long)]
    rust: bool,
    /// License of the package
    #[arg(long, value_enum, default_value_t = License::Both)]
    license: License,
    /// Build it with the pallet-core of this checkout of Pallet
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "pallet_core_git")]
    pallet_core: Option<PathBuf>,
    /// Build it with the pallet-core of this git repository, at --tag or --rev
    #[arg(long, value_name = "URL", requires = "at")]
    pallet_core_git: Option<String>,
    /// Tag of the repository
    #[arg(long, group = "at", requires = "pallet_core_git")]
    tag: Option<String>,
    /// Commit of the repository
    #[arg(long, group = "at", requires = "pallet_core_git")]
    rev: Option<String>,
}

impl New {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let directory = self.to.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        check_new(&self.name, &directory)?;
        if self.starlark && self.kind != PackageKind::Crate {
            bail!("a provider is written in Rust; only a crate can be written in Starlark");
        }
        let language = match self.starlark {
            true => Language::Starlark,
            false => Language::Rust(self.core(context)?),
        };
        let template =
            Template { kind: self.kind, name: self.name, license: self.license, language };
        for path in template.write(&directory)? {
            context.printer.line(&format!("wrote {}", path.display()));
        }
        let next = match (self.starlark, self.kind) {
            (true, _) => "pallet-cli test",
            (_, PackageKind::Crate) => "cargo test, then pallet-cli test",
            (_, PackageKind::Provider) => "cargo test",
        };
        context.printer.line(&format!("next: cd {}, {next}", super::init::word(&directory)));
        Ok(ExitCode::SUCCESS)
    }

    /// Where pallet-core comes from: what the options say, or what the user answers.
    fn core(&self, context: &Context) -> anyhow::Result<CoreSource> {
        let git = |url: &str, kind, name: &str| CoreSource::Git {
            url: url.to_owned(),
            kind,
            name: name.to_owned(),
        };
        match (&self.pallet_core, &self.pallet_core_git, &self.tag, &self.rev) {
            (Some(directory), ..) => return Ok(CoreSource::Checkout(directory.clone())),
            (_, Some(url), Some(tag), _) => return Ok(git(url, "tag", tag)),
            (_, Some(url), _, Some(rev)) => return Ok(git(url, "rev", rev)),
            _ => {}
        }
        let here = std::env::current_dir().ok();
        let near =
            checkout_around(here.as_deref().into_iter().chain(context.env.executable.as_deref()));
        if !context.env.interactive {
            let near = near.map(|near| format!(", such as {}", super::init::word(&near)));
            bail!(
                "say where pallet-core comes from: --pallet-core DIRECTORY, a checkout of \
                 Pallet{}; or --pallet-core-git URL with --tag or --rev",
                near.unwrap_or_default()
            );
        }
        let default = near.as_ref().map(|near| format!(" [{}]", near.display()));
        let answer = context.printer.ask(&format!(
            "the directory of a checkout of Pallet, or the URL of a git repository, has \
             pallet-core\npallet-core{}: ",
            default.unwrap_or_default()
        ));
        match (answer.as_str(), near) {
            ("", Some(near)) => Ok(CoreSource::Checkout(near)),
            ("", None) => bail!("there is no pallet-core to build with; nothing was written"),
            (url, _) if url.contains("://") => {
                let tag = context.printer.ask("tag of the repository: ");
                if tag.is_empty() {
                    bail!("a git repository needs a tag, or --rev; nothing was written");
                }
                Ok(git(url, "tag", &tag))
            }
            (directory, _) => Ok(CoreSource::Checkout(PathBuf::from(directory))),
        }
    }
}
