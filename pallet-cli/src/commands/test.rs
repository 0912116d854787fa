//! `pallet-cli test`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use pallet_core::engine::trial::{TrialOptions, Verdict};
use pallet_core::model::{PluginKind, PluginSummary};
use pallet_core::plugins::Registry;
use serde_json::json;

use crate::context::{Context, GlobalOptions};
use crate::operation::runtime;
use crate::package::{Scenario, build, link_library, scenarios};
use crate::process::{INTERRUPTED, SOME_NODE_FAILED, UNTESTED, exit_now, on_signal};

/// Run a crate's scenarios on fresh nodes, for each system that the crate supports
///
/// Run it in the package of the crate, or set its directory with -C. A scenario is a file
/// tests/NAME.star, the pallet.star of a project. Its groups are created and configured: the dry
/// run must write nothing and predict the changes, and a second run must change nothing. An extra
/// node that is not configured shows what changes on its own. The phase `verify` checks the result.
/// Nodes are sandbox nodes, or those of --service; tests/pallet.toml can configure services and
/// images. The exit code is 1 if a scenario fails, and 4 if none fails but some system could not be
/// tested.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Only these scenarios
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Test this library, or this crate.toml, instead of building the package
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// Only this system, such as "debian 12"
    #[arg(long = "system", value_name = "SYSTEM")]
    systems: Vec<String>,
    /// Keep the nodes of failed scenarios for inspection
    #[arg(long)]
    keep: bool,
}

/// The results so far.
#[derive(Default)]
struct TestCounts {
    kept: usize,
    broken: usize,
    untried: usize,
    stopped: bool,
}

impl Test {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let package = context.global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        let scenarios = scenarios(&package, &self.scenarios)?;
        let library = match &self.plugin {
            Some(library) => library.clone(),
            None => build(&package, false, None)?,
        };
        let plugins = tempfile::tempdir().context("cannot make a directory for temporary files")?;
        link_library(&library, plugins.path())?;
        let own = Registry::scan(&[plugins.path().to_owned()]);
        refuse_problems_of(&own)?;
        let summary = crate_of(&own, &library)?;
        let registry = Arc::new(own.before(context.scan()?));
        registry.crate_manifest(&summary.name)?.check_names().map_err(anyhow::Error::msg)?;
        let systems: Vec<Option<String>> =
            match (self.systems.is_empty(), summary.systems.is_empty()) {
                (false, _) => self.systems.iter().cloned().map(Some).collect(),
                (true, false) => summary.systems.iter().cloned().map(Some).collect(),
                (true, true) => vec![None],
            };
        let mut tally = TestCounts::default();
        for system in &systems {
            for scenario in &scenarios {
                self.one(
                    context,
                    &registry,
                    &package,
                    (&summary, &library),
                    scenario,
                    system.as_deref(),
                    &mut tally,
                )?;
                if tally.stopped {
                    return Ok(ExitCode::from(INTERRUPTED));
                }
            }
        }
        if !context.printer.json() {
            let TestCounts { kept, broken, untried, .. } = tally;
            context.printer.line(&format!("{kept} passed, {broken} failed, {untried} not tried"));
        }
        Ok(match tally {
            TestCounts { broken: 1.., .. } => ExitCode::from(SOME_NODE_FAILED),
            TestCounts { untried: 1.., .. } => ExitCode::from(UNTESTED),
            _ => ExitCode::SUCCESS,
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn one(
        &self,
        context: &Context,
        registry: &Arc<Registry>,
        package: &Path,
        (summary, library): (&PluginSummary, &Path),
        scenario: &Scenario,
        system: Option<&str>,
        tally: &mut TestCounts,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        // keeps the nodes of two concurrent trials apart
        let name = format!("trial-{}-{}", summary.name, std::process::id());
        let mut project = scenario.project(package, &name, library)?;
        let inner = Context {
            global: GlobalOptions {
                directory: Some(project.path().to_owned()),
                stage: None,
                ..context.global.clone()
            },
            printer: context.printer.clone(),
            env: context.env.clone(),
            messages: Default::default(),
            secrets: context.secrets.clone(),
        };
        let loaded =
            inner.load(registry.clone()).with_context(|| format!("scenario {}", scenario.name))?;
        let engine = inner.engine(&loaded)?;
        let cancel = engine.cancel.clone();
        let runtime = runtime()?;
        let stop = cancel.clone();
        let heard = on_signal(move |_| {
            if stop.is_cancelled() {
                exit_now(|| ());
            }
            stop.cancel();
        })?;
        let options = TrialOptions { system: system.map(str::to_owned), keep: self.keep };
        let verdict = runtime.block_on(engine.trial(&loaded.project.groups, &options))?;
        drop(heard);
        runtime.shutdown_background();
        tally.stopped = cancel.is_cancelled();
        match &verdict {
            Verdict::Kept { .. } => tally.kept += 1,
            Verdict::Broken(_) => tally.broken += 1,
            Verdict::NotTried(_) => tally.untried += 1,
        }
        let place = system.map(|system| format!("{system}: ")).unwrap_or_default() + &scenario.name;
        tell(context, &place, scenario, system, &verdict, start.elapsed().as_secs_f64());
        if self.keep && matches!(verdict, Verdict::Broken(_)) {
            project.disable_cleanup(true);
            let directory = project.path().display();
            context.printer.line(&format!(
                "  its nodes are kept; `pallet-cli -C {directory} nodes` lists them, `down` \
                 destroys them"
            ));
        }
        Ok(())
    }
}

/// Fails if the library itself cannot be used. Crates that it requires are looked for later.
fn refuse_problems_of(own: &Registry) -> anyhow::Result<()> {
    match own.problems().first() {
        Some(problem) => bail!("{problem}"),
        None => Ok(()),
    }
}

fn crate_of(own: &Registry, library: &Path) -> anyhow::Result<PluginSummary> {
    match own.plugins().first().map(|found| &found.summary) {
        Some(summary) if summary.kind == PluginKind::Crate => Ok(summary.clone()),
        Some(summary) => {
            bail!("{} is a provider and has no scenarios; test it with cargo test", summary.name)
        }
        None => bail!("{} is not a plugin", library.display()),
    }
}

fn tell(
    context: &Context,
    place: &str,
    scenario: &Scenario,
    system: Option<&str>,
    verdict: &Verdict,
    seconds: f64,
) {
    let (word, lines) = match verdict {
        Verdict::Kept { .. } => ("passed", Vec::new()),
        Verdict::Broken(broken) => ("failed", broken.clone()),
        Verdict::NotTried(why) => ("not_tried", vec![why.clone()]),
    };
    if context.printer.json() {
        let open = if let Verdict::Kept { open, .. } = verdict { open.clone() } else { Vec::new() };
        let value = json!({
            "event": "trial", "scenario": scenario.name, "system": system, "result": word,
            "why": lines, "may": open, "seconds": seconds
        });
        return context.printer.value(&value);
    }
    match verdict {
        Verdict::Kept { changes, open } => {
            let what = if *changes == 1 { "change" } else { "changes" };
            context.printer.line(&format!("{place}: passed, {changes} {what} ({seconds:.1} s)"));
            if context.printer.verbose > 0 {
                open.iter()
                    .for_each(|line| context.printer.line(&format!("  known after apply: {line}")));
            }
        }
        Verdict::Broken(broken) => {
            context.printer.line(&format!("{place}: failed ({seconds:.1} s)"));
            broken.iter().for_each(|line| context.printer.line(&format!("  {line}")));
        }
        Verdict::NotTried(why) => context.printer.line(&format!("{place}: not tried: {why}")),
    }
}
