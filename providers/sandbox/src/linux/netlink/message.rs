//! The binary format of netlink messages: writing and reading attributes.

use std::net::Ipv4Addr;

/// Attributes in the order of insertion, each padded to four bytes.
#[derive(Default)]
pub(crate) struct Attributes(Vec<u8>);

/// Flags an attribute that contains attributes.
const NESTED: u16 = 1 << 15;

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Attributes that follow a struct, such as that of a veth's peer.
    pub(crate) fn after(header: &[u8]) -> Self {
        Attributes(header.to_vec())
    }

    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Text that ends with a zero byte.
    pub(crate) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes)
    }

    /// A number in this machine's byte order, as rtnetlink expects.
    pub(crate) fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// A number in network byte order, as netfilter expects.
    pub(crate) fn network_number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    pub(crate) fn address(self, kind: u16, value: Ipv4Addr) -> Self {
        self.bytes(kind, &value.octets())
    }

    pub(crate) fn nested(self, kind: u16, inner: Attributes) -> Self {
        self.bytes(kind | NESTED, &inner.0)
    }
}

/// A complete message: its header, the struct of its type, and its attributes.
pub(super) fn message(
    kind: u16,
    flags: u16,
    sequence: u32,
    header: &[u8],
    attributes: &Attributes,
) -> Vec<u8> {
    let length = u32::try_from(16 + header.len() + attributes.0.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    bytes.extend(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend(header);
    bytes.extend(&attributes.0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A received message.
pub(crate) struct Received {
    pub(crate) kind: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: Vec<u8>,
}

/// The messages in one datagram.
pub(super) fn received(mut bytes: &[u8]) -> Vec<Received> {
    let mut all = Vec::new();
    while let (Some(length), Some(kind), Some(sequence)) =
        (u32_at(bytes, 0), u16_at(bytes, 4), u32_at(bytes, 8))
    {
        let length = length as usize;
        let Some(payload) = bytes.get(16..length) else { break };
        all.push(Received { kind, sequence, payload: payload.to_vec() });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    all
}

impl Received {
    /// The attribute of this kind, in the attributes after a struct of `header` bytes.
    pub(crate) fn attribute(&self, header: usize, kind: u16) -> Option<&[u8]> {
        attribute(self.payload.get(header..)?, kind)
    }

    pub(crate) fn text(&self, header: usize, kind: u16) -> Option<String> {
        let bytes = self.attribute(header, kind)?;
        Some(String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned())
    }

    pub(crate) fn number(&self, header: usize, kind: u16) -> Option<u32> {
        u32_at(self.attribute(header, kind)?, 0)
    }

    pub(crate) fn address(&self, header: usize, kind: u16) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.attribute(header, kind)?.try_into().ok()?;
        Some(octets.into())
    }
}

/// The value of the attribute of this kind.
pub(crate) fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    while let (Some(length), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let length = usize::from(length);
        let value = bytes.get(4..length)?;
        if kind & !NESTED == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let inner = Attributes::new().text(1, "veth").number(2, 7);
        let written =
            message(16, 5, 42, &[1; 16], &Attributes::new().text(3, "eth0").nested(18, inner));
        let mut two = written.clone();
        two.extend(&written);
        let all = received(&two);
        assert_eq!(all.len(), 2);
        let one = &all[1];
        assert_eq!((one.kind, one.sequence), (16, 42));
        assert_eq!(one.text(16, 3).as_deref(), Some("eth0"));
        let nested = one.attribute(16, 18).unwrap();
        assert_eq!(attribute(nested, 2), Some(7u32.to_ne_bytes().as_slice()));
        assert_eq!(attribute(nested, 9), None);
    }

    #[test]
    fn a_message_cut_short_is_no_message() {
        let written = message(16, 5, 42, &[], &Attributes::new().number(1, 2));
        assert!(received(&written[..written.len() - 4]).is_empty());
        assert!(received(&[]).is_empty());
    }
}
