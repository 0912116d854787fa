//! Where the results are written for the test reports of CI systems.

use std::path::PathBuf;

/// Where the results are written for the test reports of CI systems.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct JunitOptions {
    /// Also write the results as JUnit XML to FILE, for the test reports of CI systems
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}
