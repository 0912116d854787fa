//! A configured service, wherever its provider lives.

use std::collections::BTreeMap;

use crate::abi::host::OpenProvider;
use crate::model::Node;
use crate::plugin::{Created, ErrorKind, Hardware, Image, Location, PluginError, Provider, RunNodes};

/// A configured service of a provider: one in a dylib, or one of the program itself (every [`Provider`] is one).
///
/// The methods are those of [`Provider`]. They block.
#[allow(missing_docs)]
pub trait Service: Send + Sync {
    fn provider(&self) -> &str;
    fn nodes(&self) -> Result<Vec<Node>, PluginError>;
    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>, PluginError>;
    fn destroy_nodes(&self, ids: &[String]) -> Result<(), PluginError>;
    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<(), PluginError>;
    fn clean_up(&self) -> Result<(), PluginError>;
    fn images(&self) -> Result<Vec<Image>, PluginError>;
    fn hardware(&self) -> Result<Vec<Hardware>, PluginError>;
    fn locations(&self) -> Result<Vec<Location>, PluginError>;
}

impl<P: Provider> Service for P {
    fn provider(&self) -> &str {
        P::NAME
    }
    fn nodes(&self) -> Result<Vec<Node>, PluginError> {
        Ok(Provider::nodes(self)?)
    }
    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>, PluginError> {
        Ok(Provider::run_nodes(self, wanted)?)
    }
    fn destroy_nodes(&self, ids: &[String]) -> Result<(), PluginError> {
        Ok(Provider::destroy_nodes(self, ids)?)
    }
    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<(), PluginError> {
        Ok(Provider::tag_node(self, id, tags)?)
    }
    fn clean_up(&self) -> Result<(), PluginError> {
        Ok(Provider::clean_up(self)?)
    }
    fn images(&self) -> Result<Vec<Image>, PluginError> {
        Ok(Provider::images(self)?)
    }
    fn hardware(&self) -> Result<Vec<Hardware>, PluginError> {
        Ok(Provider::hardware(self)?)
    }
    fn locations(&self) -> Result<Vec<Location>, PluginError> {
        Ok(Provider::locations(self)?)
    }
}

/// A service of a provider in a dylib.
pub(super) struct LoadedService {
    pub(super) name: String,
    pub(super) open: OpenProvider,
}

impl LoadedService {
    fn ask<T: serde::de::DeserializeOwned>(&self, operation: &str, payload: impl serde::Serialize) -> Result<T, PluginError> {
        self.open.invoke(operation, payload).map_err(|mut error| {
            if error.kind == ErrorKind::Panicked {
                error.message = format!("provider {}, {operation}: {}", self.name, error.message);
                error.help = "this is a bug of the provider; tell its author".to_owned();
            }
            error
        })
    }
}

impl Service for LoadedService {
    fn provider(&self) -> &str {
        &self.name
    }
    fn nodes(&self) -> Result<Vec<Node>, PluginError> {
        self.ask("nodes", ())
    }
    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>, PluginError> {
        self.ask("run_nodes", wanted)
    }
    fn destroy_nodes(&self, ids: &[String]) -> Result<(), PluginError> {
        self.ask("destroy_nodes", ids)
    }
    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<(), PluginError> {
        self.ask("tag_node", (id, tags))
    }
    fn clean_up(&self) -> Result<(), PluginError> {
        self.ask("clean_up", ())
    }
    fn images(&self) -> Result<Vec<Image>, PluginError> {
        self.ask("images", ())
    }
    fn hardware(&self) -> Result<Vec<Hardware>, PluginError> {
        self.ask("hardware", ())
    }
    fn locations(&self) -> Result<Vec<Location>, PluginError> {
        self.ask("locations", ())
    }
}
