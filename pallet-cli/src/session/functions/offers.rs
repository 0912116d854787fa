//! `images`, `hardware` and `locations`: what the service offers.

use pallet_core::engine::template::{Candidate, NoMatch, OfferKind};
use pallet_core::model::NodeSpec;
use pallet_core::plugin::{Offers, WantedOffers};
use serde_json::{Value as Json, json};
use starlark::values::Value;

use super::super::call::Call;

pub(super) fn images<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    listed(call, OfferKind::Image, |offers| {
        let row = |image: &pallet_core::plugin::Image| {
            let system = image.os.as_ref().map(ToString::to_string);
            json!({
                "id": image.id, "name": image.name, "system": system,
                "login_user": image.login_user,
            })
        };
        offers.images.iter().map(row).collect()
    })
}

pub(super) fn hardware<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    listed(call, OfferKind::Hardware, |offers| {
        let row = |one: &pallet_core::plugin::Hardware| {
            json!({
                "id": one.id, "cores": one.cores, "ram": one.ram, "disk": one.disk,
                "architectures": one.arch, "price": one.price,
            })
        };
        offers.hardware.iter().map(row).collect()
    })
}

pub(super) fn locations<'v>(call: Call<'_, 'v, '_, '_>) -> starlark::Result<Value<'v>> {
    listed(call, OfferKind::Location, |offers| {
        offers
            .locations
            .iter()
            .map(|location| json!({"id": location.id, "name": location.name}))
            .collect()
    })
}

fn listed<'v>(
    call: Call<'_, 'v, '_, '_>,
    kind: OfferKind,
    rows: fn(&Offers) -> Vec<Json>,
) -> starlark::Result<Value<'v>> {
    let group = match call.value("group") {
        None => None,
        Some(_) => {
            let targets = call.targets("group")?;
            match (targets.nodes.first(), targets.groups.into_iter().next()) {
                (None, Some(group)) => Some(group),
                (name, _) => return Err(call.no_group(name.map_or("", String::as_str)).into()),
            }
        }
    };
    let spec =
        group.as_ref().map_or_else(NodeSpec::default, |group| group.server.node_spec.clone());
    let wanted =
        WantedOffers { group: group.as_ref().map(|group| group.name.clone()), spec: spec.clone() };
    let offers = call.session.clone().wait(
        &call.signature.function,
        call.evaluator,
        async move |engine, _| {
            let service = engine.service.clone();
            Ok(tokio::task::spawn_blocking(move || service.offers(&wanted)).await??)
        },
    )?;
    if group.is_none() {
        return Ok(call.rows("an offer", rows(&offers)));
    }
    let considered = match offers.choose(&spec) {
        Ok(choice) => choice.considered,
        Err(NoMatch { considered, .. }) => considered,
    };
    let row = |candidate: &Candidate| {
        json!({
            "id": candidate.id, "about": candidate.about, "chosen": candidate.chosen,
            "verdict": candidate.verdict(),
        })
    };
    Ok(call.rows(
        "an offer",
        considered.iter().filter(|candidate| candidate.kind == kind).map(row).collect(),
    ))
}
