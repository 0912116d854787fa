//! `pallet-cli add-service`

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use pallet_core::local::write_atomically;
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, Table};

use crate::context::Context;
use crate::project::config::Service;

pub(crate) use crate::verbs::AddService;

impl AddService {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let file = loaded.project.directory.join("pallet.toml");
        ensure!(
            !loaded.project.config.services.contains_key(&self.name),
            "service {} already exists; choose another name, or edit {}",
            self.name,
            file.display()
        );
        ensure!(
            pallet_core::model::is_host_name(&self.name),
            "{:?} cannot name a service: use a-z, 0-9 and -",
            self.name
        );
        let service = Service {
            provider: self.provider.clone(),
            options: self.options()?,
            ..Service::default()
        };
        context.check_service(&loaded, &service)?;
        let open = context.services(&loaded)?.open_as(&self.name, &service.config())?;
        let nodes = open
            .nodes()
            .with_context(|| format!("service {} was tested and not added", self.name))?;
        let offers = open
            .offers(&Default::default())
            .with_context(|| format!("service {} was tested and not added", self.name))?;
        self.write(&file, &service)?;
        let found =
            format!("{} nodes of this project, {} images", nodes.len(), offers.images.len());
        context.printer.line(&format!(
            "service {} works ({found}) and was added to {}",
            self.name,
            file.display()
        ));
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self) -> anyhow::Result<Map<String, Value>> {
        let mut options = Map::new();
        for word in &self.options {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("{word}: write it as OPTION=VALUE"))?;
            let value =
                serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            if options.insert(key.to_owned(), value).is_some() {
                bail!("the option {key} is given twice");
            }
        }
        Ok(options)
    }

    /// Adds the service to the file and leaves everything else in it unchanged.
    fn write(&self, file: &Path, service: &Service) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let mut document: DocumentMut =
            text.parse().with_context(|| format!("cannot read {}", file.display()))?;
        let mut table = Table::new();
        table["provider"] = toml_edit::value(&self.provider);
        for (key, value) in &service.options {
            table[key] = Item::Value(in_toml(value).with_context(|| {
                format!("the option {key} cannot be written: TOML has no null")
            })?);
        }
        let services = document.entry("services").or_insert_with(|| {
            let mut services = Table::new();
            services.set_implicit(true);
            Item::Table(services)
        });
        let services = services
            .as_table_mut()
            .with_context(|| format!("`services` in {} is not a table", file.display()))?;
        services.insert(&self.name, Item::Table(table));
        if self.default {
            document["default_service"] = toml_edit::value(&self.name);
        }
        write_atomically(file, document.to_string().as_bytes())
            .with_context(|| format!("cannot write {}; the file is unchanged", file.display()))
    }
}

fn in_toml(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.into(),
        Value::Array(values) => {
            values.iter().map(in_toml).collect::<Option<toml_edit::Array>>()?.into()
        }
        Value::Object(values) => {
            let mut table = toml_edit::InlineTable::new();
            for (key, value) in values {
                table.insert(key, in_toml(value)?);
            }
            table.into()
        }
    })
}
