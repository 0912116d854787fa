//! Shared by `images`, `hardware` and `locations`: lists a service's offers and, if a group is
//! named, how they match its node-spec.

use std::process::ExitCode;

use pallet_core::engine::template::{Candidate, Choice, NoMatch, OfferKind};
use pallet_core::model::NodeSpec;
use pallet_core::plugin::{Offers, WantedOffers};
use serde::Serialize;

use crate::context::Context;
use crate::operation::groups;
use crate::output::table;
use crate::verbs::OfferOptions;

impl OfferOptions {
    /// Lists the offers that `offered` selects or, for a group, how they match its node-spec.
    pub(crate) fn list<T: Serialize>(
        &self,
        context: &Context,
        kind: OfferKind,
        header: &[&str],
        offered: impl Fn(&Offers) -> (Vec<T>, Vec<Vec<String>>),
    ) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let spec = match &self.group {
            Some(name) => groups(&loaded, std::slice::from_ref(name))?.remove(0).server.node_spec,
            None => NodeSpec::default(),
        };
        let offers = context
            .engine(&loaded)?
            .service
            .offers(&WantedOffers { group: self.group.clone(), spec: spec.clone() })?;
        if self.group.is_some() {
            return Ok(judged(context, kind, &offers, &spec));
        }
        let (values, rows) = offered(&offers);
        if context.printer.json() {
            context.printer.value(&serde_json::to_value(values)?);
        } else if rows.is_empty() {
            context.printer.line("the provider offers no choices");
        } else {
            context.printer.text(&table(header, rows));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints how each offer matches a node-spec.
fn judged(context: &Context, kind: OfferKind, offers: &Offers, spec: &NodeSpec) -> ExitCode {
    let (considered, code) = match offers.choose(spec) {
        Ok(choice) => (choice.considered, ExitCode::SUCCESS),
        Err(NoMatch { kind: lacking, considered }) => {
            let code = if lacking == kind { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            // if no image matches, hardware was not considered
            let of_kind = if lacking == kind { considered } else { Vec::new() };
            (of_kind, code)
        }
    };
    let considered: Vec<_> =
        considered.into_iter().filter(|candidate| candidate.kind == kind).collect();
    explain(context, &considered);
    code
}

/// Prints which offers were chosen for a group's nodes, and how all others match its node-spec.
pub(crate) fn explain_choice(context: &Context, group: &str, choice: Result<&Choice, &NoMatch>) {
    let considered = match choice {
        Ok(choice) => &choice.considered,
        Err(error) => &error.considered,
    };
    if !context.printer.json() {
        context.printer.line(&format!("{group}:"));
    }
    explain(context, considered);
}

fn explain(context: &Context, considered: &[Candidate]) {
    if context.printer.json() {
        context.printer.value(&serde_json::to_value(considered).unwrap_or_default());
        return;
    }
    if considered.is_empty() {
        context
            .printer
            .line("nothing was considered: the provider offers no choices, or no image matches");
        return;
    }
    let rows = considered.iter().map(|candidate| {
        vec![
            candidate.kind.as_str().to_owned(),
            candidate.id.clone(),
            candidate.about.clone(),
            candidate.verdict(),
        ]
    });
    context.printer.text(&table(&["KIND", "ID", "WHAT IT IS", "VERDICT"], rows));
}
