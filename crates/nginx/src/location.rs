//! A part of a site that is not a file: passed on, redirected, another directory, limited.

use std::collections::BTreeMap;
use std::fmt::Write;

use pallet_core::prelude::*;

use super::access::{Access, access};
use super::file::{Part, Presence, check_name, yes};
use super::names::names;
use super::proxy::forwarded;
use super::server_block::{headers_file, locations};
use super::servers;
use super::syntax::{expression, header, path, plain, size, with_variables, word};

parameters! {
    /// Says what a site or a proxy does for some paths.
    ///
    /// Give at most one of `proxy`, `alias`, `root` and `to`; without one, the site's files are
    /// served, with the headers, limits and rules of this location. Declare the site first.
    ///
    /// Example: `nginx.location(request, "shop", "/api/", proxy = "http://app")`
    ///
    /// Example: `nginx.location(request, "shop", "/old", to = "/new", status = 301)`
    pub(crate) struct Location {
        /// The site or the proxy.
        site: String,
        /// The path, or an expression that it must match.
        path: String,
        /// How a request's path is compared with it.
        #[serde(rename = "match", default)]
        matching: Matching,
        /// Names the file of the location; of several with `regex`, the first by name wins.
        /// Default: made of the path.
        #[serde(default)]
        name: Option<String>,
        /// URL to pass requests on to, such as that of a `nginx.upstream`: `http://app`.
        #[serde(default)]
        proxy: Option<String>,
        /// Let clients switch to WebSocket, with `proxy`.
        #[serde(default)]
        websocket: bool,
        /// Number of seconds that the server may be silent, with `proxy`. Default: 60.
        #[serde(default)]
        timeout: Option<u32>,
        /// Headers to send to the server, with `proxy`, in addition to `Host`, `X-Forwarded-For`
        /// and `X-Forwarded-Proto`. Variables such as `$remote_addr` may stand in them.
        #[serde(default)]
        proxy_headers: BTreeMap<String, String>,
        /// Directory whose files are served in place of the path.
        #[serde(default)]
        alias: Option<String>,
        /// Directory whose files are served below the path.
        #[serde(default)]
        root: Option<String>,
        /// URL or path to send clients to; with another `status` than a redirect's, the text of the
        /// answer. Variables such as `$request_uri` may stand in it.
        #[serde(default)]
        to: Option<String>,
        /// Status to answer with. Default: 302 with `to`.
        #[serde(default)]
        status: Option<u16>,
        /// Headers to add to every answer, in addition to those of the site.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Largest body of a request: `10m`; `0` is any.
        #[serde(default)]
        max_body: Option<String>,
        /// Number of requests per second that one address may make. Others are answered with 429.
        #[serde(default)]
        rate: Option<u32>,
        /// Number of requests beyond `rate` that are answered at once. Default: 10.
        #[serde(default = "default_burst")]
        burst: u32,
        /// Let in only the users of this list, as `nginx.basic_auth` names it.
        #[serde(default)]
        basic_auth: Option<String>,
        /// Addresses and networks to let in. Others are then refused.
        #[serde(default)]
        allow: Vec<String>,
        /// Addresses and networks to refuse.
        #[serde(default)]
        deny: Vec<String>,
        /// Whether there is a location.
        #[serde(default)]
        action: Presence,
        /// Reload nginx now if something changed. Otherwise `nginx.service` does.
        #[serde(default = "yes")]
        reload: bool,
    }
}

/// How a path is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "lowercase")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Matching {
    /// It begins so.
    #[default]
    Prefix,
    /// It begins so, and no expression is tried.
    Preferred,
    /// It is that.
    Exact,
    /// It matches the expression.
    Regex,
    /// It matches the expression, whatever the case of letters.
    Iregex,
}

fn default_burst() -> u32 {
    10
}

pub(crate) fn location(request: &mut Request, wanted: Location) -> Result<()> {
    let Location { site, .. } = &wanted;
    check_name(site)?;
    check(&wanted)?;
    let name = match &wanted.name {
        Some(name) => name.clone(),
        None => file_name(&wanted.path),
    };
    check_file_name("a location", &name)?;
    let http = names(request)?.http;
    let directory = locations(site);
    let file = format!("{directory}/{name}.conf");
    // one zone for each location
    let zone = format!("{site}_{name}");
    let zone_file = format!("{http}/pallet-rate-{zone}.conf");
    let websocket_file = format!("{http}/pallet-websocket.conf");
    let part = Part::of(&format!("{site}-{name}"), wanted.reload);
    if wanted.action == Presence::Absent {
        part.remove(request, &file)?;
        part.remove(request, &zone_file)?;
        return part.end(request);
    }
    let content = render(&wanted, &zone)?;
    part.begin(request)?;
    if wanted.proxy.is_some() {
        servers::let_connect(request)?;
    }
    request.add(Directory::at(&directory))?;
    if wanted.websocket {
        let map = "# written by pallet\nmap $http_upgrade $pallet_connection {\n    \
                   default upgrade;\n    '' '';\n}\n";
        part.write(request, &websocket_file, map.to_owned())?;
    }
    if let Some(rate) = wanted.rate {
        let text = format!(
            "# written by pallet\nlimit_req_zone $binary_remote_addr zone={zone}:10m \
             rate={rate}r/s;\n"
        );
        part.write(request, &zone_file, text)?;
    }
    part.write(request, &file, content)?;
    if wanted.rate.is_none() {
        part.remove(request, &zone_file)?;
    }
    part.end(request)
}

