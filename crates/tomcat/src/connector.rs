//! Connectors: the ports that Tomcat listens on.

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use super::element::Element;
use super::program::part;
use super::system::Place;

parameters! {
    /// Ensures a connector: a port that Tomcat listens on, with or without TLS.
    ///
    /// The first one replaces `server.xml` by a file of Pallet, which has all declared connectors
    /// and no other. Tomcat itself checks the file (`configtest`, with the keystores) before it is
    /// put in place. Call `tomcat.service` last, which restarts Tomcat if something changed.
    ///
    /// Example: `tomcat.connector(request, "http", port = 8080, address = "127.0.0.1")`
    ///
    /// Example: `tomcat.connector(request, "https", port = 8443, keystore = "/etc/tomcat10/shop.p12", keystore_password = secret("keystore"))`
    pub(crate) struct Connector {
        /// Name of the connector in the project.
        name: String,
        /// TCP port.
        #[serde(default = "default_port")]
        port: u16,
        /// Address to listen on. Default: all, or `127.0.0.1` for `ajp`.
        #[serde(default)]
        address: Option<String>,
        /// Protocol: `http` or `ajp`.
        #[serde(default)]
        protocol: Protocol,
        /// Absolute path of a keystore on the node, which makes it a TLS connector.
        #[serde(default)]
        keystore: Option<String>,
        /// Password of the keystore. Pass it as a secret.
        #[serde(default)]
        keystore_password: Option<String>,
        /// Alias of the certificate in the keystore. Default: the first one.
        #[serde(default)]
        alias: Option<String>,
        /// Versions of TLS.
        #[serde(default = "tls")]
        tls_protocols: String,
        /// Also speak HTTP/2.
        #[serde(default)]
        http2: bool,
        /// Further attributes, such as `{"maxThreads": "300", "scheme": "https"}`. May hold
        /// secrets.
        #[serde(default)]
        attributes: BTreeMap<String, String>,
        /// Instance. Default: that of the package.
        #[serde(default)]
        instance: Option<String>,
        /// Whether there is the connector: `present` or `absent`.
        #[serde(default)]
        action: Presence,
    }
}

/// What a connector speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Protocol {
    /// HTTP.
    #[default]
    Http,
    /// The protocol of Apache's `mod_proxy_ajp`.
    Ajp,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Presence {
    /// It is there.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn default_port() -> u16 {
    8080
}

fn tls() -> String {
    "TLSv1.2+TLSv1.3".to_owned()
}

pub(crate) fn connector(request: &mut Request, connector: Connector) -> Result<()> {
    check_file_name("a connector", &connector.name)?;
    let place = Place::of(request, connector.instance.as_deref())?;
    let element = match connector.action {
        Presence::Present => Some(element(&connector)?),
        Presence::Absent => None,
    };
    let what = ("connectors", connector.name.as_str());
    part(request, &place, what, element.as_ref(), place.changed())
}

fn element(connector: &Connector) -> Result<Element> {
    let Connector { name, .. } = connector;
    ensure!(connector.port > 0, "connector {name}: the port must not be 0");
    let ajp = connector.protocol == Protocol::Ajp;
    let mut out = Element::new("Connector")
        .attribute("port", connector.port.to_string())
        .attribute("protocol", if ajp { "AJP/1.3" } else { "HTTP/1.1" });
    if let Some(address) = connector.address.as_deref().or(ajp.then_some("127.0.0.1")) {
        let known = address.parse::<std::net::IpAddr>();
        ensure!(known.is_ok(), "connector {name}: {address:?} is not an address");
        out = out.attribute("address", address);
    }
    if !ajp {
        out = out.attribute("connectionTimeout", "20000");
    }
    if connector.keystore.is_some() {
        out = out.attribute("SSLEnabled", "true").attribute("scheme", "https");
        out = out.attribute("secure", "true");
    }
    let mut out = out.attributes(&connector.attributes);
    if connector.http2 {
        ensure!(!ajp, "connector {name}: http2 is for http");
        let class = "org.apache.coyote.http2.Http2Protocol";
        out = out.child(Element::new("UpgradeProtocol").attribute("className", class));
    }
    let Some(keystore) = &connector.keystore else {
        ensure!(
            connector.keystore_password.is_none() && connector.alias.is_none(),
            "connector {name}: keystore_password and alias are for a keystore"
        );
        return Ok(out);
    };
    ensure!(!ajp, "connector {name}: ajp has no TLS");
    ensure!(keystore.starts_with('/'), "the keystore {keystore:?} must be an absolute path");
    let password = connector.keystore_password.as_ref();
    let password = password.with_context(|| format!("connector {name}: give keystore_password"))?;
    let mut certificate = Element::new("Certificate")
        .attribute("certificateKeystoreFile", keystore)
        .attribute("certificateKeystoreType", "PKCS12")
        .attribute("certificateKeystorePassword", password);
    if let Some(alias) = &connector.alias {
        certificate = certificate.attribute("certificateKeyAlias", alias);
    }
    let host = Element::new("SSLHostConfig").attribute("protocols", &connector.tls_protocols);
    Ok(out.child(host.child(certificate)))
}

