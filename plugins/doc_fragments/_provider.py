# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of what plugins/module_utils/_server/options.py defines. Must be kept in sync with it.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that talks to a provider."""

    DOCUMENTATION = r"""
requirements:
  - openstacksdk >= 1.0.0, for O(provider=openstack)
  - libvirt-python, for O(provider=libvirt)
options:
  provider:
    description:
      - Where the servers live. It has to be given for servers on libvirt.
    type: str
    choices: [openstack, libvirt]
    default: openstack
  libvirt_uri:
    description:
      - libvirt only. The connection URI of libvirt.
      - The default is the hypervisor that the module runs on. Give one such as V(qemu+ssh://root@hypervisor1/system) to
        reach another from here. Everything goes through libvirt, but for the console, which is a file there.
    type: str
    default: qemu:///system
    aliases: [uri]
  cloud:
    description:
      - OpenStack only. The name of a cloud in C(clouds.yaml), or a dictionary with the configuration of one.
      - This is all that is needed where there is such a file. Without it and without O(auth) the environment variables
        C(OS_*) are used.
      - With a dictionary, O(auth), O(region_name) and their like are not looked at. What they would say belongs in it.
      - Passwords, secrets and tokens in a dictionary are hidden in every output.
    type: raw
  auth:
    description:
      - OpenStack only. What the authentication plugin needs, such as C(auth_url), C(username), C(password),
        C(project_name). Needed only without a C(clouds.yaml), such as with the credentials of AWX.
      - Passwords, secrets and tokens in it are hidden in every output. All else in it is not.
    type: dict
  auth_type:
    description:
      - OpenStack only. The authentication plugin to use, by the SDK's own default V(password). Needed for others, such
        as V(v3applicationcredential) or V(v3token).
    type: str
  region_name:
    description:
      - OpenStack only. The name of the region. Needed where the cloud has several and O(cloud) does not say which.
    type: str
  interface:
    description:
      - OpenStack only. The endpoint to use from the service catalogue. Needed where the public one cannot be reached
        from where the module runs. What C(clouds.yaml) says of it does not count.
    type: str
    choices: [admin, internal, public]
    default: public
  validate_certs:
    description:
      - OpenStack only. Whether TLS certificates of the API are verified. By default they are, unless C(clouds.yaml)
        says otherwise. For a cloud with a CA of its own give O(ca_cert) instead of V(false).
    type: bool
    aliases: [verify]
  ca_cert:
    description:
      - OpenStack only. The path of a bundle of CA certificates, for a cloud whose CA the system does not know.
    type: str
    aliases: [cacert]
  client_cert:
    description:
      - OpenStack only. The path of a client certificate, for a cloud that asks for one.
    type: str
    aliases: [cert]
  client_key:
    description:
      - OpenStack only. The path of the client certificate's key.
    type: str
    aliases: [key]
  api_timeout:
    description:
      - OpenStack only. How many seconds one call of the API may take. By default 60. Raise it for a cloud that answers
        slowly; O(timeout) bounds all calls for a server together.
    type: int
  timeout:
    description:
      - How many seconds each server may take in all.
      - On OpenStack, calls that fail for a reason that can pass (HTTP 413, 429, 500, 502, 503 and 504, a lost
        connection) are repeated within it, with the pause that the cloud asks for. An action is never sent twice
        without looking first whether it took.
    type: int
    default: 600
"""

    # For modules that take many servers in one call.
    SERVERS = r"""
options:
  server:
    description:
      - One or many servers, each by its name or its ID. On libvirt the ID is the UUID of the domain. On OpenStack
        the servers of one project are meant.
      - A name that fits several servers is an error that lists them.
    type: list
    elements: str
    required: true
"""

    # What the rescue system is booted from, and how the patient's disks are attached.
    RESCUE_IMAGE = r"""
options:
  rescue_image:
    description:
      - What the rescue system boots from. It is never written to.
      - On libvirt the path of a file on the hypervisor, or a volume as C(pool/volume); its format is qcow2, raw or ISO.
      - On OpenStack the name or the ID of an image. With the properties C(hw_rescue_device) and C(hw_rescue_bus) on it
        the rescue system sees all disks of the server; without them only the root disk. Where it is left out, Nova
        takes the image that the server was built from, which carries the same UUIDs as the server's own disk.
      - On OpenStack a name may also be that of a hidden image, or of a community image of the same project. A community
        image of another project is taken by its ID only.
    type: str
  rescue_kernel:
    description:
      - libvirt only. The path, on the hypervisor, of a kernel to boot directly, with O(rescue_image) as its disk.
      - Needed where the firmware of the server does not boot that image, or to boot it faster. The role
        P(openrescue.server.rescue_image#role) puts a kernel, its initramfs and its command line beside the image.
    type: str
  rescue_ramdisk:
    description:
      - libvirt only. The path, on the hypervisor, of the initramfs for O(rescue_kernel). Not allowed without that.
    type: str
  rescue_cmdline:
    description:
      - libvirt only. The command line for O(rescue_kernel), which has to name the root of the rescue system. Not
        allowed without O(rescue_kernel).
    type: str
  rescue_device:
    description:
      - libvirt only. How O(rescue_image) is attached, in the words of Nova's C(hw_rescue_device).
      - A V(disk) is attached through a throw-away layer, a V(cdrom) as it is and read-only. Set V(cdrom) for an ISO
        that boots from an optical drive only.
      - The default is V(disk).
    type: str
    choices: [disk, cdrom]
  rescue_bus:
    description:
      - libvirt only. The bus that O(rescue_image) is attached to, in the words of Nova's C(hw_rescue_bus).
      - By default the bus of the disk that the server itself boots from. Give another one where
        the rescue system has no driver for that.
    type: str
    choices: [virtio, scsi, sata, usb]
  disk_access:
    description:
      - libvirt only. How the server's own disks are attached to the rescue system.
      - Set V(read_only) for a look that cannot change anything, whatever is run there. Nothing can be repaired then.
      - V(read_only) works for disks on virtio, SCSI and USB. QEMU has no read-only IDE and SATA disks.
    type: str
    choices: [read_write, read_only]
    default: read_write
"""

    # Who asks, and for which run.
    HOLD = r"""
options:
  owner:
    description:
      - Who asks, for others to read, as V(alice@bastion). By default the user and the host that the module runs as and
        on.
      - Of a server that a person holds, this is what tells whether it is the same person. Where the module runs on the
        hypervisor as one user for all, give it.
    type: str
  reason:
    description:
      - What for, for others to read, as a number of a ticket.
    type: str
  run:
    description:
      - The run of Ansible that asks, as P(openrescue.server.run#lookup) names it. The roles of this collection give it.
      - A server that was rescued with it belongs to that run until it is unrescued. No other run or person can rescue
        or unrescue it meanwhile, unless the run has ended or O(force_takeover=true). Where the process of the run
        cannot be seen, since it is on another host or in another container, it counts as ended two hours after its last
        call.
      - Without it the server belongs to O(owner), and every call of the same owner may change it.
      - A server that was rescued by other means than this collection belongs to nobody. With O(run) it is not
        unrescued.
    type: str
  phase:
    description:
      - What is about to be done with the server, for others to read. Kept with the server where it can be; Nova keeps
        nothing while a server is rescued.
    type: str
  force_takeover:
    description:
      - Whether a server that somebody else holds is taken over. What that one is doing to the disks is not stopped by
        it. Be sure that it has ended.
      - Needed for a server that was rescued by other means, and for one that a person holds who is not there to give it
        back. A server that a run holds that has ended is taken over without it.
    type: bool
    default: false
"""
