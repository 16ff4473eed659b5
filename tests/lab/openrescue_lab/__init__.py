# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Test support: a private libvirt, guests that boot, and ways to break them."""
