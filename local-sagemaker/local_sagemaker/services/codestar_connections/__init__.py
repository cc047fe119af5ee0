"""CodeStar Connections: the earlier name of CodeConnections, with the same connections."""

from __future__ import annotations

from local_sagemaker.services.codeconnections.connections import Connections


class StarConnections(Connections):
    """The operations of CodeConnections under the earlier name; ARNs have it, too."""

    service = "codestar-connections"
