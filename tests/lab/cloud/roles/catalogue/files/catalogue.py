# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""catalogue.py WANTED.json [CLOUD]: makes what is missing in the cloud, and prints what it made.

CLOUD is the command that waits for services. Without it, only what is in Keystone is made.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import openstack

Wanted = dict[str, t.Any]


def identity(wanted: Wanted) -> None:
    """Projects, users, roles, endpoints."""
    identity_api = openstack.connect(cloud="lab-admin").identity
    roles = {role.name: role for role in identity_api.roles()}
    users = {user.name: user for user in identity_api.users()}
    projects = {project.name: project for project in identity_api.projects()}
    for user in wanted["users"]:
        name, project = user["name"], user["project"]
        if project not in projects:
            projects[project] = identity_api.create_project(name=project, domain_id="default")
        if name not in users:
            users[name] = identity_api.create_user(name=name, password=wanted["password"], domain_id="default")
            print(f"user {name}")
        for role in user["roles"]:
            if role not in roles:
                roles[role] = identity_api.create_role(name=role)
            identity_api.assign_project_role_to_user(projects[project], users[name], roles[role])
    services = {service.type: service for service in identity_api.services()}
    for endpoint in wanted["endpoints"]:
        if endpoint["type"] not in services:
            service = identity_api.create_service(type=endpoint["type"], name=endpoint["name"])
            services[service.type] = service
        service = services[endpoint["type"]]
        if not list(identity_api.endpoints(service_id=service.id)):
            identity_api.create_endpoint(
                service_id=service.id, interface="public", url=endpoint["url"], region_id="RegionOne"
            )
            print(f"endpoint {endpoint['url']}")


def compute(wanted: Wanted) -> None:
    """Flavors, images, the member's key; then both hosts have to be in use."""
    cloud = openstack.connect(cloud="lab-admin")
    for flavor in wanted["flavors"]:
        if not cloud.compute.find_flavor(flavor["name"]):
            made = cloud.compute.create_flavor(name=flavor["name"], ram=flavor["ram"], disk=flavor["disk"], vcpus=1)
            cloud.compute.create_flavor_extra_specs(made, {f"trait:{flavor['trait']}": "required"})
            print(f"flavor {flavor['name']}")
    member = openstack.connect(cloud="lab")
    if not member.compute.find_keypair("lab"):
        public_key = pathlib.Path(wanted["key"]).read_text(encoding="ascii").strip()
        member.compute.create_keypair(name="lab", public_key=public_key)
        print("keypair lab")
    with open(wanted["blank"], "wb") as blank:
        blank.truncate(1 << 20)
    there = {image.name: image for image in cloud.image.images()}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda image: upload(cloud, image, wanted, there.get(image["name"])), wanted["images"]))
    wait_for_hosts(cloud, set(wanted["hosts"]))


def upload(cloud: t.Any, image: Wanted, wanted: Wanted, old: t.Any) -> None:
    """One image, unless the same is there."""
    path = wanted["files"][image["file"]] if image["file"] else wanted["blank"]
    # By its place: a directory of the cache is named by what it was made from.
    source = hashlib.sha256(f"{path} {image['properties']}".encode()).hexdigest()
    if old is not None:
        if old.status == "active" and old.properties.get("lab_source") == source:
            return
        cloud.image.delete_image(old)
    cloud.create_image(
        image["name"],
        filename=path,
        disk_format="qcow2" if image["file"] else "raw",
        container_format="bare",
        visibility="public",
        validate_checksum=False,
        wait=True,
        allow_duplicates=True,
        meta={**image["properties"], "lab_source": source},
    )
    print(f"image {image['name']}")


def wait_for_hosts(cloud: t.Any, hosts: set[str], timeout: float = 90) -> None:
    """Until each compute service is up, mapped to its cell, and known to Placement with its trait."""
    deadline = time.monotonic() + timeout
    while True:
        # Without details: for those Nova would ask each host, and wait a minute for one that is down.
        up = [host.name for host in cloud.compute.hypervisors(details=False) if host.state == "up"]
        traits = sum(name.startswith("CUSTOM_OPENRESCUE_") for name in all_traits(cloud))
        if min(len(up), traits) >= len(hosts):
            return
        if time.monotonic() > deadline:
            sys.exit(f"of the hosts {sorted(hosts)} only {sorted(up)} are up, with {traits} traits")
        time.sleep(0.5)


def all_traits(cloud: t.Any) -> list[str]:
    """The traits of all resource providers."""
    found: list[str] = []
    for provider in cloud.placement.resource_providers():
        answer = cloud.placement.get(f"/resource_providers/{provider.id}/traits", microversion="1.6")
        found += answer.json()["traits"]
    return found


def main() -> None:
    """Each step as soon as the services that it needs are ready."""
    wanted = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    if len(sys.argv) == 2:
        identity(wanted)
        return
    cloud_command = sys.argv[2]
    # Here too: a cloud that runs may have been made from an older list.
    subprocess.run([cloud_command, "wait", "identity"], check=True)
    identity(wanted)
    apis = ("glance", "neutron", "placement", "nova-api", "nova-scheduler", "cinder-api")
    subprocess.run([cloud_command, "wait", *apis], check=True)
    compute(wanted)


if __name__ == "__main__":
    main()
