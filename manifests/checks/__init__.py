"""`make manifests-check`: renders every overlay and component combination and judges each object.

It imports `stylerec.{settings,schema,errors}`, the routing transformer's metrics and developers'
tools; nothing but tests imports it.
"""

from typing import Any

Json = Any
"""What a YAML or JSON document holds at some place."""
