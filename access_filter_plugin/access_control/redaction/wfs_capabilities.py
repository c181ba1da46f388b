"""WFS capabilities with the operations that a caller may use on each layer."""

from __future__ import annotations

from collections.abc import Mapping

from .xml import Element, child_text, children, descendants, local_name, remove

_EDITS = frozenset({"Insert", "Update", "Delete"})


def redact_capabilities(root: Element, edits: Mapping[str, frozenset[str]]) -> None:
    """Take out layers that are not listed, and the edits that are not open.

    ``edits`` maps the names of the listed layers to the edit operations open on them.
    """
    for kind in descendants(root, "FeatureType"):
        name = child_text(kind, "Name")
        open_edits = edits.get(name)
        if open_edits is None:
            remove(kind)
            continue
        for operations in children(kind, "Operations"):
            for operation in list(operations):
                word = _operation_name(operation)
                if word in _EDITS and word not in open_edits:
                    remove(operation)


def _operation_name(element: Element) -> str:
    """Return ``Insert`` of ``<Insert/>`` (1.0.0) and ``<Operation>Insert</Operation>`` (1.1.0)."""
    name = local_name(element)
    return (element.text or "").strip() if name == "Operation" else name
