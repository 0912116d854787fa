"""ec2-instances.py ENDPOINT BED_SH BED_RUN IMAGE   gives every instance of moto a node of the bed, and plays cloud-init on it.

A node lets in whom the instance's user data names, has the host key that it brings, and its host name: what a real instance's first boot would
do with the same user data. A stopped instance's node loses its power, a terminated one's goes.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import time

import boto3
import botocore.exceptions

endpoint, bed, run, image = sys.argv[1:]
ec2 = boto3.client("ec2", endpoint_url=endpoint)


def network():
    """A subnet whose addresses are of the bed's network."""
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.9.0/24")["Subnet"]["SubnetId"]


def write(path, text, mode, like=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    if like:
        owner = os.stat(like)
        for each in (path, os.path.dirname(path)):
            os.chown(each, owner.st_uid, owner.st_gid)
        os.chmod(os.path.dirname(path), 0o700)


def user_data(instance):
    """What the instance is told, if it is told anything."""
    answer = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    text = base64.b64decode(answer["UserData"].get("Value", "")).decode()
    return json.loads(text.removeprefix("#cloud-config\n")) if text else None


def seed(config, directory):
    """The files that the first boot would write."""
    shutil.rmtree(directory, ignore_errors=True)
    keys = "".join(key + "\n" for key in config["ssh_authorized_keys"])
    for user in ("root", "home/admin", "home/operator", "home/plain"):
        # the image's own user is `admin`; the key of the bed opens nothing here
        allowed = keys if user == "home/admin" else ""
        write(f"{directory}/{user}/.ssh/authorized_keys", allowed, 0o600, like=f"{image}/root/{user}")
        shutil.copystat(f"{image}/root/{user}", f"{directory}/{user}")
        owner = os.stat(f"{image}/root/{user}")
        os.chown(f"{directory}/{user}", owner.st_uid, owner.st_gid)
    write(f"{directory}/etc/ssh/ssh_host_ed25519_key", config["ssh_keys"]["ed25519_private"], 0o600)
    write(f"{directory}/etc/ssh/ssh_host_ed25519_key.pub", config["ssh_keys"]["ed25519_public"] + "\n", 0o644)
    write(f"{directory}/etc/hostname", config["hostname"] + "\n", 0o644)
    write(f"{directory}/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {config['hostname']}\n", 0o644)


def main():
    while True:
        try:
            subnet = network()
            break
        except botocore.exceptions.EndpointConnectionError:
            time.sleep(0.1)
    print("ready", subnet, sys.executable, flush=True)
    nodes, free = {}, iter(range(200, 250))
    while True:
        reservations = ec2.describe_instances()["Reservations"]
        instances = [instance for reservation in reservations for instance in reservation["Instances"]]
        for instance in instances:
            name, state = instance["InstanceId"], instance["State"]["Name"]
            node, was = nodes.get(name, (None, None))
            if state == was:
                continue
            if state in ("pending", "running") and node is None:
                config = user_data(instance)
                if config is None:
                    nodes[name] = (None, state)
                    continue
                node, directory = str(next(free)), f"{run}/seed"
                seed(config, directory)
                call = [bed, "up", "1", "--from", node, "--address", instance["PrivateIpAddress"], "--seed", directory]
                subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
            elif state == "running" and was == "stopped" and node is not None:
                subprocess.run([bed, "start", node], check=True, stdout=subprocess.DEVNULL)
            elif state == "stopped" and node is not None:
                subprocess.run([bed, "kill", node], check=True, stdout=subprocess.DEVNULL)
            elif state == "terminated" and node is not None:
                subprocess.run([bed, "down", node], check=True, stdout=subprocess.DEVNULL)
            nodes[name] = (node, state)
        time.sleep(0.2)


main()
