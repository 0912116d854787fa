//! firewalld: each rule is a policy object in a file of its own, so that rules of others stay as
//! they are.

use std::fmt::Write;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::kind::{CHANGED, Default, Kind, Policies, Redirection};
use super::rule::{Protocol, Rule, Verdict};
use super::settings::Settings;

const PROGRAM: &str = "/usr/local/lib/pallet/firewall-firewalld";
const POLICIES: &str = "/etc/firewalld/policies";

/// Writes the policies for packets without a rule, as zones have them, and the rules for sshd.
pub(crate) fn put_policies(
    request: &mut Request,
    policies: &Policies,
    settings: &Settings,
) -> Result<()> {
    ensure!(
        policies.outgoing == Default::Allow
            && policies.forwarded == Default::Allow
            && policies.ping,
        "with firewalld, only incoming and log can be set; the others are those of its zones"
    );
    let ports = settings
        .ssh_ports
        .iter()
        .map(|port| format!("<port port=\"{port}\" protocol=\"tcp\"/><accept/>"));
    let from = super::address::parse(&settings.ssh_from)?;
    let mut rules = Vec::new();
    for what in ports {
        if from.is_empty() {
            rules.push(format!("<rule>{what}</rule>"));
        }
        for peer in &from {
            let family = if peer.v6 { "ipv6" } else { "ipv4" };
            rules.push(format!(
                "<rule family=\"{family}\"><source address=\"{}\"/>{what}</rule>",
                peer.text
            ));
        }
    }
    put(request, Kind::Throttle, "sshd", false, &rules)?;
    let denies = policies.incoming == Default::Deny;
    // zones deny what they have no rule for, and what they let in is to pass
    let target = if denies { "CONTINUE" } else { "ACCEPT" };
    let log = if policies.log && denies {
        vec![
            "<rule><log prefix=\"pallet denied: \"><limit value=\"10/m\"/></log></rule>".to_owned(),
        ]
    } else {
        Vec::new()
    };
    let text = xml(target, 100, false, &log)?;
    file(request, "pallet-policy", text)
}

/// Writes the policy object of one rule.
pub(crate) fn put(
    request: &mut Request,
    kind: Kind,
    name: &str,
    outgoing: bool,
    rules: &[String],
) -> Result<()> {
    let priority = match kind {
        // sshd's rule, before all others
        Kind::Throttle => -1000,
        Kind::Deny => -900,
        Kind::Redirect => -800,
        Kind::Allow => -700,
    };
    let text = xml("CONTINUE", priority, outgoing, rules)?;
    file(request, &object(kind, name), text)
}

fn file(request: &mut Request, object: &str, text: String) -> Result<()> {
    let program = RemoteFile::content(PROGRAM, include_str!("firewall-firewalld.sh"));
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(program.owner("root").group("root").mode(0o755))?;
    request.add(Directory::at(POLICIES))?;
    request.add_with(
        RemoteFile::content(format!("{POLICIES}/{object}.xml"), text)
            .owner("root")
            .group("root")
            .mode(0o644)
            .verify(format!("sh {PROGRAM} {}", quote(object))),
        Options::new().flag_on_change(CHANGED),
    )
}

pub(crate) fn path(kind: Kind, name: &str) -> String {
    format!("{POLICIES}/{}.xml", object(kind, name))
}

/// The name of the policy object of a rule, which may have 18 characters.
fn object(kind: Kind, name: &str) -> String {
    let digest = digest(format!("{} {name}", kind.start()).as_bytes());
    format!("pallet-{}", &digest[..10])
}

fn xml(target: &str, priority: i32, outgoing: bool, rules: &[String]) -> Result<String> {
    let (ingress, egress) = if outgoing { ("HOST", "ANY") } else { ("ANY", "HOST") };
    let mut out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned();
    write!(
        out,
        "<policy version=\"1.0\" target=\"{target}\" priority=\"{priority}\">\n  \
         <description>written by pallet</description>\n  \
         <ingress-zone name=\"{ingress}\"/>\n  <egress-zone name=\"{egress}\"/>\n"
    )?;
    for rule in rules {
        writeln!(out, "  {rule}")?;
    }
    out.push_str("</policy>\n");
    Ok(out)
}

