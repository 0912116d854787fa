//! The name servers for nodes: those of the machine that are reachable from nodes.

use std::fs;

/// The configuration of programs, followed by the upstream servers of local resolvers.
const FILES: [&str; 4] = [
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/resolvconf/resolv.conf",
];

/// The content of a node's resolv.conf; empty if the machine has no name server that nodes can
/// reach.
pub(crate) fn resolv_conf() -> String {
    FILES
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .find_map(|text| reachable(&text))
        .unwrap_or_default()
}

/// The text without name servers on the loopback; `None` if there are no others.
fn reachable(text: &str) -> Option<String> {
    let server =
        |line: &str| line.trim().strip_prefix("nameserver").map(|rest| rest.trim().to_owned());
    let kept = |line: &&str| {
        !line.trim().starts_with(['#', ';'])
            && server(line).is_none_or(|at| !at.starts_with("127.") && at != "::1")
    };
    let lines: Vec<&str> = text.lines().filter(kept).collect();
    lines.iter().any(|line| server(line).is_some()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_on_the_loopback_cannot_be_asked_from_a_node() {
        assert_eq!(reachable("# stub\nnameserver 127.0.0.53\noptions edns0\nsearch lan\n"), None);
        assert_eq!(
            reachable("nameserver 127.0.0.53\nnameserver 192.0.2.7\nsearch lan\n").as_deref(),
            Some("nameserver 192.0.2.7\nsearch lan")
        );
    }
}
