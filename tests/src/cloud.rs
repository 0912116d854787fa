//! A cloud with EC2's interface, whose instances are nodes of a bed.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{Bed, Process};

/// The API at a loopback address of the bed's network, and a node with real sshd for each instance.
/// Dropping it ends it.
#[derive(Debug)]
pub struct Cloud {
    child: Child,
    port: u16,
    subnet: String,
    python: String,
}

impl Cloud {
    /// Starts it on a bed. The first use installs its dependencies.
    pub fn on(bed: &Bed) -> Self {
        // the bed has a network of its own, so a port that is free here is free there
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bed/ec2.sh");
        let name = bed.network().file_name().unwrap().to_owned();
        let mut command = Command::new(script);
        command.arg(name).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the cloud starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let [ready, subnet, python] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("the cloud does not start: {line:?}")
        };
        assert_eq!(ready, "ready");
        Cloud { child, port, subnet: subnet.to_owned(), python: python.to_owned() }
    }

    /// The URL of its API.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The subnet with the bed's addresses.
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    /// The cloud's answer to a call by the test itself: a method of boto3's client, and its
    /// arguments.
    #[track_caller]
    pub fn ask(&self, bed: &Bed, method: &str, arguments: Value) -> Value {
        let mut words = bed.prefix();
        let endpoint = self.endpoint();
        words.extend(
            [self.python.as_str(), "-c", ASK, &endpoint, method, &arguments.to_string()]
                .map(str::to_owned),
        );
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]);
        let output = Process::start(command, Duration::from_secs(60)).wait().exits(0);
        serde_json::from_str(&output.stdout).unwrap()
    }
}

const ASK: &str = r#"
import boto3, json, sys
endpoint, method, arguments = sys.argv[1:]
client = boto3.client("ec2", endpoint_url=endpoint, region_name="eu-west-1")
print(json.dumps(getattr(client, method)(**json.loads(arguments)), default=str))
"#;

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
