//! Writes the results of a command for the test reports of CI systems.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use pallet_core::engine::{Engine, Record};
use pallet_core::local::write_private;

use crate::diagnostic::{Diagnostics, Severity};
use crate::output::junit::{Case, Junit, Verdict};
use crate::process::{Failure, SOME_NODE_FAILED};
use crate::verbs::JunitOptions;

/// The file for the test reports of CI systems, if the user wants one.
pub(crate) struct JunitFile {
    file: Option<PathBuf>,
    junit: Arc<Mutex<Junit>>,
}

impl JunitFile {
    /// What the user wants. `drift_fails`: drift is what the command looks for.
    ///
    /// It is an error if the file can never be written: it is too late for that after the command.
    pub(crate) fn of(options: &JunitOptions, drift_fails: bool) -> anyhow::Result<Self> {
        if let Some(file) = &options.junit {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            if file.is_dir() || parent.is_some_and(|parent| !parent.is_dir()) {
                bail!("--junit {}: this is not a file in a directory that exists", file.display());
            }
        }
        let junit = Arc::new(Mutex::new(Junit::new(drift_fails)));
        Ok(JunitFile { file: options.junit.clone(), junit })
    }

    /// Receives the events of an engine.
    pub(crate) fn listen(&self, engine: &Engine) -> Engine {
        let junit = self.junit.clone();
        let receive = move |record: &Record| {
            junit.lock().unwrap_or_else(PoisonError::into_inner).record(record);
        };
        engine.with_sink(receive)
    }

    /// Whether the user wants the file.
    pub(crate) fn is_wanted(&self) -> bool {
        self.file.is_some()
    }

    /// Adds a test case.
    pub(crate) fn add(&self, suite: &str, case: Case) {
        self.junit.lock().unwrap_or_else(PoisonError::into_inner).add(suite, case);
    }

    /// The document with the results so far.
    pub(crate) fn xml(&self) -> String {
        self.junit.lock().unwrap_or_else(PoisonError::into_inner).xml()
    }

    /// Writes the file after the command, also if it failed: its error is then a test case.
    pub(crate) fn write(self, result: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
        let Some(file) = &self.file else { return result };
        if let Err(error) = &result {
            self.add_error(error);
        }
        let written = write_private(file, self.xml().as_bytes())
            .with_context(|| format!("cannot write {}", file.display()));
        match (result, written) {
            (Ok(code), Ok(())) => Ok(code),
            // nodes may have been changed
            (Ok(_), Err(error)) => {
                let message = format!("{error:#}");
                Err(Failure { code: SOME_NODE_FAILED, message }.into())
            }
            (Err(error), _) => Err(error),
        }
    }

    fn add_error(&self, error: &anyhow::Error) {
        let Some(Diagnostics(diagnostics)) = error.downcast_ref::<Diagnostics>() else {
            let verdict = Verdict::Error(format!("{error:#}"));
            return self
                .add("pallet", Case { name: "pallet-cli".to_owned(), verdict, ..Case::default() });
        };
        for wrong in diagnostics.iter().filter(|found| found.severity == Severity::Error) {
            let place = wrong.place.as_ref().map(|place| format!("{}:{}", place.file, place.line));
            let name = place.unwrap_or_else(|| "project".to_owned());
            let detail = wrong.suggestion.clone().unwrap_or_default();
            self.add(
                "project",
                Case {
                    name,
                    file: wrong.place.as_ref().map(|place| place.file.clone()),
                    verdict: Verdict::Failed("failed", wrong.message.clone(), detail),
                    ..Case::default()
                },
            );
        }
    }
}
