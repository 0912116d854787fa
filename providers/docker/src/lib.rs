//! Nodes that are Docker or Podman containers.
#![forbid(unsafe_code)]

mod answer;
mod archive;
mod container;
mod create;
mod credentials;
mod engine;
mod image;
mod import;
mod lease;
mod options;
mod os;
mod pack;
mod ports;
mod service;
mod ssh;
mod tags;

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use options::Options;
use service::Docker;

impl Provider for Docker {
    const NAME: &'static str = "docker";
    const ABOUT: &'static str = "Containers of Docker or Podman, on this machine or another";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        options.check(&context.service)?;
        engine::place(&options, &context)?;
        Ok(Docker { options, context })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.run(async |engine| self.all_nodes(engine).await)?)
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        Ok(self.run(async |engine| self.create(engine, wanted).await)?)
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        Ok(self.run(async |engine| self.destroy(engine, ids).await)?)
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        Ok(self.run(async |engine| self.tag(engine, id, tags).await)?)
    }

    fn clean_up(&self) -> Result<()> {
        Ok(self.run(async |engine| self.remove_probes(engine).await)?)
    }

    fn images(&self, wanted: &ImageSpec) -> Result<Vec<Image>> {
        Ok(self.run(async |engine| self.all_images(engine, wanted).await)?)
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        Ok(vec![self.run(async |engine| engine.machine().await)?])
    }

    fn credentials(&self) -> Result<Vec<Credential>> {
        Ok(credentials::known(&self.context.home)?)
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        Ok(self.run(async |engine| lease::take(engine, &self.context.project, wanted).await)?)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        Ok(self.run(async |engine| lease::release(engine, &self.context.project, token).await)?)
    }
}

pallet_core::export_provider!(Docker);
