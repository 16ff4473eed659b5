# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Neutron's API, with its database models configured before the first request.

The first GET /ports of a new process would be a 500 else, and with it Nova's GET /servers/ID: the query reads an
attribute of Port that SQLAlchemy adds only when it configures its mappers.
"""

import sqlalchemy.orm
from neutron.wsgi.api import application

sqlalchemy.orm.configure_mappers()

__all__ = ["application"]
