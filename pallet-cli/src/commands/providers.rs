//! `pallet-cli providers`

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use pallet_core::model::PluginKind;
use pallet_core::plugin::{Credential, ServiceContext};
use pallet_core::plugins::Registry;
use serde_json::{Map, json};

use super::plugins;
use crate::context::{Context, refuse_problems};
use crate::output::table;

pub(crate) use crate::verbs::Providers;

/// The credentials of a service, or of a provider without options.
struct ServiceCredentials {
    service: Option<String>,
    credentials: Vec<Credential>,
}

impl Providers {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let registry = Arc::new(context.scan()?);
        let credentials = credentials(context, &registry);
        plugins::list(context, &registry, PluginKind::Provider, |name| {
            let found = credentials.get(name).into_iter().flatten();
            let values = found
                .map(|found| json!({"service": found.service, "credentials": found.credentials}));
            Map::from_iter([("credentials".to_owned(), values.collect())])
        })?;
        let rows: Vec<_> = credentials
            .iter()
            .flat_map(|(provider, found)| found.iter().flat_map(move |found| rows(provider, found)))
            .collect();
        if !context.printer.json() && !rows.is_empty() {
            context.printer.line("");
            context
                .printer
                .text(&table(&["PROVIDER", "SERVICE", "CREDENTIAL", "FOUND", "WHERE"], rows));
        }
        refuse_problems(&registry)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn rows(provider: &str, found: &ServiceCredentials) -> Vec<Vec<String>> {
    let service = found.service.clone().unwrap_or_else(|| "(none)".to_owned());
    let row = |credential: &Credential| {
        let there = if credential.found { "yes" } else { "no" };
        vec![
            provider.to_owned(),
            service.clone(),
            credential.name.clone(),
            there.to_owned(),
            credential.source.clone(),
        ]
    };
    found.credentials.iter().map(row).collect()
}

/// Where credentials come from: for each service of the project, and for each provider without a
/// service.
fn credentials(
    context: &Context,
    registry: &Arc<Registry>,
) -> BTreeMap<String, Vec<ServiceCredentials>> {
    let mut all: BTreeMap<String, Vec<ServiceCredentials>> = BTreeMap::new();
    // without a valid project, only providers are shown
    if let Ok(loaded) = context.load(registry.clone())
        && let Ok(services) = context.services(&loaded)
    {
        for (name, configured) in &services.configured {
            let Ok(service) = services.open_as(name, configured) else { continue };
            let credentials = service.credentials().unwrap_or_default();
            all.entry(configured.provider.clone())
                .or_default()
                .push(ServiceCredentials { service: Some(name.clone()), credentials });
        }
    }
    for name in registry.names(PluginKind::Provider) {
        if all.contains_key(name) {
            continue;
        }
        let host = ServiceContext { home: context.env.home.clone(), ..ServiceContext::default() };
        let Ok(service) = registry.service(name, Map::new(), host) else { continue };
        all.insert(
            name.to_owned(),
            vec![ServiceCredentials {
                service: None,
                credentials: service.credentials().unwrap_or_default(),
            }],
        );
    }
    all
}
