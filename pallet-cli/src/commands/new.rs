//! `pallet-cli new`

use std::path::PathBuf;
use std::process::ExitCode;

use crate::context::Context;
use crate::package::{License, PackageKind, Template};

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
    /// License of the package
    #[arg(long, value_enum, default_value_t = License::Both)]
    license: License,
    /// Use the pallet-core of this checkout instead of the published one
    #[arg(long, value_name = "DIRECTORY")]
    pallet_core: Option<PathBuf>,
}

impl New {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let directory = self.to.unwrap_or_else(|| PathBuf::from(&self.name));
        let template = Template {
            kind: self.kind,
            name: self.name,
            license: self.license,
            core: self.pallet_core,
        };
        for path in template.write(&directory)? {
            context.printer.line(&format!("wrote {}", path.display()));
        }
        let test = if self.kind == PackageKind::Crate { ", then pallet-cli test" } else { "" };
        context
            .printer
            .line(&format!("next: cd {}, cargo test{test}", super::init::word(&directory)));
        Ok(ExitCode::SUCCESS)
    }
}
