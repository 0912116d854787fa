//! The data for cloud-init on a new machine: a small disk with the label CIDATA (its data source
//! NoCloud).

use std::fs::OpenOptions;
use std::io::{Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use fatfs::{FileSystem, FormatVolumeOptions, FsOptions, format_volume};
use pallet_core::prelude::*;

use crate::host_key::HostKey;

/// The size of the disk, in bytes.
const SIZE: usize = 1 << 20;

/// The data for a machine.
pub(crate) struct Seed<'a> {
    /// A new id for each machine, which makes cloud-init run.
    pub(crate) instance: &'a str,
    pub(crate) host_name: &'a str,
    /// The login user.
    pub(crate) user: &'a str,
    /// The user's keys, as lines of authorized_keys.
    pub(crate) public_keys: &'a [String],
    pub(crate) host_key: &'a HostKey,
}

impl Seed<'_> {
    /// Writes the disk. Only its owner may read it, because it contains the private host key.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let disk = self.disk().context("cannot make the disk for cloud-init")?;
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(&disk))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn disk(&self) -> Result<Vec<u8>> {
        let mut disk = vec![0; SIZE];
        format_volume(
            Cursor::new(&mut disk),
            FormatVolumeOptions::new().volume_label(*b"CIDATA     "),
        )?;
        {
            let system = FileSystem::new(Cursor::new(&mut disk), FsOptions::new())?;
            for (name, content) in
                [("meta-data", self.meta_data()), ("user-data", self.user_data())]
            {
                let mut file = system.root_dir().create_file(name)?;
                file.write_all(content.as_bytes())?;
                file.flush()?;
            }
            system.unmount()?;
        }
        Ok(disk)
    }

    // JSON is YAML, and needs no further escaping

    fn meta_data(&self) -> String {
        json!({"instance-id": self.instance, "local-hostname": self.host_name}).to_string()
    }

    fn user_data(&self) -> String {
        let mut config = json!({
            "hostname": self.host_name,
            // sudo looks up its own host name
            "manage_etc_hosts": "localhost",
            // generating locales takes longer than the rest of the boot
            "locale": false,
            "ssh_pwauth": false,
            "ssh_authorized_keys": self.public_keys,
            "ssh_deletekeys": true,
            "ssh_keys": {
                "ed25519_private": self.host_key.private, "ed25519_public": self.host_key.public,
            },
        });
        if self.user == "root" {
            config["users"] = json!([]);
            config["disable_root"] = json!(false);
        } else {
            // the image's default user, with this name
            config["users"] = json!(["default"]);
            config["user"] =
                json!({"name": self.user, "sudo": "ALL=(ALL) NOPASSWD:ALL", "lock_passwd": true});
        }
        format!("#cloud-config\n{config}\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(disk: Vec<u8>, name: &str) -> String {
        let system = FileSystem::new(Cursor::new(disk), FsOptions::new()).unwrap();
        assert_eq!(system.volume_label(), "CIDATA");
        let mut text = String::new();
        system.root_dir().open_file(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_disk_tells_cloud_init_who_it_is_and_who_may_log_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("seed");
        let host_key = HostKey::generate().unwrap();
        let keys = ["ssh-ed25519 AAAA \"it's: #a\" key\\n".to_owned(), "ssh-rsa BBBB ä".to_owned()];
        let seed = Seed {
            instance: "i-1",
            host_name: "web-1",
            user: "ops",
            public_keys: &keys,
            host_key: &host_key,
        };
        seed.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let disk = std::fs::read(&path).unwrap();
        let meta: Value = serde_json::from_str(&read(disk.clone(), "meta-data")).unwrap();
        assert_eq!(meta, json!({"instance-id": "i-1", "local-hostname": "web-1"}));
        let user = read(disk, "user-data");
        let user: Value =
            serde_json::from_str(user.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(user["ssh_authorized_keys"], json!(keys));
        assert_eq!(
            user["ssh_keys"],
            json!({"ed25519_private": host_key.private, "ed25519_public": host_key.public})
        );
        assert_eq!((&user["user"]["name"], &user["users"]), (&json!("ops"), &json!(["default"])));
        assert_eq!(user.get("disable_root"), None);
    }

    #[test]
    fn root_needs_no_other_user() {
        let host_key = HostKey::generate().unwrap();
        let seed = Seed {
            instance: "i-1",
            host_name: "web-1",
            user: "root",
            public_keys: &[],
            host_key: &host_key,
        };
        let user: Value =
            serde_json::from_str(seed.user_data().strip_prefix("#cloud-config\n").unwrap())
                .unwrap();
        assert_eq!(
            (&user["users"], &user["disable_root"], user.get("user")),
            (&json!([]), &json!(false), None)
        );
    }
}
