//! `pallet-cli schedule`

mod systemd;
mod units;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use pallet_core::local::write_atomically;
use pallet_core::script::quote;
use serde_json::json;

use self::systemd::{Systemd, check_calendar};
use self::units::{Units, When, directory_of, name};
use crate::context::Context;
use crate::process::DRIFT;
use crate::project::LoadedProject;

/// Look for drift regularly, with a timer of systemd
///
/// The timer runs `lift --drift-only`, which changes nothing on nodes. Its unit fails if there is
/// drift, and the journal of systemd has the report.
#[derive(Debug, clap::Args)]
pub(crate) struct Schedule {
    #[command(subcommand)]
    what: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Write and start the timer, or change it
    Install(Install),
    /// Stop and remove the timer
    Remove {
        #[command(flatten)]
        manager: Manager,
    },
    /// Show the timer and the result of the last check
    Status {
        #[command(flatten)]
        manager: Manager,
    },
}

/// Write and start the timer, or change it
#[derive(Debug, clap::Args)]
struct Install {
    /// Time between two checks, such as 30min, 6h or 1day [default: 1h]
    #[arg(long, value_name = "TIME", conflicts_with = "calendar")]
    every: Option<String>,
    /// When to check, as systemd writes it, such as "Mon..Fri 06:00"
    #[arg(long, value_name = "WHEN")]
    calendar: Option<String>,
    /// Configure the nodes: run `lift` instead of `lift --drift-only`
    #[arg(long)]
    apply: bool,
    /// Unit of systemd to start if there is drift, or if the check fails
    #[arg(long, value_name = "UNIT")]
    on_failure: Option<String>,
    /// Show the units without writing them
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    manager: Manager,
}

/// Which systemd runs the timer.
#[derive(Debug, clap::Args)]
struct Manager {
    /// A timer of this user [default: unless root runs the command]
    #[arg(long, conflicts_with = "system")]
    user: bool,
    /// A timer of the system [default: if root runs the command]
    #[arg(long)]
    system: bool,
}

impl Schedule {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let project = LoadedProject::configured(&context.directory(), &context.load_options()?)?;
        match self.what {
            Subcommands::Install(install) => install.run(context, &project),
            Subcommands::Remove { manager } => remove(context, &manager.own(context, &project)?),
            Subcommands::Status { manager } => status(context, &manager.own(context, &project)?),
        }
    }
}

/// Where the units of a project are.
struct Place<'a> {
    systemd: Systemd,
    directory: PathBuf,
    /// Their name without its ending.
    name: String,
    project: &'a LoadedProject,
    /// The project's directory.
    at: PathBuf,
}

impl Manager {
    fn place<'a>(
        &self,
        context: &Context,
        project: &'a LoadedProject,
    ) -> anyhow::Result<Place<'a>> {
        let user = self.user || !self.system && !rustix::process::geteuid().is_root();
        let directory = match (user, context.env.configuration.parent()) {
            (true, Some(configuration)) => configuration.join("systemd/user"),
            _ => PathBuf::from("/etc/systemd/system"),
        };
        let at = project.directory.canonicalize();
        let at = at.with_context(|| format!("cannot find {}", project.directory.display()))?;
        let name = name(&project.name);
        Ok(Place { systemd: Systemd { user }, directory, name, project, at })
    }

    /// The same; the units that are there must be those of this directory.
    fn own<'a>(&self, context: &Context, project: &'a LoadedProject) -> anyhow::Result<Place<'a>> {
        let place = self.place(context, project)?;
        place.check_owner()?;
        Ok(place)
    }
}

impl Place<'_> {
    /// A unit's name, and its file.
    fn unit(&self, ending: &str) -> (String, PathBuf) {
        let unit = format!("{}.{ending}", self.name);
        let file = self.directory.join(&unit);
        (unit, file)
    }

    /// Refuses units that are for a project of the same name in another directory.
    fn check_owner(&self) -> anyhow::Result<()> {
        let (_, file) = self.unit("service");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // a project that was moved takes its units along
        let is_other = |other: &&str| Path::new(other) != self.at && Path::new(other).exists();
        if let Some(other) = directory_of(&text).filter(is_other) {
            bail!(
                "{} is for the project {} in {other}; run `pallet-cli schedule remove` there, or \
                 set another name in [project] of pallet.toml",
                file.display(),
                self.project.name
            );
        }
        Ok(())
    }
}

