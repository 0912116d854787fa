//! Parses the output of the observing script.

use std::collections::BTreeMap;

use super::answer::{Answer, answers, malformed};
use super::{NodeState, Observation, ObserveError, Observed};
use crate::model::{Details, Facts, Machine, Os, OsFamily, PackageManager, ServiceManager};
use crate::script::flag_of_file;

/// Parses the `output` of the script that [`compile`](super::compile) wrote for the same `wanted`
/// and `token`.
pub fn parse(wanted: &Observation, token: &str, output: &[u8]) -> Result<Observed, ObserveError> {
    let output = String::from_utf8_lossy(output);
    let answers = answers(token, &output);
    if answers.last().is_none_or(|last| last.as_slice() != ["end"]) {
        let tail = output
            .trim_end()
            .chars()
            .rev()
            .take(200)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        return Err(ObserveError::Incomplete { last: tail });
    }
    let facts = facts(&answers)?;
    let mut state = NodeState::new(facts.os.clone());
    state.user.clone_from(&facts.user);
    state.read(wanted, &answers)?;
    let leftovers = answers.iter().any(|answer| answer.as_slice() == ["leftovers"]);
    Ok(Observed { facts, state, leftovers })
}

fn facts(answers: &[Answer<'_>]) -> Result<Facts, ObserveError> {
    let facts: BTreeMap<&str, &str> = answers
        .iter()
        .filter(|answer| answer[0] == "fact" && answer.len() == 3)
        .map(|a| (a[1], a[2]))
        .collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let (hostname, arch) = fact("uname")
        .rsplit_once(' ')
        .ok_or_else(|| malformed(&["fact", "uname", fact("uname")]))?;
    let id = if fact("id").is_empty() { "unknown" } else { fact("id") };
    Ok(Facts {
        os: Os {
            id: id.to_owned(),
            version: fact("version").to_owned(),
            family: OsFamily::of(id, fact("id_like")),
            arch: arch.to_owned(),
            package_manager: word(fact("packages"), PackageManager::Unknown),
            service_manager: word(fact("services"), ServiceManager::Process),
        },
        machine: Machine {
            hostname: hostname.to_owned(),
            cores: fact("cores").parse().unwrap_or(1),
            memory: mib(fact("ram")),
            swap: mib(fact("swap")),
            kernel: fact("kernel").to_owned(),
            virtualization: virtualization(answers),
            machine_id: fact("machine_id").to_owned(),
            selinux: selinux(fact("selinux")).to_owned(),
            init: fact("init").to_owned(),
        },
        details: Details::default(),
        own: BTreeMap::new(),
        user: fact("user").to_owned(),
        bootstrapped: fact("bootstrapped") == "yes",
        pending_flags: answers
            .iter()
            .filter(|answer| answer[0] == "flag" && answer.len() == 2)
            .filter_map(|a| flag_of_file(a[1]))
            .collect(),
    })
}

/// KiB as MiB.
fn mib(kib: &str) -> u64 {
    kib.parse::<u64>().unwrap_or(0) / 1024
}

/// The mode of SELinux, from what the kernel says about enforcing.
fn selinux(enforce: &str) -> &'static str {
    match enforce {
        "1" => "enforcing",
        "0" => "permissive",
        _ => "disabled",
    }
}

/// What vendors of virtual hardware call themselves, and what users call it.
const VENDORS: [(&str, &str); 12] = [
    ("QEMU", "kvm"),
    ("KVM", "kvm"),
    ("Amazon EC2", "kvm"),
    ("Google", "kvm"),
    ("OpenStack", "kvm"),
    ("DigitalOcean", "kvm"),
    ("Hetzner", "kvm"),
    ("VMware", "vmware"),
    ("innotek", "virtualbox"),
    ("VirtualBox", "virtualbox"),
    ("Xen", "xen"),
    ("Parallels", "parallels"),
];

/// What the node runs in; empty: unknown.
fn virtualization(answers: &[Answer<'_>]) -> String {
    let found = answers.iter().find_map(|answer| match answer.as_slice() {
        ["fact", "virtualization", container, hypervisor, vendor, product] => {
            Some((*container, *hypervisor, *vendor, *product))
        }
        _ => None,
    });
    let Some((container, hypervisor, vendor, product)) = found else { return String::new() };
    let known = VENDORS.iter().find(|(name, _)| {
        let bare_metal = product.ends_with(".metal");
        !bare_metal && (vendor.contains(name) || product.contains(name))
    });
    match known {
        _ if !container.is_empty() => container,
        _ if !hypervisor.is_empty() => hypervisor,
        Some((_, name)) => name,
        None if vendor == "Microsoft Corporation" && product == "Virtual Machine" => "hyperv",
        None if vendor.is_empty() => "",
        None => "none",
    }
    .to_owned()
}

/// Parses an enum value from its serialized word.
fn word<T: serde::de::DeserializeOwned>(word: &str, default: T) -> T {
    serde_json::from_value(serde_json::Value::from(word)).unwrap_or(default)
}