fn check(wanted: &Location) -> Result<()> {
    let Location { path: of, proxy, alias, root, to, status, .. } = wanted;
    match wanted.matching {
        Matching::Regex | Matching::Iregex => expression("path", of)?,
        _ => {
            path("path", of)?;
            word("path", of)?;
        }
    }
    let given = [proxy.is_some(), alias.is_some(), root.is_some(), to.is_some()];
    ensure!(
        given.into_iter().filter(|given| *given).count() <= 1,
        "location {of}: give at most one of proxy, alias, root and to"
    );
    ensure!(
        proxy.is_some()
            || (!wanted.websocket && wanted.timeout.is_none() && wanted.proxy_headers.is_empty()),
        "location {of}: websocket, timeout and proxy_headers are only for a location with proxy"
    );
    if let Some(url) = proxy {
        ensure!(
            ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)),
            "location {of}: the proxy {url:?} must be a URL with http:// or https://"
        );
        word("proxy", &url.replace('$', ""))?;
        with_variables("proxy", url)?;
    }
    for (what, directory) in [("alias", alias), ("root", root)] {
        if let Some(directory) = directory {
            path(what, directory)?;
        }
    }
    if let Some(to) = to {
        with_variables("to", to)?;
    }
    if let Some(status) = status {
        ensure!((200..=599).contains(status), "location {of}: there is no status {status}");
        ensure!(
            proxy.is_none() && alias.is_none() && root.is_none(),
            "location {of}: a status is not for a location with proxy, alias or root"
        );
    }
    // nginx answers with `return` before it looks at any of these
    ensure!(
        (to.is_none() && status.is_none())
            || (wanted.basic_auth.is_none()
                && wanted.rate.is_none()
                && wanted.allow.is_empty()
                && wanted.deny.is_empty()),
        "location {of}: one with to or status answers everybody; omit basic_auth, rate, allow and \
         deny"
    );
    if let Some(limit) = &wanted.max_body {
        size("max_body", limit)?;
    }
    for (what, number) in [("timeout", wanted.timeout), ("rate", wanted.rate)] {
        ensure!(
            number.is_none_or(|number| (1..=86_400).contains(&number)),
            "location {of}: {what} must be 1 to 86400"
        );
    }
    ensure!(wanted.burst <= 10_000, "location {of}: burst must be at most 10000");
    for (name, value) in &wanted.proxy_headers {
        header(name)?;
        with_variables(&format!("header {name}"), value)?;
    }
    wanted.headers.iter().try_for_each(|(name, value)| {
        header(name)?;
        plain(&format!("header {name}"), value)
    })
}

/// The name of a file for a path, another one for each.
fn file_name(path: &str) -> String {
    let mut name = String::from("at");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' => name.push(char::from(byte)),
            b'/' => name.push('-'),
            other => name.push_str(&format!("_{other:02x}")),
        }
    }
    name
}