impl Install {
    fn run(self, context: &Context, project: &LoadedProject) -> anyhow::Result<ExitCode> {
        let when = self.when()?;
        let place = self.manager.place(context, project)?;
        let systemd = place.systemd;
        let command = self.command(context, project, &place.at)?;
        let variables = variables(context);
        let words = command.iter().chain(variables.iter().map(|(_, value)| value));
        let words = words.chain([&project.name, &context.env.user]).chain(&self.on_failure);
        if let Some(word) = words.clone().find(|word| word.contains(char::is_control)) {
            bail!("{word:?} has a control character, which a unit of systemd cannot have");
        }
        let shown = place.at.to_string_lossy();
        let units = Units {
            project: &project.name,
            directory: &shown,
            command: &command,
            variables: &variables,
            user: (!systemd.user).then_some(context.env.user.as_str()),
            when: &when,
            apply: self.apply,
            on_failure: self.on_failure.as_deref(),
        };
        let (timer, timer_file) = place.unit("timer");
        let (_, service_file) = place.unit("service");
        let files = [(service_file, units.service()), (timer_file, units.timer())];
        if self.dry_run {
            show(context, &files, false);
            return Ok(ExitCode::SUCCESS);
        }
        if !Systemd::runs() {
            bail!(
                "systemd does not run here; this line of a crontab does the same every hour: {}",
                cron(&command)
            );
        }
        let known = |path: &Path| std::fs::read_to_string(path).ok();
        place.check_owner()?;
        let current = files.iter().all(|(path, text)| known(path).as_deref() == Some(text));
        if !current || !systemd.waits(&timer) {
            for (path, text) in &files {
                write(path, text)?;
            }
            systemd.call(&["daemon-reload"])?;
            systemd.call(&["enable", "--quiet", &timer])?;
            systemd.call(&["restart", &timer])?;
        }
        show(context, &files, !current);
        if !context.printer.json() {
            let what = if self.apply { "lifts its nodes" } else { "looks for drift" };
            let manager = if systemd.user { " --user" } else { "" };
            context.printer.line(&format!(
                "{timer} {what}; `journalctl{manager} -u {}` shows the reports",
                place.name
            ));
            if systemd.user {
                context.printer.line(
                    "it runs while you are logged in; `loginctl enable-linger` keeps it running",
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn when(&self) -> anyhow::Result<When> {
        if let Some(when) = &self.calendar {
            if when.contains(char::is_control) {
                bail!("--calendar {when:?} has a control character");
            }
            check_calendar(when)?;
            return Ok(When::Calendar(when.clone()));
        }
        let every = self.every.as_deref().unwrap_or("1h");
        let time = humantime::parse_duration(every)
            .with_context(|| format!("--every {every}: write it as in 30min, 6h or 1day"))?;
        if time < Duration::from_secs(60) {
            bail!("--every {every}: the shortest time is 1min");
        }
        Ok(When::Every(time.as_secs()))
    }

    /// The program and its arguments.
    fn command(
        &self,
        context: &Context,
        project: &LoadedProject,
        at: &Path,
    ) -> anyhow::Result<Vec<String>> {
        let program = context.env.executable.as_deref().context("cannot find this program")?;
        let text = |path: &Path| {
            let text = path.to_str().map(str::to_owned);
            text.with_context(|| {
                format!("{} is not UTF-8, as units of systemd are", path.display())
            })
        };
        let mut words = vec![text(program)?, "-C".to_owned(), text(at)?];
        if let Some(service) = &context.global.service {
            words.extend(["--service".to_owned(), service.clone()]);
        }
        if let Some((stage, config)) = &project.stage {
            words.extend(["--stage".to_owned(), stage.clone()]);
            if self.apply && config.confirm {
                if !self.dry_run {
                    context.confirm_stage(project)?;
                }
                words.extend(["--confirm-stage".to_owned(), stage.clone()]);
            }
        }
        for value in &context.global.environment {
            words.extend(["--env".to_owned(), value.clone()]);
        }
        words.push("lift".to_owned());
        if !self.apply {
            words.push("--drift-only".to_owned());
        }
        Ok(words)
    }
}

/// Variables of this process that the check needs too.
fn variables(context: &Context) -> Vec<(String, String)> {
    let path = std::env::join_paths(&context.env.plugin_path).ok();
    let path = path.and_then(|path| path.into_string().ok()).filter(|path| !path.is_empty());
    path.map(|path| ("PALLET_PLUGIN_PATH".to_owned(), path)).into_iter().collect()
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory)
        .and_then(|()| write_atomically(path, text.as_bytes()))
        .with_context(|| {
            format!("cannot write {}; --system needs root, --user does not", path.display())
        })
}

/// Shows units; `changed`: they were written now.
fn show(context: &Context, files: &[(PathBuf, String)], changed: bool) {
    if context.printer.json() {
        let units = files.iter().map(|(path, text)| json!({"path": path, "text": text}));
        let units: Vec<_> = units.collect();
        return context.printer.value(&json!({"changed": changed, "units": units}));
    }
    for (path, text) in files {
        context.printer.line(&format!("# {}", path.display()));
        context.printer.line(text);
    }
}

/// A line of a crontab.
fn cron(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| quote(word)).collect();
    format!("0 * * * * {}", words.join(" ").replace('%', "\\%"))
}

fn remove(context: &Context, place: &Place<'_>) -> anyhow::Result<ExitCode> {
    let [(timer, timer_file), (service, service_file)] =
        ["timer", "service"].map(|ending| place.unit(ending));
    let there: Vec<_> =
        [timer_file, service_file].into_iter().filter(|file| file.exists()).collect();
    if !there.is_empty() && Systemd::runs() {
        place.systemd.call(&["disable", "--now", "--quiet", &timer])?;
    }
    for file in &there {
        std::fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    if !there.is_empty() && Systemd::runs() {
        place.systemd.call(&["daemon-reload"])?;
        // a failed check would be listed for ever
        let _ = place.systemd.call(&["reset-failed", &service]);
    }
    if context.printer.json() {
        context.printer.value(&json!({"removed": there}));
    } else if there.is_empty() {
        context.printer.line(&format!("there is no {timer} in {}", place.directory.display()));
    }
    for file in there.iter().filter(|_| !context.printer.json()) {
        context.printer.line(&format!("removed {}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn status(context: &Context, place: &Place<'_>) -> anyhow::Result<ExitCode> {
    let ((timer, file), (service, _)) = (place.unit("timer"), place.unit("service"));
    if !file.exists() {
        bail!("there is no {}; `pallet-cli schedule install` writes it", file.display());
    }
    let waits = place.systemd.waits(&timer);
    let names = ["ExecMainExitTimestamp", "ExecMainStatus", "Result"];
    let told = place.systemd.properties(&service, &names)?;
    let [time, code, result] = told.as_slice() else { bail!("systemd does not answer") };
    let last = match (time.as_str(), code.parse::<u8>()) {
        ("" | "n/a", _) => "none yet",
        (_, Ok(0)) if result == "success" => "no drift",
        (_, Ok(DRIFT)) => "drift",
        _ => "failed",
    };
    if context.printer.json() {
        context.printer.value(&json!({
            "timer": file, "active": waits, "last": last, "time": time, "code": code,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let state =
        if waits { "active" } else { "not active; `pallet-cli schedule install` starts it" };
    context.printer.line(&format!("{}: {state}", file.display()));
    let at = if last == "none yet" { String::new() } else { format!(", {time}") };
    context.printer.line(&format!("last check: {last}{at}"));
    Ok(ExitCode::SUCCESS)
}
