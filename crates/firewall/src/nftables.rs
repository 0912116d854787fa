//! nftables: a table of Pallet's own, which is loaded as a whole. Tables of others stay as they
//! are.

use std::fmt::Write;

use pallet_core::prelude::*;
use pallet_core::script::quote;

use super::address::Address;
use super::backend::{CHANGED, Kind};
use super::policy::{Default, Policies};
use super::redirect::Redirection;
use super::rule::{Protocol, Rule, Verdict};
use super::settings::Settings;
use super::throttle::Limit;

const PROGRAM: &str = "/usr/local/lib/pallet/firewall-nftables";
const MAIN: &str = "/etc/nftables/pallet.nft";
const PARTS: &str = "/etc/nftables/pallet.d";

/// The unit that loads the table, after whatever else loads rules at boot.
const UNIT: &str = "\
# written by pallet
[Unit]
Description=the firewall of Pallet
DefaultDependencies=no
After=nftables.service local-fs.target
PartOf=nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables/pallet.nft
ExecReload=/usr/sbin/nft -f /etc/nftables/pallet.nft
ExecStop=-/usr/sbin/nft delete table inet pallet

[Install]
WantedBy=sysinit.target
";

/// Writes the file with the policies, which includes all rules.
pub(crate) fn put_policies(
    request: &mut Request,
    policies: &Policies,
    settings: &Settings,
) -> Result<()> {
    let text = main(policies, settings)?;
    program(request)?;
    let ports: Vec<_> = settings.ssh_ports.iter().map(u16::to_string).collect();
    let closes = if policies.incoming == Default::Deny { "closes" } else { "open" };
    let words = [closes, &ports.join(" "), &settings.ssh_from.join(" ")].map(quote).join(" ");
    file(request, MAIN, text, &format!("sh {PROGRAM} policies {words}"))
}

/// Writes the file of one rule.
pub(crate) fn put(request: &mut Request, kind: Kind, name: &str, text: &str) -> Result<()> {
    program(request)?;
    let path = path(kind, name);
    let base = format!("{}-{name}.nft", kind.start());
    let text = format!("# written by pallet\n{text}");
    file(request, &path, text, &format!("sh {PROGRAM} rule {}", quote(&base)))
}

pub(crate) fn path(kind: Kind, name: &str) -> String {
    format!("{PARTS}/{}-{name}.nft", kind.start())
}

fn program(request: &mut Request) -> Result<()> {
    let program = RemoteFile::content(PROGRAM, include_str!("firewall-nftables.sh"));
    request.add(Directory::at("/usr/local/lib/pallet"))?;
    request.add(program.owner("root").group("root").mode(0o755))?;
    request.add(Directory::at(PARTS))
}

fn file(request: &mut Request, path: &str, text: String, verify: &str) -> Result<()> {
    request.add_with(
        RemoteFile::content(path, text).owner("root").group("root").mode(0o644).verify(verify),
        Options::new().flag_on_change(CHANGED),
    )
}

/// Loads the rules if they changed, and at boot.
pub(crate) fn service(request: &mut Request) -> Result<()> {
    request.add_with(
        ServiceScript::content("pallet-firewall", UNIT),
        Options::new().flag_on_change(CHANGED),
    )?;
    request.add(Service::start("pallet-firewall").enabled(true))?;
    request.add_with(Service::reload("pallet-firewall"), Options::new().if_flag(CHANGED))
}

/// The file with the policies.
fn main(policies: &Policies, settings: &Settings) -> Result<String> {
    let policy = |default: Default| match default {
        Default::Allow => "accept",
        Default::Deny => "drop",
    };
    let mut out = "# written by pallet\n\
        # an empty table is there to be deleted: all of this is one transaction\n\
        table inet pallet\ndelete table inet pallet\ntable inet pallet {\n"
        .to_owned();
    for (chain, default, interface) in
        [("input", policies.incoming, "iif"), ("output", policies.outgoing, "oif")]
    {
        write!(
            out,
            "  chain {chain} {{\n    type filter hook {chain} priority filter; policy {};\n    \
             ct state established,related accept\n    {interface} \"lo\" accept\n  }}\n",
            policy(default)
        )?;
    }
    if policies.forwarded == Default::Deny {
        out.push_str(
            "  chain forward {\n    type filter hook forward priority filter; policy drop;\n    \
             ct state established,related accept\n  }\n",
        );
    }
    writeln!(out, "  include \"{PARTS}/{}-*.nft\"", Kind::Throttle.start())?;
    out.push_str("  chain input {\n");
    let ports: Vec<_> = settings.ssh_ports.iter().map(u16::to_string).collect();
    let ssh = format!("tcp dport {{ {} }}", ports.join(", "));
    let from = super::address::parse(&settings.ssh_from)?;
    for peers in matches((!from.is_empty()).then_some(&from[..]), "saddr") {
        writeln!(out, "    {peers}{ssh} accept comment \"sshd\"")?;
    }
    out.push_str("    ct state invalid drop\n");
    if !policies.ping {
        out.push_str("    icmp type echo-request drop\n    icmpv6 type echo-request drop\n");
    }
    // without these, neither IPv6 nor the size of packets works
    out.push_str(
        "    meta l4proto { 1, 58 } accept\n    \
         ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept\n  }\n",
    );
    for kind in [Kind::Deny, Kind::Redirect, Kind::Allow] {
        writeln!(out, "  include \"{PARTS}/{}-*.nft\"", kind.start())?;
    }
    if policies.log {
        out.push_str(
            "  chain input {\n    limit rate 10/minute burst 20 packets log prefix \
             \"pallet denied: \"\n  }\n",
        );
    }
    out.push_str("}\n");
    Ok(out)
}

