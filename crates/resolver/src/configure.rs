//! What the resolver of a node uses.

use pallet_core::prelude::*;

use super::options::{check_domain, check_option};
use super::owners::{Owner, put};
use super::servers::servers;
use super::wanted::Wanted;

parameters! {
    /// Sets the name servers, the search domains and the options of the resolver.
    ///
    /// Where systemd-resolved, resolvconf or netconfig owns `/etc/resolv.conf`, it is configured,
    /// and writes the file; elsewhere Pallet writes the file, and NetworkManager is told to leave
    /// it alone.
    ///
    /// Example: `resolver.configure(request, name_servers = ["192.0.2.53", "2001:db8::53"], search = ["example.com"], options = ["timeout:2", "rotate"])`
    pub(crate) struct Configure {
        /// The addresses of name servers, in their order.
        #[serde(default)]
        name_servers: Vec<String>,
        /// The group whose nodes are name servers, after those that are listed.
        #[serde(default)]
        group: Option<String>,
        /// The role whose nodes are name servers, after those that are listed.
        #[serde(default)]
        role: Option<String>,
        /// The domains in which short names are looked up.
        #[serde(default)]
        search: Vec<String>,
        /// Options of resolv.conf, such as `ndots:2`. systemd-resolved has none of them.
        #[serde(default)]
        options: Vec<String>,
        /// Who owns the file. Default: whoever does on the node.
        #[serde(default)]
        owner: Owner,
    }
}

pub(crate) fn configure(request: &mut Request, arguments: Configure) -> Result<()> {
    let Configure { name_servers, group, role, search, options, owner } = arguments;
    let servers = servers(request, name_servers, group.as_deref(), role.as_deref())?;
    ensure!(
        !servers.is_empty(),
        "resolver: there is no name server; list one in name_servers, or name a group with nodes"
    );
    // the C library uses no more, and says nothing
    ensure!(
        servers.len() <= 3 || owner == Owner::SystemdResolved,
        "resolver: there are {} name servers, and the C library uses 3; only systemd-resolved uses \
         more",
        servers.len()
    );
    search.iter().try_for_each(|domain| check_domain(domain))?;
    options.iter().try_for_each(|option| check_option(option))?;
    put(request, owner, &Wanted { servers, search, options })
}

#[cfg(test)]
mod tests {
    use super::super::Resolver;
    use super::*;

    fn declared(arguments: Value) -> Vec<RecordedAction> {
        let mut recorder = Recorder::<Resolver>::on("debian 12");
        recorder.call("configure", arguments).unwrap();
        recorder.actions()
    }

    #[test]
    fn a_file_has_servers_domains_and_options() {
        let actions = declared(json!({"name_servers": ["192.0.2.53", "2001:db8::53"],
            "search": ["example.com", "b.example"], "options": ["ndots:2", "rotate"],
            "owner": "file"}));
        assert_eq!(
            actions[0].arguments["content"],
            "# written by pallet\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n\
             search example.com b.example\noptions ndots:2 rotate\n"
        );
        assert_eq!(actions[0].subject, "/etc/resolv.conf");
    }

    #[test]
    fn resolved_is_told_in_its_own_words() {
        let actions = declared(json!({"name_servers": ["192.0.2.53"], "search": ["a.example"],
            "owner": "systemd_resolved"}));
        assert_eq!(
            actions[1].arguments["content"],
            "# written by pallet\n[Resolve]\nDNS=\nDNS=192.0.2.53\nDomains=\n\
             Domains=a.example ~.\n"
        );
    }

    #[test]
    fn nodes_of_a_group_are_servers() {
        let actions = declared(json!({"group": "group", "owner": "file"}));
        let content = actions[0].arguments["content"].as_str().unwrap();
        assert!(content.contains("nameserver 192.0.2.1\n"), "{content}");
    }

    #[test]
    fn netconfig_is_told_in_its_own_words() {
        let actions = declared(json!({"name_servers": ["192.0.2.53", "192.0.2.54"]}));
        let lines: Vec<_> = actions
            .iter()
            .filter(|one| one.arguments["path"] == "/etc/sysconfig/network/config")
            .map(|one| one.arguments["line"].as_str().unwrap())
            .collect();
        assert_eq!(lines[0], "NETCONFIG_DNS_POLICY=\"STATIC\"");
        assert_eq!(lines[1], "NETCONFIG_DNS_STATIC_SERVERS=\"192.0.2.53 192.0.2.54\"");
    }

    #[test]
    fn an_owner_that_a_system_does_not_have_is_refused() {
        for (system, owner) in [("alpine 3.20", "systemd_resolved"), ("arch", "resolvconf")] {
            let error = Recorder::<Resolver>::on(system)
                .call("configure", json!({"name_servers": ["192.0.2.1"], "owner": owner}))
                .unwrap_err();
            assert!(error.to_string().contains("does not have"), "{error}");
        }
    }

    #[test]
    fn what_is_no_resolver_is_refused() {
        let one = json!(["192.0.2.1"]);
        for (arguments, said) in [
            (json!({}), "there is no name server"),
            (json!({"group": "dns"}), "there is no name server"),
            (json!({"name_servers": ["dns.example"]}), "is no address"),
            (json!({"name_servers": ["192.0.2.1\nsearch x"]}), "is no address"),
            (json!({"name_servers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]}), "uses 3"),
            (json!({"name_servers": one, "search": ["a b"]}), "is no domain"),
            (json!({"name_servers": one, "options": ["ndots:99"]}), "ndots"),
            (json!({"name_servers": one, "options": ["fast"]}), "is no option"),
        ] {
            let error =
                Recorder::<Resolver>::on("debian 12").call("configure", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
