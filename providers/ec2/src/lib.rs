//! Instances of Amazon EC2, and of clouds with a compatible API.
#![forbid(unsafe_code)]

mod ami_name;
mod api;
mod images;
mod instances;
mod launch;
mod lease;
mod network;
mod options;
mod run;
mod service;
mod tags;
#[cfg(test)]
mod tests;
mod user_data;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pallet_core::prelude::*;

use api::{Api, Call};
use instances::Instance;
use options::Options;
use service::Ec2;

impl Provider for Ec2 {
    const NAME: &'static str = "ec2";
    const ABOUT: &'static str = "Instances of Amazon EC2, and of clouds with a compatible API";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        options.check(&context.service)?;
        tags::check(&context.project)?;
        let api = Api::of(&options, context.host.clone());
        Ok(Ec2 { options, context, api, hardware: Mutex::default() })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        let mut instances = instances::of_project(&self.api, &self.context.project)?;
        // EC2 has no defined order; `web-2` comes before `web-10`
        let place = |instance: &Instance| {
            (
                instance.tag(tags::GROUP).to_owned(),
                instance.tag(tags::NAME).len(),
                instance.tag(tags::NAME).to_owned(),
            )
        };
        instances.sort_by_key(place);
        Ok(instances.iter().map(|instance| instance.node(self.options.address)).collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        Ok(run::run_nodes(self, wanted)?)
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        Ok(instances::terminate(&self.api, &self.context.project, ids)?)
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        self.api.call(&Call::new("CreateTags").list("ResourceId", [id]).tag_list("Tag", tags))?;
        Ok(())
    }

    fn clean_up(&self) -> Result<()> {
        Ok(network::clean_up(self)?)
    }

    fn images(&self, wanted: &ImageSpec) -> Result<Vec<Image>> {
        Ok(images::images(&self.api, &self.options.owners, wanted)?)
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        let mut known = self.hardware.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hardware) = &*known {
            return Ok(hardware.clone());
        }
        let hardware = images::hardware(&self.api)?;
        *known = Some(hardware.clone());
        Ok(hardware)
    }

    fn locations(&self) -> Result<Vec<Location>> {
        Ok(images::locations(&self.api)?)
    }

    fn credentials(&self) -> Result<Vec<Credential>> {
        Ok(vec![self.api.credential()])
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        lease::check(wanted)?;
        Ok(lease::take(self, wanted)?)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        Ok(lease::release(self, token)?)
    }
}

pallet_core::export_provider!(Ec2);
