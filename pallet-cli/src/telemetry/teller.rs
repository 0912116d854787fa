//! Watches an operation, and tells of it in the end.

use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::{Engine, Record};

use super::notices::{Notice, send};
use super::on_finish::Summary;
use super::prometheus;
use super::trace::Trace;
use crate::context::{Context, ProjectWithPlugins, SecretFinder};
use crate::project::LoadedProject;
#[cfg(feature = "telemetry")]
use crate::project::config::Secret;
use crate::project::config::{OnFinish, Otlp, Recipient, TelemetryConfig, Url};

/// Tells of one operation.
#[derive(Clone)]
pub(crate) struct Teller {
    context: Context,
    project: String,
    directory: std::path::PathBuf,
    telemetry: TelemetryConfig,
    on_finish: Vec<OnFinish>,
    finder: SecretFinder,
    trace: Arc<Mutex<Option<Trace>>>,
}

impl Teller {
    /// Watches what an engine does, if the project says whom to tell.
    pub(crate) fn begin(
        context: &Context,
        loaded: &ProjectWithPlugins,
        engine: Engine,
    ) -> (Option<Self>, Engine) {
        let project: &LoadedProject = &loaded.project;
        let (telemetry, on_finish) = (&project.config.telemetry, &project.config.on_finish);
        if *telemetry == TelemetryConfig::default() && on_finish.is_empty() {
            return (None, engine);
        }
        let trace: Arc<Mutex<Option<Trace>>> = Arc::default();
        let watched = trace.clone();
        let engine = engine.with_sink(move |record: &Record| {
            Trace::record(&mut watched.lock().unwrap_or_else(PoisonError::into_inner), record);
        });
        let teller = Teller {
            context: context.clone(),
            project: project.name.clone(),
            directory: project.directory.clone(),
            telemetry: telemetry.clone(),
            on_finish: on_finish.clone(),
            finder: context.finder(project),
            trace,
        };
        (Some(teller), engine)
    }

    /// Tells of the operation, if it began and nobody was told yet. What fails is a warning.
    pub(crate) fn finish(&self) {
        let trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(trace) = trace else { return };
        let trace = Arc::new(trace);
        let mut notices = Vec::new();
        notices.extend(self.telemetry.otlp.as_ref().map(|otlp| self.spans(otlp, &trace)));
        // a dry run is not the last operation, and nothing to be told of
        if !trace.dry_run {
            if let Some(path) = self.telemetry.prometheus.clone() {
                let (project, trace) = (self.project.clone(), trace.clone());
                notices.push(Notice {
                    name: "[telemetry] prometheus".to_owned(),
                    send: Box::new(move |_| prometheus::write(&path, &project, &trace)),
                });
            }
            let env = &self.context.env;
            let summary = Summary::of(&self.project, &env.user, &env.host, &trace);
            let wanted = self.on_finish.iter().filter(|one| summary.is_for(&one.when));
            notices.extend(wanted.map(|one| self.notice(&one.to, &summary)));
        }
        for warning in send(notices) {
            self.context.printer.aside(&warning);
        }
    }

    #[cfg(feature = "telemetry")]
    fn spans(&self, otlp: &Otlp, trace: &Arc<Trace>) -> Notice {
        let (otlp, project, trace) = (otlp.clone(), self.project.clone(), trace.clone());
        let send = move |_: &_| super::otlp::send(&otlp, &project, &trace);
        Notice { name: "[telemetry] otlp".to_owned(), send: Box::new(send) }
    }

    #[cfg(not(feature = "telemetry"))]
    fn spans(&self, _: &Otlp, _: &Arc<Trace>) -> Notice {
        Notice { name: "[telemetry] otlp".to_owned(), send: Box::new(|_| absent()) }
    }

    fn notice(&self, to: &Recipient, summary: &Summary) -> Notice {
        let (summary, finder) = (summary.clone(), self.finder.clone());
        match to {
            Recipient::Command(command) => {
                let (command, directory) = (command.clone(), self.directory.clone());
                Notice {
                    name: format!("on_finish: the command {command:?}"),
                    send: Box::new(move |until| summary.run(&command, &directory, until)),
                }
            }
            Recipient::Webhook(url) => hook("webhook", url.clone(), finder, summary, false),
            Recipient::Slack(url) => hook("slack", Url::Secret(url.clone()), finder, summary, true),
        }
    }
}

#[cfg(feature = "telemetry")]
fn hook(kind: &str, url: Url, finder: SecretFinder, summary: Summary, chat: bool) -> Notice {
    let send = move |_: &_| {
        let url = match &url {
            Url::Plain(url) => url.clone(),
            Url::Secret(secret) => found(&finder, secret)?,
        };
        let object = if chat { summary.chat() } else { summary.json };
        super::on_finish::post(&url, &object)
    };
    Notice { name: format!("on_finish: {kind}"), send: Box::new(send) }
}

#[cfg(feature = "telemetry")]
fn found(finder: &SecretFinder, secret: &Secret) -> anyhow::Result<String> {
    Ok(finder.find(secret)?.expose().to_owned())
}

#[cfg(not(feature = "telemetry"))]
fn hook(kind: &str, _: Url, _: SecretFinder, _: Summary, _: bool) -> Notice {
    Notice { name: format!("on_finish: {kind}"), send: Box::new(|_| absent()) }
}

#[cfg(not(feature = "telemetry"))]
fn absent() -> anyhow::Result<()> {
    anyhow::bail!(
        "this pallet-cli was built without telemetry; build it with `cargo build -p pallet-cli \
         --features telemetry`"
    )
}
