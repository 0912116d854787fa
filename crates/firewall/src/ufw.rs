//! ufw: rules with a comment that says that they are Pallet's, which a program on the node compares
//! with those that are declared. Rules of others stay as they are.

use pallet_core::prelude::*;

use super::address::Address;
use super::kind::{CHANGED, Default, Kind, Limit, Policies, Time};
use super::rule::{Protocol, Rule, Verdict};
use super::settings::Settings;

const PROGRAM: &str = "/usr/local/lib/pallet/firewall-ufw";
const RULES: &str = "/etc/ufw/pallet.d";

/// Writes the policies, each as a line `DIRECTION POLICY`, and the rules for sshd.
pub(crate) fn put_policies(
    request: &mut Request,
    policies: &Policies,
    settings: &Settings,
) -> Result<()> {
    ensure!(policies.ping, "ufw answers pings; to keep them out, edit /etc/ufw/before.rules");
    let word = |default: Default| match default {
        Default::Allow => "allow",
        Default::Deny => "deny",
    };
    let text = format!(
        "incoming {}\noutgoing {}\nrouted {}\nlogging {}\n",
        word(policies.incoming),
        word(policies.outgoing),
        word(policies.forwarded),
        if policies.log { "low" } else { "off" }
    );
    program(request)?;
    let file = RemoteFile::content(format!("{RULES}/policies"), text);
    request.add_with(file.owner("root").group("root").mode(0o644), changed())?;
    let from = super::address::parse(&settings.ssh_from)?;
    let mut lines = Vec::new();
    for port in &settings.ssh_ports {
        for peer in sides((!from.is_empty()).then_some(&from[..])) {
            lines.push(format!("allow in proto tcp from {peer} to any port {port}"));
        }
    }
    put(request, Kind::Throttle, "zz-sshd", &lines)
}

/// Writes the lines of one rule.
pub(crate) fn put(request: &mut Request, kind: Kind, name: &str, lines: &[String]) -> Result<()> {
    program(request)?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = RemoteFile::content(path(kind, name), text);
    request.add_with(file.owner("root").group("root").mode(0o644), changed())
}

pub(crate) fn path(kind: Kind, name: &str) -> String {
    format!("{RULES}/{}-{name}.rules", kind.start())
}

fn changed() -> Options {
    Options::new().flag_on_change(CHANGED)
}

fn program(request: &mut Request) -> Result<()> {
    let program = RemoteFile::content(PROGRAM, include_str!("firewall-ufw.sh"));
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(program.owner("root").group("root").mode(0o755))?;
    request.add(Directory::at(RULES))
}

/// Brings ufw's rules to what is declared, and turns it on.
pub(crate) fn service(request: &mut Request) -> Result<()> {
    request.add(
        ExecCheckedScript::new("bring ufw to these rules", format!("sh {PROGRAM} apply"))
            .unless(format!("sh {PROGRAM} is-applied")),
    )?;
    request.add(Service::start("ufw").enabled(true))
}

/// The lines of a rule, as arguments of ufw.
pub(crate) fn rule(rule: &Rule) -> Result<Vec<String>> {
    let verdict = match rule.verdict {
        Verdict::Accept => "allow",
        Verdict::Drop => "deny",
        Verdict::Reject => "reject",
    };
    let direction = if rule.outgoing { "out" } else { "in" };
    let interface = rule.interface.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
    let start = format!("{verdict} {direction}{interface}");
    let protocols: Vec<Option<&str>> = match rule.protocol {
        None => vec![None],
        Some(Protocol::Vrrp) => bail!("ufw has no protocol vrrp; use another backend"),
        Some(protocol) => protocol.words().iter().copied().map(Some).collect(),
    };
    let ports: Vec<_> = rule.ports.iter().map(|ports| ports.text(":")).collect();
    let mut lines = Vec::new();
    for protocol in protocols {
        let protocol = protocol.map(|word| format!(" proto {word}")).unwrap_or_default();
        // ufw takes 15 ports in a rule, of which a range counts twice
        let chunks: Vec<Vec<String>> = match ports.is_empty() {
            true => vec![Vec::new()],
            false => ports.chunks(7).map(<[String]>::to_vec).collect(),
        };
        for ports in chunks {
            let port =
                if ports.is_empty() { String::new() } else { format!(" port {}", ports.join(",")) };
            for peer in sides(rule.peers.as_deref()) {
                lines.push(if rule.outgoing {
                    format!("{start}{protocol} from any to {peer}{port}")
                } else {
                    format!("{start}{protocol} from {peer} to any{port}")
                });
            }
        }
    }
    Ok(lines)
}

/// The other sides: `any`, or each address.
fn sides(peers: Option<&[Address]>) -> Vec<String> {
    match peers {
        None => vec!["any".to_owned()],
        Some(peers) => peers.iter().map(|peer| peer.text.clone()).collect(),
    }
}

/// The line of a limit: ufw has only one.
pub(crate) fn limit(limit: &Limit) -> Result<Vec<String>> {
    ensure!(
        limit.rate == 10 && limit.burst == 10 && limit.per == Time::Minute,
        "ufw limits a client to 6 connections in 30 seconds, and knows no other limit; omit rate, \
         per and burst"
    );
    Ok(vec![format!("limit in proto tcp from any to any port {}", limit.port)])
}

#[cfg(test)]
mod tests {
    use super::super::Firewall;
    use super::*;

    fn content(function: &str, arguments: Value) -> String {
        let settings = json!({"backend": "ufw", "ssh_ports": [22], "ssh_from": []});
        let mut recorder = Recorder::<Firewall>::on("debian 12").settings("firewall", settings);
        recorder.call(function, arguments).unwrap();
        recorder.actions()[3].arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn rules_are_arguments_of_ufw() {
        assert_eq!(
            content("allow", json!({"port": [80, "8000-8010"], "protocol": "both"})),
            "allow in proto tcp from any to any port 80,8000:8010\n\
             allow in proto udp from any to any port 80,8000:8010\n"
        );
        assert_eq!(
            content(
                "deny",
                json!({"port": 25, "group": "group", "direction": "out", "interface": "eth0"})
            ),
            "deny out on eth0 proto tcp from any to 192.0.2.1 port 25\n"
        );
        assert_eq!(content("allow", json!({"port": 80, "group": "nobody"})), "");
        assert!(content("policy", json!({})).contains("incoming deny\n"));
        assert_eq!(
            content("throttle", json!({"port": 22})),
            "limit in proto tcp from any to any port 22\n"
        );
    }

    #[test]
    fn what_ufw_cannot_do_is_refused() {
        let settings = json!({"backend": "ufw", "ssh_ports": [22], "ssh_from": []});
        for (function, arguments) in [
            ("redirect", json!({"port": 80, "to_port": 8080})),
            ("throttle", json!({"port": 80, "rate": 3})),
            ("policy", json!({"ping": false})),
            ("allow", json!({"protocol": "vrrp"})),
        ] {
            let mut recorder =
                Recorder::<Firewall>::on("debian 12").settings("firewall", settings.clone());
            let error = recorder.call(function, arguments).unwrap_err().to_string();
            assert!(error.contains("ufw"), "{error}");
        }
    }
}