/// The text of a rule.
pub(crate) fn rule(rule: &Rule) -> String {
    let chain = if rule.outgoing { "output" } else { "input" };
    let mut out = format!("chain {chain} {{\n");
    let interface = match &rule.interface {
        Some(interface) if rule.outgoing => format!("oifname \"{interface}\" "),
        Some(interface) => format!("iifname \"{interface}\" "),
        None => String::new(),
    };
    let verdict = match rule.verdict {
        Verdict::Accept => "accept",
        Verdict::Drop => "drop",
        Verdict::Reject => "reject",
    };
    let side = if rule.outgoing { "daddr" } else { "saddr" };
    for peers in matches(rule.peers.as_deref(), side) {
        let service = service_match(rule);
        let line = format!("  {interface}{peers}{service}{verdict} comment \"{}\"\n", rule.name);
        out.push_str(&line);
    }
    out + "}\n"
}

/// The matches of the other side: one for everybody, none for nobody.
fn matches(peers: Option<&[Address]>, side: &str) -> Vec<String> {
    let Some(peers) = peers else { return vec![String::new()] };
    let mut all = Vec::new();
    for (v6, family) in [(false, "ip"), (true, "ip6")] {
        let of = |network: bool| {
            peers.iter().filter(move |peer| peer.v6 == v6 && peer.text.contains('/') == network)
        };
        let addresses: Vec<&str> = of(false).map(|peer| peer.text.as_str()).collect();
        if !addresses.is_empty() {
            all.push(format!("{family} {side} {{ {} }} ", addresses.join(", ")));
        }
        // networks may overlap, which no set may
        all.extend(of(true).map(|peer| format!("{family} {side} {} ", peer.text)));
    }
    all
}

fn service_match(rule: &Rule) -> String {
    let ports: Vec<_> = rule.ports.iter().map(|ports| ports.text("-")).collect();
    let ports = ports.join(", ");
    match (rule.protocol, ports.is_empty()) {
        (None, _) => String::new(),
        (Some(Protocol::Both), false) => {
            format!("meta l4proto {{ 6, 17 }} th dport {{ {ports} }} ")
        }
        (Some(protocol), false) => format!("{} dport {{ {ports} }} ", protocol.words()[0]),
        // numbers, because a small system may have no names of protocols
        (Some(protocol), true) => match protocol {
            Protocol::Tcp => "meta l4proto 6 ",
            Protocol::Udp => "meta l4proto 17 ",
            Protocol::Both => "meta l4proto { 6, 17 } ",
            Protocol::Esp => "meta l4proto 50 ",
            Protocol::Gre => "meta l4proto 47 ",
            Protocol::Vrrp => "meta l4proto 112 ",
        }
        .to_owned(),
    }
}

/// The text of a redirection.
pub(crate) fn redirection(redirection: &Redirection) -> String {
    let Redirection { name, port, to_port, protocol, interface, local } = redirection;
    let protocol = protocol.words()[0];
    let interface =
        interface.as_ref().map(|name| format!("iifname \"{name}\" ")).unwrap_or_default();
    let mut out = format!(
        "chain prerouting {{\n  type nat hook prerouting priority -100;\n  \
         {interface}{protocol} dport {port} redirect to :{to_port}\n}}\n\
         chain input {{\n  {protocol} dport {to_port} ct status dnat ct original proto-dst {port} \
         accept comment \"{name}\"\n}}\n"
    );
    if *local {
        out.push_str(&format!(
            "chain local {{\n  type nat hook output priority -100;\n  \
             oif \"lo\" {protocol} dport {port} redirect to :{to_port}\n}}\n"
        ));
    }
    out
}

/// The text of a limit.
pub(crate) fn limit(limit: &Limit) -> String {
    let Limit { port, rate, burst, per, .. } = limit;
    let mut out = String::new();
    for (version, kind) in [(4, "ipv4_addr"), (6, "ipv6_addr")] {
        out.push_str(&format!(
            "set throttle_{port}_{version} {{\n  type {kind}\n  size 65535\n  \
             flags dynamic,timeout\n  timeout 1h\n}}\n"
        ));
    }
    out.push_str("chain input {\n");
    for (version, family) in [(4, "ip"), (6, "ip6")] {
        out.push_str(&format!(
            "  tcp dport {port} ct state new update @throttle_{port}_{version} {{ {family} saddr \
             limit rate over {rate}/{} burst {burst} packets }} drop\n",
            per.word()
        ));
    }
    out + "}\n"
}

