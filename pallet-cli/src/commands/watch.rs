//! `pallet-cli watch`

use std::process::ExitCode;

use anyhow::bail;
use pallet_core::engine::Ending;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::operation::runtime;
use crate::output::history::short_id;
use crate::process::{INTERRUPTED, exit_now, on_signal};
use crate::project::LoadedProject;
use crate::report::{Server, Watch as Watched};

/// Show a running operation in a web browser, live, until it ends
///
/// The page is that of `report`. It is served on this machine only, at a URL with a random token:
/// who knows the URL can look, and nobody can change anything.
#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// ID of the operation, or at least 4 characters of its beginning or end [default: the newest
    /// that runs, or else the next one]
    id: Option<String>,
    /// Port to listen on; 0: any free port
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

impl Watch {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let project = LoadedProject::configured(&context.directory(), &context.load_options()?)?;
        let journals = context.journals(&project);
        let operation = match &self.id {
            Some(id) => {
                let operation = journals.find(id)?;
                let ending = journals.summary(&operation)?.ending;
                if ending != Ending::Running {
                    bail!(
                        "operation {} does not run ({ending}); `pallet-cli report {}` writes its \
                         page",
                        operation,
                        short_id(&operation)
                    );
                }
                Some(operation)
            }
            None => None,
        };
        let watch = Watched {
            journals,
            machine: context.env.machine.clone(),
            project: project.name.clone(),
            directory: Context::journal_project(&project),
            operation,
        };
        let (stop, mut struck) = (CancellationToken::new(), false);
        let stopped = stop.clone();
        let heard = on_signal(move |_| {
            if std::mem::replace(&mut struck, true) {
                exit_now(|| ());
            }
            stop.cancel();
        })?;
        let runtime = runtime()?;
        let ended = runtime.block_on(async {
            let server = Server::bind(watch, self.port).await?;
            tell_url(context, &server.url());
            tokio::select! {
                ended = server.run(|operation| tell(context, &project.name, operation)) => {
                    ended.map(Some)
                }
                () = stopped.cancelled() => Ok(None),
            }
        });
        runtime.shutdown_background();
        drop(heard);
        let Some((operation, ending)) = ended? else { return Ok(ExitCode::from(INTERRUPTED)) };
        match context.printer.json() {
            true => context.printer.value(&json!({"operation": operation, "ending": ending})),
            false => context.printer.line(&format!("{}: {ending}", short_id(&operation))),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell_url(context: &Context, url: &str) {
    match context.printer.json() {
        true => context.printer.value(&json!({"url": url})),
        false => context.printer.line(url),
    }
}

fn tell(context: &Context, project: &str, operation: Option<&str>) {
    context.printer.status(&match operation {
        Some(operation) => format!("showing operation {}; Ctrl-C ends this", short_id(operation)),
        None => format!("waiting for an operation of {project}; Ctrl-C ends this"),
    });
}
