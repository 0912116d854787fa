//! Creates nodes: launches new ones in parallel, starts stopped ones, and waits for all of them.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::api::{Api, Call};
use crate::instances::{self, Instance};
use crate::launch::Launch;
use crate::network;
use crate::options::AddressKind;
use crate::service::Ec2;

/// Maximum number of parallel launches.
const WORKERS: usize = 6;

/// Timeout until a node runs and has an address.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often EC2 may still report a started instance as stopped.
const STALE: u32 = 8;

/// A node that is being created or started.
#[derive(Debug)]
struct Wait {
    name: String,
    id: String,
    /// Whether it was just created; if it fails, it is terminated.
    fresh: bool,
    starts: u32,
    outcome: Option<Created>,
}

/// Creates or starts the nodes; returns a result for each.
pub(crate) fn run_nodes(service: &Ec2, wanted: &RunNodes) -> Result<Vec<Created>, PluginError> {
    if wanted.names.is_empty() {
        network::share(service, wanted)?;
        return Ok(Vec::new());
    }
    let existing = instances::of_project(&service.api, &service.context.project)?;
    let mut waits: Vec<_> =
        wanted.names.iter().map(|name| known(name, wanted, &existing)).collect();
    let fresh: Vec<_> =
        waits.iter_mut().filter(|wait| wait.fresh && wait.outcome.is_none()).collect();
    if !fresh.is_empty() {
        let prepared = instances::past(&service.api, &service.context.project)
            .and_then(|past| Launch::prepare(service, wanted, &past));
        match prepared {
            Ok(launch) => launch_all(&launch, fresh),
            Err(error) => fresh
                .into_iter()
                .for_each(|wait| wait.outcome = Some(Created::Failed(error.error.clone()))),
        }
    }
    wait_for(service, &mut waits, PATIENCE);
    let unknown = || Created::Failed(PluginError::failed("ec2 returned no result for this node"));
    Ok(waits.into_iter().map(|wait| wait.outcome.unwrap_or_else(unknown)).collect())
}

fn known(name: &str, wanted: &RunNodes, existing: &[Instance]) -> Wait {
    let mut wait =
        Wait { name: name.to_owned(), id: String::new(), fresh: true, starts: 0, outcome: None };
    if !is_host_name(name) {
        wait.outcome = Some(Created::Failed(PluginError::invalid_input(format!(
            "`{name}` cannot be the name of a node"
        ))));
    } else if let Some(there) =
        existing.iter().find(|instance| instance.tag(crate::tags::NAME) == name)
    {
        (wait.id, wait.fresh) = (there.id.clone(), false);
        let group = there.tag(crate::tags::GROUP);
        if group != wanted.group {
            let message = format!(
                "{name} exists at ec2 as {} of group {group}, not {}",
                there.id, wanted.group
            );
            wait.outcome = Some(Created::Failed(PluginError::failed(message)));
        }
    }
    wait
}

fn launch_all(launch: &Launch<'_>, waits: Vec<&mut Wait>) {
    let count = waits.len();
    let waits: Vec<_> = waits.into_iter().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..count.min(WORKERS) {
            scope.spawn(|| {
                while let Some(wait) = waits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut wait = wait.lock().unwrap_or_else(PoisonError::into_inner);
                    let launched = launch.still_wanted().and_then(|()| launch.launch(&wait.name));
                    match launched {
                        Ok(made) => wait.id = made.id,
                        Err(error) => wait.outcome = Some(Created::Failed(error.error)),
                    }
                }
            });
        }
    });
}

