//! The other side of a rule: addresses and networks, as they are given or of the nodes of a group.

use std::collections::BTreeSet;
use std::net::IpAddr;

use pallet_core::prelude::*;

/// An address, or a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) text: String,
    pub(crate) v6: bool,
}

/// Reads addresses and networks.
pub(crate) fn parse(texts: &[String]) -> Result<Vec<Address>> {
    let parsed: Result<BTreeSet<_>> = texts.iter().map(|text| one(text)).collect();
    Ok(parsed?.into_iter().collect())
}

fn one(text: &str) -> Result<Address> {
    let wrong = || format!("{text:?} is neither an address nor a network such as 10.0.0.0/8");
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    // a node that does not exist yet
    if bits.is_none() && address.ends_with(KNOWN_AFTER_APPLY) {
        return Ok(Address { text: text.to_owned(), v6: false });
    }
    let address: IpAddr = address.parse().map_err(|_| anyhow!(wrong()))?;
    if let Some(bits) = bits {
        let most = if address.is_ipv6() { 128 } else { 32 };
        let plain = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        ensure!(plain && bits.parse::<u8>().is_ok_and(|bits| bits <= most), wrong());
    }
    Ok(Address { text: text.to_owned(), v6: address.is_ipv6() })
}

/// Who is on the other side: `None` is everybody, and an empty list is nobody.
pub(crate) fn peers(
    request: &Request,
    group: Option<&str>,
    role: Option<&str>,
    addresses: &[String],
) -> Result<Option<Vec<Address>>> {
    if group.is_none() && role.is_none() && addresses.is_empty() {
        return Ok(None);
    }
    let mut all = addresses.to_vec();
    let mut known = false;
    for target in request.targets()? {
        let wanted = group.is_some_and(|group| target.group == group)
            || role.is_some_and(|role| target.roles.iter().any(|one| one == role));
        if !wanted {
            continue;
        }
        known = true;
        if let Some(address) = target.address {
            one(&address).with_context(|| {
                format!(
                    "the node {} has a name for an address; give addresses instead",
                    target.name
                )
            })?;
            all.push(address);
        }
    }
    if !known && addresses.is_empty() {
        let what = group.map(|name| format!("group {name}"));
        let what = what.or_else(|| role.map(|name| format!("role {name}"))).unwrap_or_default();
        request.warn(format!("no node has the {what}, so a rule for it lets nobody through"))?;
    }
    Ok(Some(parse(&all)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let all = parse(&texts(&["10.0.0.2", "10.0.0.0/8", "2001:db8::1", "10.0.0.2"])).unwrap();
        assert_eq!(all.iter().map(|one| one.v6).collect::<Vec<_>>(), [false, false, true]);
        for bad in ["", "web-1", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "1.2.3.4 }", "::/129"] {
            assert!(parse(&texts(&[bad])).is_err(), "{bad}");
        }
    }
}