fn render(wanted: &Location, zone: &str) -> Result<String> {
    let Location { path, status, .. } = wanted;
    let of = match wanted.matching {
        Matching::Prefix => format!("\"{path}\""),
        Matching::Preferred => format!("^~ \"{path}\""),
        Matching::Exact => format!("= \"{path}\""),
        Matching::Regex => format!("~ \"{path}\""),
        Matching::Iregex => format!("~* \"{path}\""),
    };
    let mut out = format!("# written by pallet\nlocation {of} {{\n");
    let rules = Access {
        basic_auth: wanted.basic_auth.as_deref(),
        allow: &wanted.allow,
        deny: &wanted.deny,
    };
    out.push_str(&access(&wanted.site, &rules, "    ")?);
    if let Some(limit) = &wanted.max_body {
        writeln!(out, "    client_max_body_size {limit};")?;
    }
    if wanted.rate.is_some() {
        let burst = match wanted.burst {
            0 => String::new(),
            number => format!(" burst={number} nodelay"),
        };
        writeln!(out, "    limit_req zone={zone}{burst};\n    limit_req_status 429;")?;
    }
    if !wanted.headers.is_empty() {
        // a location with headers of its own has only these; this is the file, if there is one
        let file = headers_file(&wanted.site);
        writeln!(out, "    include {}[s];", file.trim_end_matches('s'))?;
        for (name, value) in &wanted.headers {
            writeln!(out, "    add_header {name} \"{value}\" always;")?;
        }
    }
    if let Some(directory) = &wanted.alias {
        writeln!(out, "    alias \"{directory}\";")?;
    }
    if let Some(directory) = &wanted.root {
        writeln!(out, "    root \"{directory}\";")?;
    }
    if let Some(url) = &wanted.proxy {
        writeln!(out, "    proxy_pass {url};")?;
        out.push_str(&forwarded("    ")?);
        // for connections that are kept, and for WebSocket
        out.push_str("    proxy_http_version 1.1;\n");
        if wanted.websocket {
            out.push_str("    proxy_set_header Upgrade $http_upgrade;\n");
            out.push_str("    proxy_set_header Connection $pallet_connection;\n");
        } else {
            out.push_str("    proxy_set_header Connection \"\";\n");
        }
        for (name, value) in &wanted.proxy_headers {
            writeln!(out, "    proxy_set_header {name} \"{value}\";")?;
        }
        if let Some(seconds) = wanted.timeout {
            writeln!(
                out,
                "    proxy_read_timeout {seconds}s;\n    proxy_send_timeout {seconds}s;"
            )?;
        }
    }
    match (&wanted.to, status) {
        (Some(to), status) => writeln!(out, "    return {} \"{to}\";", status.unwrap_or(302))?,
        (None, Some(status)) => writeln!(out, "    return {status};")?,
        (None, None) => {}
    }
    out.push_str("}\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::Nginx;
    use super::*;

    fn content(arguments: Value) -> String {
        let mut recorder = Recorder::<Nginx>::on("debian 12");
        recorder.call("location", arguments).unwrap();
        let is_it = |one: &RecordedAction| one.subject.contains(".locations/");
        let found =
            recorder.actions().into_iter().filter(is_it).find(|one| one.name == "remote_file");
        found.unwrap().arguments["content"].as_str().unwrap().to_owned()
    }

    #[test]
    fn requests_are_passed_on() {
        let text = content(json!({"site": "shop", "path": "/api/", "proxy": "http://app",
            "timeout": 5, "proxy_headers": {"X-Real-IP": "$remote_addr"}, "rate": 5,
            "basic_auth": "team", "allow": ["192.0.2.0/24"]}));
        assert_eq!(
            text,
            "# written by pallet\nlocation \"/api/\" {\n    auth_basic \"shop\";\n    \
             auth_basic_user_file /etc/nginx/pallet/team.htpasswd;\n    allow 192.0.2.0/24;\n    \
             deny all;\n    limit_req zone=shop_at-api- burst=10 nodelay;\n    \
             limit_req_status 429;\n    proxy_pass http://app;\n    \
             proxy_set_header Host $host;\n    \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    \
             proxy_set_header X-Forwarded-Proto $scheme;\n    proxy_http_version 1.1;\n    \
             proxy_set_header Connection \"\";\n    \
             proxy_set_header X-Real-IP \"$remote_addr\";\n    proxy_read_timeout 5s;\n    \
             proxy_send_timeout 5s;\n}\n"
        );
    }

    #[test]
    fn clients_are_sent_elsewhere() {
        let text = content(json!({"site": "shop", "path": "/old", "match": "exact", "to": "/new"}));
        assert!(text.contains("location = \"/old\" {\n    return 302 \"/new\";\n}"), "{text}");
        let text = content(json!({"site": "shop", "path": r"\.php$", "match": "regex",
            "status": 404, "headers": {"X-A": "b"}}));
        assert!(text.contains(r#"location ~ "\.php$" {"#) && text.contains("return 404;"));
        assert!(text.contains("include /etc/nginx/pallet/shop.header[s];"), "{text}");
    }

    #[test]
    fn each_path_has_its_own_file() {
        let paths = ["/", "/a/b", "/a-b", "/a_b", "/a.b", "/a_2db"];
        let names: std::collections::BTreeSet<_> = paths.into_iter().map(file_name).collect();
        assert_eq!(names.len(), paths.len(), "{names:?}");
    }

    #[test]
    fn what_makes_no_location_is_refused() {
        for (arguments, said) in [
            (json!({"path": "api"}), "must begin with /"),
            (json!({"path": "/a b"}), "has a space"),
            (json!({"path": "/a\" {"}), "cannot stand in"),
            (json!({"path": "a\"b", "match": "regex"}), "cannot be a regular expression"),
            (json!({"path": "/", "proxy": "http://a", "alias": "/srv"}), "at most one of"),
            (json!({"path": "/", "proxy": "app"}), "must be a URL"),
            (json!({"path": "/", "proxy": "http://a; }"}), "cannot stand in"),
            (json!({"path": "/", "websocket": true}), "only for a location with proxy"),
            (json!({"path": "/", "to": "/$(a)"}), "begins no variable"),
            (json!({"path": "/", "status": 42}), "no status 42"),
            (json!({"path": "/", "allow": ["x"]}), "is no address"),
            (json!({"path": "/", "rate": 0}), "1 to 86400"),
            (json!({"path": "/", "to": "/a", "basic_auth": "team"}), "answers everybody"),
            (json!({"path": "/", "status": 204, "rate": 1}), "answers everybody"),
            (json!({"path": "/", "name": "../a"}), "cannot name a location"),
        ] {
            let mut arguments = arguments;
            arguments["site"] = json!("shop");
            let error =
                Recorder::<Nginx>::on("debian 12").call("location", &arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{arguments}: {error}");
        }
    }
}
