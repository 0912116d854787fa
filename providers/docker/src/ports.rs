//! Ports of the engine's machine that are forwarded to a node.

use std::collections::HashMap;

use bollard::models::{PortBinding, PortMap};
use pallet_core::prelude::*;

use crate::answer::Answer;

/// Converts the option `publish` for the engine.
pub(crate) fn published(publish: &[String]) -> Answer<PortMap> {
    let mut ports: PortMap = HashMap::new();
    for text in publish {
        let Some((port, binding)) = parse(text) else {
            let message = format!("node-spec: provider.docker: `{text}` is not a port to publish");
            return Err(PluginError::invalid_input(message)
                .with_help("write 8080:80, 127.0.0.1:8080:80/tcp, or 80 for any free port"));
        };
        ports.entry(port).or_default().get_or_insert_default().push(binding);
    }
    Ok(ports)
}

/// `[[address:]port:]port[/protocol]`
fn parse(text: &str) -> Option<(String, PortBinding)> {
    let (rest, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if !["tcp", "udp", "sctp"].contains(&protocol) {
        return None;
    }
    let (outside, inside) =
        rest.rsplit_once(':').map_or((None, rest), |(outside, inside)| (Some(outside), inside));
    let (address, port) = outside.map_or((None, None), |outside| match outside.rsplit_once(':') {
        Some((address, port)) => (Some(address.trim_matches(['[', ']']).to_owned()), Some(port)),
        None => (None, Some(outside)),
    });
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number > 0);
    let inside = number(inside)?;
    let port = match port {
        // any free port
        None | Some("") => String::new(),
        Some(port) => number(port)?.to_string(),
    };
    Some((format!("{inside}/{protocol}"), PortBinding { host_ip: address, host_port: Some(port) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_for_docker() {
        let binding = |ip: Option<&str>, port: &str| PortBinding {
            host_ip: ip.map(str::to_owned),
            host_port: Some(port.to_owned()),
        };
        assert_eq!(parse("8080:80"), Some(("80/tcp".into(), binding(None, "8080"))));
        assert_eq!(parse("53/udp"), Some(("53/udp".into(), binding(None, ""))));
        assert_eq!(parse("127.0.0.1::80"), Some(("80/tcp".into(), binding(Some("127.0.0.1"), ""))));
        assert_eq!(
            parse("[::1]:8080:80/tcp"),
            Some(("80/tcp".into(), binding(Some("::1"), "8080")))
        );
        for wrong in ["", "http", "80:", "0:80", "80/quic", "70000", "a:80"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            published(&["1:80".into(), "2:80".into()]).unwrap()["80/tcp"].as_ref().unwrap().len(),
            2
        );
        assert!(published(&["x".into()]).unwrap_err().message.contains("`x`"));
    }
}
