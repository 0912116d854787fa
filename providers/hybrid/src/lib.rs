//! Several services as one: the options select the service for each group's nodes.
#![forbid(unsafe_code)]

mod options;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pallet_core::plugin::Service;
use pallet_core::prelude::*;

use options::Options;

/// A configured service.
struct Hybrid {
    name: String,
    options: Options,
    services: BTreeMap<String, Box<dyn Service>>,
}

impl Provider for Hybrid {
    const NAME: &'static str = "hybrid";
    const ABOUT: &'static str = "Several services of the project as one, by group";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let names: BTreeSet<_> = options.groups.values().chain(&options.default).cloned().collect();
        ensure!(
            !names.is_empty(),
            PluginError::invalid_input(format!(
                "services.{} names no other service",
                context.service
            ))
            .with_help("give it `groups = { web = \"a-service\" }` or `default = \"a-service\"`")
        );
        let service = |name: String| {
            (name.clone(), Box::new(context.host.service(&name)) as Box<dyn Service>)
        };
        Ok(Hybrid {
            name: context.service.clone(),
            options,
            services: names.into_iter().map(service).collect(),
        })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        let mut all = Vec::new();
        for (name, service) in &self.services {
            all.extend(
                service
                    .nodes()
                    .map_err(|error| of(name, error))?
                    .into_iter()
                    .map(|node| named(name, node)),
            );
        }
        Ok(all)
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let (name, service) = self.service_of(&wanted.group)?;
        let created = service.run_nodes(wanted).map_err(|error| of(name, error))?.into_iter().map(
            |created| match created {
                Created::Node(node) => Created::Node(Box::new(named(name, *node))),
                Created::Failed(error) => Created::Failed(of(name, error)),
            },
        );
        Ok(created.collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let mut by_service: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for id in ids {
            let (name, own) = self.split(id)?;
            by_service.entry(name).or_default().push(own.to_owned());
        }
        // an error of one service neither stops the others nor hides their results
        let mut failed = Vec::new();
        for (name, ids) in by_service {
            let service = self.services[name].as_ref();
            if let Err(error) = service.destroy_nodes(&ids) {
                failed.push(PluginError {
                    nodes: left(name, service, &ids, &error),
                    ..of(name, error)
                });
            }
        }
        together(failed)
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let (name, own) = self.split(id)?;
        Ok(self.services[name].tag_node(own, tags).map_err(|error| of(name, error))?)
    }

    fn clean_up(&self) -> Result<()> {
        self.each(|service| service.clean_up())
    }

    fn offers(&self, wanted: &WantedOffers) -> Result<Offers> {
        if let Some(group) = &wanted.group {
            let (name, service) = self.service_of(group)?;
            return Ok(service.offers(wanted).map_err(|error| of(name, error))?);
        }
        let mut all = Offers::default();
        for (name, service) in &self.services {
            let Offers { images, hardware, locations } =
                service.offers(wanted).map_err(|error| of(name, error))?;
            let id = |id: &str| format!("{name}/{id}");
            all.images.extend(images.into_iter().map(|image| Image { id: id(&image.id), ..image }));
            all.hardware.extend(
                hardware.into_iter().map(|hardware| Hardware { id: id(&hardware.id), ..hardware }),
            );
            all.locations.extend(
                locations.into_iter().map(|location| Location { id: id(&location.id), ..location }),
            );
        }
        Ok(all)
    }

    fn credentials(&self) -> Result<Vec<Credential>> {
        let mut all = Vec::new();
        for (name, service) in &self.services {
            let credentials = service.credentials().map_err(|error| of(name, error))?;
            all.extend(credentials.into_iter().map(|credential| Credential {
                name: format!("{name}: {}", credential.name),
                ..credential
            }));
        }
        Ok(all)
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        // always in the same order, so that one of two competing processes gets the first
        for (name, service) in &self.services {
            let other = service.take_lease(wanted).map_err(|error| of(name, error));
            if !matches!(other, Ok(None)) {
                self.each(|service| service.release_lease(&wanted.token))?;
                return Ok(other?);
            }
        }
        Ok(None)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        self.each(|service| service.release_lease(token))
    }
}

impl Hybrid {
    /// The service for the nodes of a group.
    fn service_of(&self, group: &str) -> Result<(&str, &dyn Service)> {
        let named = self
            .options
            .groups
            .get(group)
            .or(self.options.default.as_ref())
            .and_then(|name| self.services.get_key_value(name));
        let (name, service) = named.ok_or_else(|| {
            PluginError::invalid_input(format!(
                "services.{} has no service for group {group}",
                self.name
            ))
            .with_help(format!(
                "add it to services.{0}.groups in pallet.toml, or name a services.{0}.default",
                self.name
            ))
        })?;
        Ok((name, service.as_ref()))
    }

    /// The service of a node, and the node's id there.
    fn split<'a>(&'a self, id: &'a str) -> Result<(&'a str, &'a str)> {
        let split = id.split_once('/').filter(|(name, _)| self.services.contains_key(*name));
        Ok(split.ok_or_else(|| {
            PluginError::not_found(format!(
                "no service of services.{} has a node with id {id}",
                self.name
            ))
        })?)
    }

    /// Does something in every service, even if some fail.
    fn each(&self, work: impl Fn(&dyn Service) -> Result<(), PluginError>) -> Result<()> {
        let done = self
            .services
            .iter()
            .map(|(name, service)| work(service.as_ref()).map_err(|error| of(name, error)));
        together(done.filter_map(Result::err).collect())
    }
}

/// The nodes that a service did not destroy, with reasons. If its error does not list them, these
/// are the nodes that still exist.
fn left(
    name: &str,
    service: &dyn Service,
    ids: &[String],
    error: &PluginError,
) -> BTreeMap<String, PluginError> {
    let global = |id: &str| format!("{name}/{id}");
    if !error.nodes.is_empty() {
        return error
            .nodes
            .iter()
            .map(|(id, error)| (global(id), of(name, error.clone())))
            .collect();
    }
    let there: Option<BTreeSet<String>> =
        service.nodes().ok().map(|nodes| nodes.into_iter().map(|node| node.id).collect());
    let is_left = |id: &&String| there.as_ref().is_none_or(|there| there.contains(*id));
    ids.iter().filter(is_left).map(|id| (global(id), of(name, error.clone()))).collect()
}

/// Combines the errors of several services, including those of individual nodes.
fn together(errors: Vec<PluginError>) -> Result<()> {
    let mut errors = errors.into_iter();
    let Some(mut all) = errors.next() else { return Ok(()) };
    for mut error in errors {
        all.nodes.append(&mut error.nodes);
        all.message = format!("{}; {error}", PluginError { nodes: BTreeMap::new(), ..all.clone() });
        (all.causes, all.help) = (Vec::new(), String::new());
    }
    Err(all.into())
}

/// Converts a node of another service to one of this service.
fn named(service: &str, node: Node) -> Node {
    Node { id: format!("{service}/{}", node.id), ..node }
}

/// Adds the service's name to its error.
fn of(service: &str, error: PluginError) -> PluginError {
    PluginError { message: format!("service {service}: {}", error.message), ..error }
}

pallet_core::export_provider!(Hybrid);
