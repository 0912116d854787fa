//! The provider on systems other than Linux: a clear error.

use pallet_core::prelude::*;

use crate::options::Options;

/// A provider that cannot create nodes.
pub(crate) struct Sandbox;

impl Provider for Sandbox {
    const NAME: &'static str = "sandbox";
    const ABOUT: &'static str = crate::about::ABOUT;
    type Options = Options;

    fn connect(_: Options, _: ServiceContext) -> Result<Self> {
        let error =
            PluginError::unsupported("provider sandbox needs Linux: its nodes are namespaces");
        Err(error
            .with_help(
                "use the provider `node-list` for existing machines, or `localhost` for this one",
            )
            .into())
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(Vec::new())
    }

    fn run_nodes(&self, _: &RunNodes) -> Result<Vec<Created>> {
        Ok(Vec::new())
    }

    fn destroy_nodes(&self, _: &[String]) -> Result<()> {
        Ok(())
    }
}
