"""`managedFields` as a server keeps them: bytes that a reader must skip fast, not meaning."""

from collections.abc import Mapping, Sequence

_ATOMIC = ("containerStatuses", "tolerations", "readinessGates")
# The first of these that an item has is its key in the list.
_KEYS = ("uid", "name", "type", "ip")
_UNMANAGED = (
    *("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"),
    *("nodeName", "priority", "preemptionPolicy", "phase", "qosClass"),
)


def managed_fields(
    value: Mapping[str, object], managers: tuple[str, str], api_version: str, time: str
) -> list[dict[str, object]]:
    """The entries of who wrote metadata and spec, and of who wrote the status."""
    written = {key: part for key, part in value.items() if key != "status"}
    entries = [_entry(managers[0], api_version, time, written)]
    if "status" in value:
        status = _entry(managers[1], api_version, time, {"status": value["status"]})
        entries.append(status | {"subresource": "status"})
    return entries


def _entry(manager: str, api_version: str, time: str, value: object) -> dict[str, object]:
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": _fields(value),
    }


def _fields(value: object) -> dict[str, object]:
    """The set of fields of a value: `f:` for keys, `k:` for list items with a key of their own."""
    if isinstance(value, Mapping):
        return {
            f"f:{key}": {} if key in _ATOMIC else _fields(part)
            for key, part in value.items()
            if key not in _UNMANAGED
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {
            f'k:{{"{key}":"{item[key]}"}}': {".": {}} | _fields(item)
            for item in value
            if isinstance(item, Mapping)
            for key in _KEYS
            if key == next((known for known in _KEYS if known in item), None)
        }
    return {}
