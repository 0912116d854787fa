//! `pallet-cli graph`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use pallet_core::engine::EngineConfig;
use pallet_core::model::Os;

use crate::context::Context;
use crate::operation::{drive, groups};

/// Draw a graph of the groups, their phases, the crate functions that these call, and the settings
/// that they share
#[derive(Debug, clap::Args)]
pub(crate) struct Graph {
    /// Only these groups
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,
    /// Write to this file [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Assume this system for all nodes: "debian 12", "rocky 9", "alpine" [default: the one that
    /// node_spec selects]
    #[arg(long, value_name = "SYSTEM")]
    os: Option<String>,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// SVG image
    Svg,
    /// DOT source for Graphviz
    Dot,
}

impl Graph {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let groups = groups(&loaded, &self.groups)?;
        let os =
            self.os.as_deref().map(|name| Os::of_name(name, std::env::consts::ARCH)).transpose()?;
        let (graph, _) = drive(context, &loaded, None, async |engine| {
            // print only the graph
            let engine = engine.with(EngineConfig { sinks: Vec::new(), ..engine.config().clone() });
            engine.graph(&groups, os.as_ref()).await
        })?;
        for (group, phase) in graph
            .groups
            .iter()
            .flat_map(|group| group.phases.iter().map(move |phase| (group, phase)))
        {
            if let Some(error) = &phase.error {
                context.printer.warning(&format!(
                    "phase {} of group {} cannot be declared: {error}",
                    phase.name, group.name
                ));
            }
        }
        if context.printer.json() && self.out.is_none() {
            context.printer.value(&serde_json::to_value(&graph)?);
            return Ok(ExitCode::SUCCESS);
        }
        let text = match self.format {
            Format::Svg => graph.svg(),
            Format::Dot => graph.dot(),
        };
        match &self.out {
            None => context.printer.text(&text),
            Some(file) => std::fs::write(file, text)
                .with_context(|| format!("cannot write {}", file.display()))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
