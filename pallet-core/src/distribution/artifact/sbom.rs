//! The SBOM of a library: CycloneDX 1.6 as JSON, from `cargo metadata` and Cargo.lock.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The SBOM of the package whose manifest is at `manifest_path`, from `cargo metadata` for one
/// target. `checksums` comes from Cargo.lock, by package name and version. Packages that only tests
/// or builds need are omitted. `None` if the package is not in the metadata.
pub fn sbom(
    metadata: &Value,
    manifest_path: &str,
    checksums: &BTreeMap<(String, String), String>,
) -> Option<Vec<u8>> {
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let (root, package) =
        packages.iter().find(|(_, package)| package["manifest_path"] == manifest_path)?;
    let mut linked = BTreeSet::new();
    let mut next = vec![*root];
    while let Some(id) = next.pop() {
        if linked.insert(id) {
            next.extend(nodes.get(id).into_iter().flat_map(|node| linked_by(node)));
        }
    }
    let purl = |id: &str| packages.get(id).map(|package| purl(package)).unwrap_or_default();
    let mut components: Vec<Value> = linked
        .iter()
        .filter(|id| *id != root)
        .filter_map(|id| packages.get(id))
        .map(|package| component(package, "library", checksums))
        .collect();
    components
        .sort_by_key(|component| component["bom-ref"].as_str().unwrap_or_default().to_owned());
    let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in &linked {
        let on = nodes.get(id).into_iter().flat_map(|node| linked_by(node)).map(purl).collect();
        dependencies.insert(purl(id), on);
    }
    let dependencies: Vec<Value> =
        dependencies.into_iter().map(|(of, on)| json!({ "ref": of, "dependsOn": on })).collect();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": component(package, "library", checksums) },
        "components": components,
        "dependencies": dependencies,
    });
    serde_json::to_vec_pretty(&bom).ok()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The packages that this one links.
fn linked_by(node: &Value) -> impl Iterator<Item = &str> {
    let normal = |dependency: &&Value| {
        list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
    };
    list(&node["deps"]).iter().filter(normal).filter_map(|dependency| dependency["pkg"].as_str())
}

fn purl(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", text("name"), text("version").replace('+', "%2B"))
}

fn component(package: &Value, kind: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let purl = purl(package);
    let mut component = json!({
        "type": kind, "bom-ref": purl, "name": text("name"), "version": text("version"),
        "purl": purl,
    });
    if !text("license").is_empty() {
        // cargo's older syntax for a choice
        component["licenses"] = json!([{ "expression": text("license").replace('/', " OR ") }]);
    }
    if let Some(checksum) = checksums.get(&(text("name").to_owned(), text("version").to_owned())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if !text("repository").is_empty() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": text("repository") }]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_what_is_linked_and_nothing_else() {
        let package = |name: &str, license: &str| {
            json!({
                "id": name, "name": name, "version": "1.0.0+x", "license": license,
                "manifest_path": format!("/w/{name}/Cargo.toml"),
            })
        };
        let on = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("a", "MIT"), package("b", "MIT/Apache-2.0"), package("c", ""),
                package("t", ""), package("g", ""),
            ],
            "resolve": { "nodes": [
                {
                    "id": "a",
                    "deps": [on("b", Value::Null), on("t", json!("dev")), on("g", json!("build"))],
                },
                {
                    "id": "b", "deps": [on("c", Value::Null)],
                }, { "id": "c", "deps": [] }, { "id": "t", "deps": [] }, { "id": "g", "deps": [] },
            ] },
        });
        let checksums = [(("b".to_owned(), "1.0.0+x".to_owned()), "00ff".to_owned())].into();
        let bom = sbom(&metadata, "/w/a/Cargo.toml", &checksums).unwrap();
        assert_eq!(Some(&bom), sbom(&metadata, "/w/a/Cargo.toml", &checksums).as_ref());
        let bom: Value = serde_json::from_slice(&bom).unwrap();
        let names: Vec<&str> = list(&bom["components"])
            .iter()
            .filter_map(|component| component["name"].as_str())
            .collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(bom["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(bom["components"][0]["hashes"][0]["content"], "00ff");
        assert_eq!(bom["metadata"]["component"]["purl"], "pkg:cargo/a@1.0.0%2Bx");
        assert_eq!(
            bom["dependencies"][0],
            json!({ "ref": "pkg:cargo/a@1.0.0%2Bx", "dependsOn": ["pkg:cargo/b@1.0.0%2Bx"] })
        );
        assert_eq!(sbom(&metadata, "/w/z/Cargo.toml", &checksums), None);
    }
}
