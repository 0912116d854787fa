//! The lease of a project's nodes: a volume in the engine whose labels name the holder.
//!
//! The engine creates a volume with a given name only once, and its labels never change: whoever
//! creates it second gets the existing one. Each grant and each renewal is therefore a new volume
//! with the next number, `pallet-lease.shop.7`. The highest number is the lease, and the next
//! holder must create the number after it. Nobody removes a volume that others may rely on;
//! otherwise two processes that take over the same expired lease could do that.

use std::collections::HashMap;

use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptionsBuilder};
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::container::escaped;
use crate::engine::{Engine, is_absent};

/// Label: the project of the lease.
const PROJECT: &str = node_tags::LEASE.label;
/// Label: the lease as JSON.
const LEASE: &str = "pallet.held";

/// Maximum number of attempts if others are faster.
const ATTEMPTS: usize = 10;

/// A lease and the number of its volume.
#[derive(Debug, Clone, PartialEq)]
struct Numbered {
    number: u64,
    volume: String,
    lease: Lease,
}

/// Takes or renews the lease. Returns `None` if it was granted, otherwise the lease of the other
/// holder.
pub(crate) async fn take(engine: &Engine, project: &str, wanted: &Lease) -> Answer<Option<Lease>> {
    for _ in 0..ATTEMPTS {
        let number = match next(&all(engine, project).await?, &wanted.token, unix_time()) {
            Ok(number) => number,
            Err(other) => return Ok(Some(other)),
        };
        make(engine, project, number, wanted).await?;
        // another process may have created it first, or a higher number meanwhile
        let leases = all(engine, project).await?;
        let Some(highest) = leases.iter().max_by_key(|lease| lease.number) else { continue };
        let granted = highest.number == number && highest.lease.token == wanted.token;
        let old = leases.iter().filter(|lease| {
            if granted {
                lease.number < number
            } else {
                lease.number == number && lease.lease.token == wanted.token
            }
        });
        for lease in old {
            remove(engine, &lease.volume).await?;
        }
        if granted {
            return Ok(None);
        }
    }
    Err(PluginError::transient(format!(
        "the lease of project {project} keeps changing hands; try again"
    )))
}

/// Releases the lease, if this token holds it.
pub(crate) async fn release(engine: &Engine, project: &str, token: &str) -> Answer<()> {
    for lease in all(engine, project).await?.iter().filter(|lease| lease.lease.token == token) {
        remove(engine, &lease.volume).await?;
    }
    Ok(())
}

/// The next number, or the lease of another holder.
fn next(leases: &[Numbered], token: &str, now: u64) -> Result<u64, Lease> {
    match leases.iter().max_by_key(|lease| lease.number) {
        Some(last) if last.lease.excludes(token, now) => Err(last.lease.clone()),
        Some(last) => Ok(last.number + 1),
        None => Ok(1),
    }
}

/// All volumes of the project's lease.
async fn all(engine: &Engine, project: &str) -> Answer<Vec<Numbered>> {
    let filters = HashMap::from([("label", vec![format!("{PROJECT}={project}")])]);
    let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
    let found = engine
        .client
        .list_volumes(Some(options))
        .await
        .map_err(|error| engine.error("cannot look for the lease", error))?;
    Ok(found
        .volumes
        .unwrap_or_default()
        .iter()
        .filter_map(|volume| read(volume, project))
        .collect())
}

fn read(volume: &Volume, project: &str) -> Option<Numbered> {
    let label = |name: &str| volume.labels.get(name).cloned();
    let number = volume.name.strip_prefix(&prefix(project))?.parse().ok()?;
    let lease = serde_json::from_str(&label(LEASE)?).ok()?;
    (label(PROJECT)? == project).then(|| Numbered { number, volume: volume.name.clone(), lease })
}

fn prefix(project: &str) -> String {
    format!("pallet-lease.{}.", escaped(project))
}

/// Creates the volume with this number, unless it exists.
async fn make(engine: &Engine, project: &str, number: u64, lease: &Lease) -> Answer<()> {
    let held =
        serde_json::to_string(lease).map_err(|error| PluginError::failed(error.to_string()))?;
    let labels = [(PROJECT, project), (LEASE, held.as_str())];
    let request = VolumeCreateRequest {
        name: Some(format!("{}{number}", prefix(project))),
        labels: Some(
            labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ),
        ..VolumeCreateRequest::default()
    };
    match engine.client.create_volume(request).await {
        Ok(_) => Ok(()),
        // Podman, if two create it at the same time: one of them succeeded
        Err(error) if crate::engine::is_conflict(&error) => Ok(()),
        Err(error) => Err(engine.error("cannot take the lease", error)),
    }
}

async fn remove(engine: &Engine, volume: &str) -> Answer<()> {
    match engine
        .client
        .remove_volume(volume, Some(RemoveVolumeOptionsBuilder::default().build()))
        .await
    {
        Err(error) if !is_absent(&error) => Err(engine.error("cannot give the lease back", error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, project: &str, token: &str, until: &str) -> Volume {
        let held = format!("{{\"token\": \"{token}\", \"until\": {until}}}");
        let labels = [(PROJECT, project), (LEASE, held.as_str())];
        Volume {
            name: name.to_owned(),
            labels: labels
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Volume::default()
        }
    }

    #[test]
    fn the_highest_number_is_the_lease() {
        let volumes = [
            volume("pallet-lease.shop.9", "shop", "b", "100"),
            volume("pallet-lease.shop.10", "shop", "a", "200"),
        ];
        let leases: Vec<_> = volumes.iter().filter_map(|volume| read(volume, "shop")).collect();
        assert_eq!(next(&leases, "a", 150), Ok(11), "renewed");
        assert_eq!(next(&leases, "b", 150).unwrap_err().token, "a");
        assert_eq!(next(&leases, "b", 200), Ok(11), "past its time");
        assert_eq!(next(&[], "b", 200), Ok(1));
    }

    #[test]
    fn volumes_of_others_are_no_lease() {
        for other in [
            volume("pallet-lease.shop.x", "shop", "a", "1"),
            volume("pallet-lease.shop.1", "other", "a", "1"),
            volume("pallet-lease.other.1", "shop", "a", "1"),
            volume("pallet-lease.shop.1", "shop", "a", "soon"),
        ] {
            assert_eq!(read(&other, "shop"), None, "{}", other.name);
        }
    }
}
