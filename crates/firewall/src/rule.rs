//! A rule, whatever program applies it.

use pallet_core::prelude::*;

use super::address::Address;

/// A rule for packets.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// `None`: any.
    pub(crate) protocol: Option<Protocol>,
    /// Empty: all.
    pub(crate) ports: Vec<Ports>,
    /// The other side; `None`: everybody.
    pub(crate) peers: Option<Vec<Address>>,
    pub(crate) interface: Option<String>,
    pub(crate) outgoing: bool,
}

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Drop,
    Reject,
}

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TCP and UDP.
    Both,
    /// ESP, of IPsec.
    Esp,
    /// GRE.
    Gre,
    /// VRRP, of keepalived.
    Vrrp,
}

impl Protocol {
    pub(crate) fn has_ports(self) -> bool {
        matches!(self, Protocol::Tcp | Protocol::Udp | Protocol::Both)
    }

    /// The names of the single protocols.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Protocol::Tcp => &["tcp"],
            Protocol::Udp => &["udp"],
            Protocol::Both => &["tcp", "udp"],
            Protocol::Esp => &["esp"],
            Protocol::Gre => &["gre"],
            Protocol::Vrrp => &["vrrp"],
        }
    }
}

/// A port, or a range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ports {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl Ports {
    /// As text, with this between the first and the last one.
    pub(crate) fn text(self, between: &str) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{}{between}{}", self.first, self.last)
        }
    }

    pub(crate) fn has(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

/// A port, a range such as `8000-8010`, or a list of them, as an argument.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum PortArgument {
    One(PortWord),
    Several(Vec<PortWord>),
}

/// A port or a range.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "::pallet_core::serde", untagged)]
#[schemars(crate = "::pallet_core::schemars")]
pub(crate) enum PortWord {
    Number(u16),
    Range(String),
}

/// Reads ports, sorted.
pub(crate) fn ports(argument: Option<&PortArgument>) -> Result<Vec<Ports>> {
    let words = match argument {
        None => &[],
        Some(PortArgument::One(word)) => std::slice::from_ref(word),
        Some(PortArgument::Several(words)) => words.as_slice(),
    };
    ensure!(argument.is_none() || !words.is_empty(), "the list of ports is empty; omit it for all");
    let mut ports: Vec<Ports> = words.iter().map(range).collect::<Result<_>>()?;
    ports.sort();
    for pair in ports.windows(2) {
        ensure!(pair[0].last < pair[1].first, "the port {} is given twice", pair[1].first);
    }
    Ok(ports)
}

fn range(word: &PortWord) -> Result<Ports> {
    let wrong = |text: &str| format!("{text:?} is neither a port nor a range such as 8000-8010");
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| plain && *port > 0)
    };
    Ok(match word {
        PortWord::Number(0) => bail!("0 is not a port"),
        PortWord::Number(port) => Ports { first: *port, last: *port },
        PortWord::Range(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let ports = number(first).zip(number(last)).filter(|(first, last)| first <= last);
            let (first, last) = ports.with_context(|| wrong(text))?;
            Ports { first, last }
        }
    })
}

/// Refuses what cannot be the name of a network interface.
pub(crate) fn check_interface(interface: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:*".contains(&byte);
    ensure!(
        !interface.is_empty() && interface.len() <= 15 && interface.bytes().all(good),
        "{interface:?} cannot be a network interface"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_and_ranges() {
        let read = |value: Value| {
            let argument = PortArgument::deserialize(value).unwrap();
            ports(Some(&argument)).map(|ports| ports.iter().map(|one| one.text("-")).collect())
        };
        let made: Vec<String> = read(json!([443, "8000-8010", 80])).unwrap();
        assert_eq!(made, ["80", "443", "8000-8010"]);
        for bad in [
            json!(0),
            json!("0"),
            json!("90-80"),
            json!("a"),
            json!("80;"),
            json!([]),
            json!([80, 80]),
            json!([80, "70-90"]),
            json!("+80"),
            json!("65536"),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(PortArgument::deserialize(json!(70000)).is_err());
        assert!(check_interface("eth0").is_ok() && check_interface("eth0\" accept").is_err());
    }
}