#[cfg(test)]
mod tests {
    use super::super::Tomcat;
    use super::*;

    fn recorded(arguments: Value) -> Result<Recorder<Tomcat>, String> {
        let mut recorder = Recorder::<Tomcat>::on("debian 12");
        recorder.call("connector", arguments).map_err(|error| error.to_string())?;
        Ok(recorder)
    }

    #[test]
    fn a_connector_is_a_part_of_server_xml() {
        let recorder = recorded(json!({
            "name": "https", "port": 8443, "http2": true, "keystore": "/etc/tomcat10/a.p12",
            "keystore_password": "⟦secret:store⟧", "attributes": {"scheme": "http"}
        }))
        .unwrap();
        let actions = recorder.actions();
        let part = "/etc/tomcat10/pallet/connectors/https";
        let file = actions.iter().find(|action| action.subject == part).unwrap();
        assert_eq!(file.arguments["mode"], "0600");
        assert_eq!(
            file.arguments["content"],
            "<Connector\nport 8443\nprotocol HTTP/1.1\nconnectionTimeout 20000\n\
             SSLEnabled true\nsecure true\nscheme http\n<UpgradeProtocol\n\
             className org.apache.coyote.http2.Http2Protocol\n>\n<SSLHostConfig\n\
             protocols TLSv1.2+TLSv1.3\n<Certificate\n\
             certificateKeystoreFile /etc/tomcat10/a.p12\ncertificateKeystoreType PKCS12\n\
             certificateKeystorePassword ⟦secret:store⟧\n>\n>\n>\n"
        );
        let render = actions.last().unwrap();
        let program = "sh /usr/local/lib/pallet/tomcat";
        let script = format!("{program} render tomcat10 tomcat10 connectors");
        assert_eq!(render.arguments["script"], script);
        let flag = render.options.flag_on_change.as_deref();
        assert_eq!(flag, Some("tomcat10-configuration"));
    }

    #[test]
    fn another_instance_is_somewhere_else() {
        let recorder = recorded(json!({"name": "a", "instance": "shop"})).unwrap();
        let declared = recorder.declared();
        let part = "remote_file /etc/tomcat10-shop/pallet/connectors/a".to_owned();
        assert!(declared.contains(&part), "{declared:?}");
    }

    #[test]
    fn bad_arguments_are_refused() {
        for (arguments, said) in [
            (json!({"name": "../a"}), "cannot name a connector"),
            (json!({"name": "a", "port": 0}), "must not be 0"),
            (json!({"name": "a", "address": "x\" y=\""}), "is not an address"),
            (json!({"name": "a", "keystore": "/a"}), "give keystore_password"),
            (json!({"name": "a", "keystore_password": "x"}), "are for a keystore"),
            (json!({"name": "a", "protocol": "ajp", "http2": true}), "is for http"),
            (json!({"name": "a", "attributes": {"a b": "c"}}), "is not a name"),
            (json!({"name": "a", "attributes": {"a": "c\n<B"}}), "must be one line"),
            (json!({"name": "a", "instance": "a/b"}), "cannot name an instance"),
        ] {
            let error = recorded(arguments.clone()).map(|_| ()).unwrap_err();
            assert!(error.contains(said), "{arguments}: {error}");
        }
    }
}
