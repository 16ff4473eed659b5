# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tempest_rescue.py DIRECTORY REGEX [EXCLUDED_REGEX]: runs real tempest on the cloud, prints its results as JSON.

Run by the Python that tempest is installed in, with OS_CLIENT_CONFIG_FILE set. DIRECTORY is tempest's own.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import pathlib
import subprocess
import sys
import typing as t

import openstack
import subunit
import testtools


def configuration(cloud: t.Any) -> dict[str, dict[str, t.Any]]:
    """tempest.conf for servers that have no system: they halt in their firmware, and give back a disk at once."""
    auth = cloud.config.auth
    image = cloud.image.find_image("blank-scsi", ignore_missing=False).id
    other = cloud.image.find_image("blank-quick", ignore_missing=False).id
    flavor = cloud.compute.find_flavor("blank", ignore_missing=False).id
    return {
        "auth": {
            "admin_username": auth["username"],
            "admin_password": auth["password"],
            "admin_project_name": auth["project_name"],
            "admin_domain_name": "Default",
            "create_isolated_networks": False,
        },
        "identity": {"uri_v3": auth["auth_url"], "auth_version": "v3", "region": "RegionOne"},
        "service_available": {"nova": True, "glance": True, "cinder": True, "neutron": True, "swift": False},
        "compute": {
            "image_ref": image,
            "image_ref_alt": other,
            "flavor_ref": flavor,
            "flavor_ref_alt": flavor,
            "max_microversion": "latest",
            "build_interval": 1,
        },
        "compute-feature-enabled": {"rescue": True, "stable_rescue": True, "pause": True},
        # Nobody answers there.
        "validation": {"run_validation": False},
        "volume": {"catalog_type": "volumev3", "volume_size": 1, "build_interval": 1},
        "image": {"build_interval": 1},
        "network-feature-enabled": {"floating_ips": False},
    }


def run(directory: pathlib.Path, wanted: str, excluded: str) -> list[dict[str, str]]:
    """Every test that ran or was skipped."""
    directory.mkdir(parents=True, exist_ok=True)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict(configuration(openstack.connect(cloud="lab-admin")))
    config = directory / "tempest.conf"
    with config.open("w", encoding="utf-8") as file:
        parser.write(file)
    command = [str(pathlib.Path(sys.executable).with_name("tempest")), "run", "--config-file", str(config)]
    command += ["--serial", "--subunit", "--regex", wanted, *(["--exclude-regex", excluded] if excluded else [])]
    # The cloud of the environment is none of tempest's business.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, check=False)
    results = read(done.stdout)
    if not results:
        sys.exit(f"tempest ran nothing:\n{(done.stdout + done.stderr).decode(errors='replace')[-3000:]}")
    return results


def read(stream: bytes) -> list[dict[str, str]]:
    """The tests of a subunit stream."""
    results: list[dict[str, str]] = []

    def ended(test: dict[str, t.Any]) -> None:
        if test["status"] == "exists":
            return
        details = {name: content.as_text().strip() for name, content in test["details"].items()}
        why = details.get("reason") or "\n".join(text for name, text in details.items() if "traceback" in name)
        name = test["id"].removeprefix("tempest.api.compute.servers.").partition("[")[0]
        results.append({"test": name, "status": test["status"], "why": why[-2000:]})

    result = testtools.StreamToDict(ended)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(io.BytesIO(stream), non_subunit_name="stdout").run(result)
    result.stopTestRun()
    return results


if __name__ == "__main__":
    json.dump(run(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""), sys.stdout)