#[cfg(test)]
mod tests {
    use super::super::Firewall;
    use super::*;

    fn content(function: &str, arguments: Value) -> (String, String) {
        let mut recorder = Recorder::<Firewall>::on("debian 12");
        recorder.call(function, arguments).unwrap();
        let file = recorder.actions().remove(3);
        (file.subject, file.arguments["content"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_rule_is_for_a_group_or_for_everybody() {
        let (path, text) = content("allow", json!({"port": [80, "8000-8010"]}));
        assert_eq!(path, "/etc/nftables/pallet.d/50-allow-tcp-80-8000_8010.nft");
        assert_eq!(
            text,
            "# written by pallet\nchain input {\n  tcp dport { 80, 8000-8010 } accept comment \
             \"tcp-80-8000_8010\"\n}\n"
        );
        let (_, text) = content(
            "allow",
            json!({
                "port": 53, "protocol": "both", "group": "group",
                "addresses": ["10.0.0.0/8", "::1"],
            }),
        );
        assert_eq!(
            text,
            "# written by pallet\nchain input {\n  \
             ip saddr { 192.0.2.1 } meta l4proto { 6, 17 } th dport { 53 } accept comment \
             \"tcp-udp-53-group\"\n  \
             ip saddr 10.0.0.0/8 meta l4proto { 6, 17 } th dport { 53 } accept comment \
             \"tcp-udp-53-group\"\n  \
             ip6 saddr { ::1 } meta l4proto { 6, 17 } th dport { 53 } accept comment \
             \"tcp-udp-53-group\"\n}\n"
        );
    }

    #[test]
    fn a_group_without_nodes_lets_nobody_in() {
        let (_, text) = content("allow", json!({"port": 80, "group": "nobody"}));
        assert_eq!(text, "# written by pallet\nchain input {\n}\n");
    }

    #[test]
    fn denied_redirected_and_throttled() {
        let (path, text) = content("deny", json!({"port": 25, "direction": "out", "reject": true}));
        assert_eq!(path, "/etc/nftables/pallet.d/30-deny-tcp-25-out.nft");
        assert!(text.contains("chain output {\n  tcp dport { 25 } reject comment"), "{text}");
        let (_, text) = content("redirect", json!({"port": 80, "to_port": 8080}));
        assert!(text.contains("  tcp dport 80 redirect to :8080\n"), "{text}");
        assert!(text.contains("tcp dport 8080 ct status dnat ct original proto-dst 80 accept"));
        let (_, text) = content("throttle", json!({"port": 22}));
        assert!(
            text.contains(
                "tcp dport 22 ct state new update @throttle_22_4 { ip saddr limit rate over \
                 10/minute burst 10 packets } drop"
            ),
            "{text}"
        );
    }

    #[test]
    fn sshd_stays_open() {
        let (path, text) = content("policy", json!({}));
        assert_eq!(path, "/etc/nftables/pallet.nft");
        let at = |text: &str, part: &str| text.find(part).unwrap_or_else(|| panic!("{part}"));
        assert!(text.contains("hook input priority filter; policy drop;"));
        assert!(text.contains("hook output priority filter; policy accept;"));
        assert!(!text.contains("hook forward"));
        assert!(at(&text, "tcp dport { 22 } accept") < at(&text, "30-deny-*.nft"));
        let settings = json!({"ssh_ports": [2222], "ssh_from": ["10.0.0.0/8"]});
        let mut recorder = Recorder::<Firewall>::on("debian 12").settings("firewall", settings);
        recorder.call("policy", json!({"forwarded": "deny", "log": true})).unwrap();
        let file = &recorder.actions()[3];
        let text = file.arguments["content"].as_str().unwrap();
        assert!(text.contains("ip saddr 10.0.0.0/8 tcp dport { 2222 } accept"), "{text}");
        assert!(text.contains("hook forward") && text.contains("log prefix"));
        assert_eq!(
            file.arguments["verify"],
            "sh /usr/local/lib/pallet/firewall-nftables policies closes 2222 10.0.0.0/8"
        );
    }

    #[test]
    fn rules_are_loaded_once_and_at_boot() {
        let mut recorder = Recorder::<Firewall>::on("debian 12");
        recorder.call("service", json!({})).unwrap();
        assert_eq!(
            recorder.declared(),
            [
                "service_script pallet-firewall",
                "service pallet-firewall",
                "service pallet-firewall"
            ]
        );
        assert_eq!(recorder.actions()[2].options.if_flag.as_deref(), Some(CHANGED));
    }
}
