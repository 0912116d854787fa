//! What the engine's own tests share.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Node;
use crate::plugin::{Created, ErrorKind, PluginError, Provider, RunNodes, Service, ServiceContext};

/// A service without nodes that makes none.
pub(super) fn nowhere() -> Arc<dyn Service> {
    Arc::new(Nowhere)
}

struct Nowhere;

impl Provider for Nowhere {
    const NAME: &'static str = "nowhere";
    const ABOUT: &'static str = "No nodes";
    type Options = ();

    fn connect(_: (), _: ServiceContext) -> anyhow::Result<Self> {
        Ok(Nowhere)
    }

    fn nodes(&self) -> anyhow::Result<Vec<Node>> {
        Ok(Vec::new())
    }

    fn run_nodes(&self, _: &RunNodes) -> anyhow::Result<Vec<Created>> {
        Err(PluginError::new(ErrorKind::Unsupported, "there is nowhere to make nodes").into())
    }

    fn destroy_nodes(&self, _: &[String]) -> anyhow::Result<()> {
        Ok(())
    }

    fn tag_node(&self, _: &str, _: &BTreeMap<String, String>) -> anyhow::Result<()> {
        Ok(())
    }
}
