"""The identity of anything that JSON can hold."""

import hashlib
import json


def json_sha256(value: object) -> str:
    """The same for equal content, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
