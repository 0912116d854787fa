//! Reads the tables `[stages.NAME]`: what differs between development, production and the like.

use std::collections::BTreeMap;
use std::ops::Range;

use pallet_core::model::{Environment, is_host_name};
use toml::Spanned;
use toml::de::DeValue;

use super::keys::keys;
use super::read::Reader;
use super::stage_tables::{Protect, StageConfig};
use super::value::json;
use super::{Config, Named};
use crate::diagnostic::{Diagnostic, did_you_mean_or_list};

impl Reader<'_> {
    pub(super) fn stages(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, StageConfig> {
        let mut stages = BTreeMap::new();
        for (name, span, value) in self.table(key, value) {
            if !is_host_name(name) {
                let message =
                    format!("{name:?} cannot name a stage: use a-z, 0-9 and -, not at the ends");
                self.error(span, message);
            } else if let Some(stage) = self.stage(name, span, value) {
                stages.insert(name.to_owned(), stage);
            }
        }
        stages
    }

    fn stage(
        &mut self,
        name: &str,
        span: Range<usize>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<StageConfig> {
        let table = format!("stages.{name}");
        value.get_ref().as_table().or_else(|| {
            self.wrong(value, &table, "a table");
            None
        })?;
        let mut stage = StageConfig {
            service: None,
            project: None,
            environment: Environment::new(),
            counts: BTreeMap::new(),
            protect: Protect::Groups(Vec::new()),
            confirm: false,
            trust: BTreeMap::new(),
            environment_places: BTreeMap::new(),
            place: self.place(span),
        };
        for (key, span, value) in self.table(&table, value) {
            match key {
                "service" => stage.service = self.named(key, value),
                "project" => {
                    stage.project =
                        self.string(key, value).filter(|name| self.is_name(name, value.span()));
                }
                "environment" => {
                    self.places_in("", value, &mut stage.environment_places);
                    stage.environment = self.environment(key, value);
                }
                "counts" => {
                    for (group, _, value) in self.table(key, value) {
                        let number = json(value.get_ref()).as_u64();
                        match number.and_then(|number| u32::try_from(number).ok()) {
                            Some(count) => {
                                let place = self.place(value.span());
                                stage.counts.insert(group.to_owned(), (count, place));
                            }
                            None => self.wrong(value, group, "a whole number of nodes"),
                        }
                    }
                }
                "protect" => match value.get_ref().as_bool() {
                    Some(true) => stage.protect = Protect::All,
                    Some(false) => {}
                    None => {
                        let groups = value.get_ref().as_array().map(|array| {
                            array.iter().filter_map(|item| self.named(key, item)).collect()
                        });
                        match groups {
                            Some(groups) => stage.protect = Protect::Groups(groups),
                            None => self.wrong(value, key, "a list of groups, or true"),
                        }
                    }
                },
                "confirm" => match value.get_ref().as_bool() {
                    Some(confirm) => stage.confirm = confirm,
                    None => self.wrong(value, key, "true or false"),
                },
                "trust" => stage.trust = self.trust(key, value),
                _ => self.unknown(span, key, &table, &keys::<StageConfig>()),
            }
        }
        Some(stage)
    }

    fn named(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Named> {
        let name = self.string(key, value)?;
        Some(Named { name, place: self.place(value.span()) })
    }
}

impl Config {
    /// The stage with this name.
    pub(crate) fn stage(&self, name: &str) -> Result<&StageConfig, Diagnostic> {
        self.stages.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.stages.keys().map(String::as_str).collect();
            let suggestion = did_you_mean_or_list(name, &names, "there are")
                .or(Some(format!("add a table [stages.{name}] to pallet.toml")));
            Diagnostic::error(format!("there is no stage `{name}`")).suggest(suggestion)
        })
    }

    /// This configuration as it is in a stage.
    pub(crate) fn in_stage(mut self, stage: &StageConfig) -> Self {
        if let Some(service) = &stage.service {
            self.default_service = Some(service.clone());
        }
        self.trust.extend(stage.trust.clone());
        self
    }
}