/// Reloads firewalld if the rules changed.
pub(crate) fn service(request: &mut Request) -> Result<()> {
    request.add(Service::start("firewalld").enabled(true))?;
    // connections that are open stay
    request.add_with(Service::reload("firewalld"), Options::new().if_flag(CHANGED))
}

/// The rules of a policy object.
pub(crate) fn rule(rule: &Rule) -> Result<Vec<String>> {
    ensure!(
        rule.interface.is_none(),
        "with firewalld, interfaces belong to zones; omit interface, or use the backend nftables"
    );
    let verdict = match rule.verdict {
        Verdict::Accept => "<accept/>",
        Verdict::Drop => "<drop/>",
        Verdict::Reject => "<reject/>",
    };
    let mut what = Vec::new();
    match (rule.protocol, rule.ports.is_empty()) {
        (None, _) => what.push(String::new()),
        (Some(protocol), false) => {
            for word in protocol.words() {
                for ports in &rule.ports {
                    what.push(format!("<port port=\"{}\" protocol=\"{word}\"/>", ports.text("-")));
                }
            }
        }
        (Some(protocol), true) => {
            what.extend(
                protocol.words().iter().map(|word| format!("<protocol value=\"{word}\"/>")),
            );
        }
    }
    let side = if rule.outgoing { "destination" } else { "source" };
    let of = |v6: bool, address: &str, what: &str| {
        let family = if v6 { "ipv6" } else { "ipv4" };
        format!("<rule family=\"{family}\"><{side} address=\"{address}\"/>{what}{verdict}</rule>")
    };
    let mut rules = Vec::new();
    for what in what {
        match &rule.peers {
            // a rule needs an element; without one, it is for a family of addresses
            None if what.is_empty() => {
                rules.extend([of(false, "0.0.0.0/0", ""), of(true, "::/0", "")]);
            }
            None => rules.push(format!("<rule>{what}{verdict}</rule>")),
            Some(peers) => {
                rules.extend(peers.iter().map(|peer| of(peer.v6, &peer.text, &what)));
            }
        }
    }
    Ok(rules)
}

/// The rules of a redirection.
pub(crate) fn redirection(redirection: &Redirection) -> Result<Vec<String>> {
    let Redirection { port, to_port, protocol, interface, local, .. } = redirection;
    ensure!(
        interface.is_none() && !local && *protocol != Protocol::Both,
        "with firewalld, a port is redirected for all others; omit interface and local"
    );
    let protocol = protocol.words()[0];
    let rule = |family: &str| {
        format!(
            "<rule family=\"{family}\"><forward-port port=\"{port}\" protocol=\"{protocol}\" \
             to-port=\"{to_port}\"/></rule>"
        )
    };
    Ok(vec![rule("ipv4"), rule("ipv6")])
}

#[cfg(test)]
mod tests {
    use super::super::Firewall;
    use super::*;

    fn recorder() -> Recorder<Firewall> {
        let settings = json!({"backend": "firewalld", "ssh_ports": [22], "ssh_from": []});
        Recorder::<Firewall>::on("rocky 9").settings("firewall", settings)
    }

    #[test]
    fn a_rule_is_a_policy_object() {
        let mut recorder = recorder();
        recorder.call("allow", json!({"port": [80, 443], "group": "group"})).unwrap();
        let file = &recorder.actions()[3];
        assert!(file.subject.starts_with("/etc/firewalld/policies/pallet-"), "{}", file.subject);
        let text = file.arguments["content"].as_str().unwrap();
        assert!(
            text.contains(
                "<rule family=\"ipv4\"><source address=\"192.0.2.1\"/>\
                 <port port=\"443\" protocol=\"tcp\"/><accept/></rule>"
            ),
            "{text}"
        );
        let name = file.subject.rsplit('/').next().unwrap();
        assert!(name.len() <= 18 + 4, "{name}");
    }

    #[test]
    fn what_firewalld_cannot_do_is_refused() {
        for (function, arguments) in [
            ("throttle", json!({"port": 80})),
            ("allow", json!({"port": 80, "interface": "eth0"})),
            ("policy", json!({"outgoing": "deny"})),
        ] {
            let error = recorder().call(function, arguments).unwrap_err().to_string();
            assert!(error.contains("firewalld"), "{error}");
        }
    }
}