/// Waits until each node runs and has an address, or has failed.
fn wait_for(service: &Ec2, waits: &mut [Wait], patience: Duration) {
    let (api, kind) = (&service.api, service.options.address);
    let end = Instant::now() + patience;
    let mut pause = Duration::from_millis(500);
    loop {
        let open: Vec<_> = waits
            .iter()
            .filter(|wait| wait.outcome.is_none())
            .map(|wait| wait.id.clone())
            .collect();
        if open.is_empty() {
            break;
        }
        let seen = match instances::by_id(api, &open) {
            Ok(seen) => seen,
            Err(error) => return give_up(service, waits, |_| error.error.clone()),
        };
        for wait in waits.iter_mut().filter(|wait| wait.outcome.is_none()) {
            // a new instance is not visible everywhere at once
            let Some(instance) = seen.iter().find(|instance| instance.id == wait.id) else {
                continue;
            };
            if let Some(outcome) = look(api, wait, instance, kind) {
                wait.outcome = Some(outcome);
            }
        }
        let left: Vec<_> = waits
            .iter()
            .filter(|wait| wait.outcome.is_none())
            .map(|wait| wait.name.as_str())
            .collect();
        if left.is_empty() {
            break;
        }
        if Instant::now() > end {
            return give_up(service, waits, |wait| late(wait, &seen, kind));
        }
        api.host().progress(format!("waiting for {}", left.join(", ")));
        if let Err(stopped) = api.sleep(pause) {
            return give_up(service, waits, |_| stopped.clone());
        }
        pause = pause.mul_f64(1.5).min(Duration::from_secs(5));
    }
    discard(service, waits);
}

/// The outcome of an instance; `None` while it is pending.
fn look(
    api: &Api,
    wait: &mut Wait,
    instance: &Instance,
    kind: Option<AddressKind>,
) -> Option<Created> {
    let failed = |message: String| Some(Created::Failed(PluginError::failed(message)));
    let (name, id, reason) = (
        &wait.name,
        &wait.id,
        if instance.reason.is_empty() { "ec2 gives no reason" } else { &instance.reason },
    );
    match instance.state.as_str() {
        "running" => instance.address(kind).map(|_| Created::Node(Box::new(instance.node(kind)))),
        "stopped" if wait.fresh || wait.starts > STALE => {
            failed(format!("{name} ({id}) does not start: {reason}"))
        }
        "stopped" => {
            wait.starts += 1;
            if wait.starts == 1
                && let Err(error) =
                    api.call(&Call::new("StartInstances").list("InstanceId", [&instance.id]))
            {
                return Some(Created::Failed(error.error));
            }
            None
        }
        _ if instance.is_gone() => failed(format!("{name} ({id}) was terminated: {reason}")),
        _ => None,
    }
}

fn late(wait: &Wait, seen: &[Instance], kind: Option<AddressKind>) -> PluginError {
    let instance = seen.iter().find(|instance| instance.id == wait.id);
    let state = instance.map_or("not known", |instance| instance.state.as_str());
    let message =
        format!("{} ({}) is {state} after {} minutes", wait.name, wait.id, PATIENCE.as_secs() / 60);
    match (state, kind) {
        ("running", Some(AddressKind::Public)) => {
            PluginError::failed(format!("{message} and has no public address")).with_help(
                "choose a subnet that gives one, the option public_address of the \
                node-spec, or `address = \"private\"`",
            )
        }
        ("running", _) => PluginError::failed(format!("{message} and has no address")),
        _ => PluginError::transient(message),
    }
}

/// Ends the wait for all pending nodes.
fn give_up(service: &Ec2, waits: &mut [Wait], why: impl Fn(&Wait) -> PluginError) {
    for wait in waits.iter_mut().filter(|wait| wait.outcome.is_none()) {
        wait.outcome = Some(Created::Failed(why(wait)));
    }
    discard(service, waits);
}

/// Terminates new instances that failed, even if the operation was stopped.
fn discard(service: &Ec2, waits: &mut [Wait]) {
    let failed = |wait: &&mut Wait| {
        wait.fresh && !wait.id.is_empty() && matches!(wait.outcome, Some(Created::Failed(_)))
    };
    for wait in waits.iter_mut().filter(failed) {
        // the id is from its creation, so it is ours; the instance may not be visible yet, so it is
        // not looked up first
        let answer = service
            .api
            .to_the_end()
            .call(&Call::new("TerminateInstances").list("InstanceId", [&wait.id]));
        if let (Err(error), Some(Created::Failed(failure))) = (answer, &mut wait.outcome)
            && !error.is_not_found()
        {
            failure.causes.push(format!(
                "it could not be terminated and may still run as {}: {}",
                wait.id, error.error.message
            ));
        }
    }
}
