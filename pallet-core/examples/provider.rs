//! A provider in the program itself: nodes are directories, which commands on a node see as /srv
//! and /var/lib. As root, on Linux.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of its own")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use pallet_core::engine::{Engine, EngineConfig, GroupSpec, LiftOptions, ServerSpec};
use pallet_core::prelude::*;

/// Nodes that are subdirectories: `GROUP/NAME`.
struct Directories {
    root: PathBuf,
}

#[derive(Deserialize, JsonSchema)]
struct Options {
    /// The parent of all nodes.
    root: PathBuf,
}

impl Provider for Directories {
    const NAME: &'static str = "directories";
    const ABOUT: &'static str = "Directories of this machine";
    type Options = Options;

    fn connect(options: Options, _: ServiceContext) -> Result<Self> {
        Ok(Directories { root: options.root })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        let names = |directory: PathBuf| fs::read_dir(directory).into_iter().flatten().flatten();
        let groups =
            names(self.root.clone()).map(|group| group.file_name().to_string_lossy().into_owned());
        Ok(groups
            .flat_map(|group| {
                names(self.root.join(&group)).map(move |node| (group.clone(), node.path()))
            })
            .map(node)
            .collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let make = |name: &String| {
            let directory = self.root.join(&wanted.group).join(name);
            for part in ["srv", "lib"] {
                fs::create_dir_all(directory.join(part))?;
            }
            Ok(Created::Node(Box::new(node((wanted.group.clone(), directory)))))
        };
        wanted.names.iter().map(make).collect()
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        // the ID is the path of the directory
        ids.iter().try_for_each(|id| {
            fs::remove_dir_all(id).with_context(|| format!("cannot remove {id}"))
        })
    }
}

/// A node that is entered by a command.
fn node((group, directory): (String, PathBuf)) -> Node {
    let id = directory.display().to_string();
    let enter = "mount --bind \"$0/srv\" /srv && mount --bind \"$0/lib\" /var/lib && exec \"$@\"";
    let command = ["unshare", "--mount", "sh", "-c", enter, &id].map(str::to_owned).to_vec();
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Node { group: Some(group), ..Node::new(id, name, Connection::Exec { command }) }
}

#[tokio::main]
async fn main() -> Result<()> {
    let root = std::env::temp_dir().join(format!("pallet-directories-{}", std::process::id()));
    let service = Directories::connect(Options { root: root.clone() }, ServiceContext::default())?;
    let engine = Engine::new(EngineConfig::new("directories-example", Arc::new(service)));
    let hello = |request: &mut Request| {
        request.add(RemoteFile::content("/srv/hello", format!("I am {}\n", request.target()?.name)))
    };
    let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", hello))?];
    engine
        .converge(&groups, &LiftOptions::default(), |_| Ok(true))
        .await?
        .context("nobody agreed")?
        .check()?;
    for node in engine.nodes().await? {
        print!(
            "{}: {}",
            node.name,
            fs::read_to_string(root.join("web").join(&node.name).join("srv/hello"))?
        );
    }
    engine.down(&groups, &LiftOptions::default(), |_| Ok(true)).await?;
    println!("{} nodes are left", engine.nodes().await?.len());
    Ok(fs::remove_dir_all(root)?)
}
