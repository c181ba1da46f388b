"""XML of requests and answers, read by lxml without entities, document types or the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from ...late_modules import etree

if TYPE_CHECKING:
    Element = etree._Element  # noqa: SLF001 (lxml has no public name for it)
else:
    Element = Any  # lxml is not loaded for the sake of a name

MAX_DEPTH = 200
"""No OGC document nests deeper; libxml2's own limit is 256."""


class XmlError(ValueError):
    """A document that is not well formed, or that uses what no OGC document needs."""


def parser() -> etree.XMLParser:
    """Return a parser that resolves nothing and keeps the text as it is."""
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_blank_text=False,
        strip_cdata=False,
        collect_ids=False,
    )


def parse(document: Union[bytes, str]) -> Element:
    """Return the root element; raise XmlError for a document type, an entity, or bad XML."""
    data = document.encode("utf-8") if isinstance(document, str) else document
    # Before parsing, since even an internal subset costs time; OGC documents have none. A document
    # in UTF-16 would hide it, and QGIS reads bodies as UTF-8 or by their declaration.
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4096]:
        raise XmlError("the document is not UTF-8")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise XmlError("a document type is not accepted")
    try:
        root = etree.fromstring(data, parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlError("the document is not well-formed XML") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlError("a document type is not accepted")
    return root


def parse_answer(document: bytes) -> Element:
    """Return the root element of QGIS's own answer, which may name a document type (WMS 1.1.1).

    Nothing of that type is loaded, and entities stay as they are.
    """
    try:
        return etree.fromstring(document, parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlError("the answer is not well-formed XML") from error


def serialize(root: Element) -> bytes:
    """Return a document with its declaration, comments before the root included."""
    return bytes(etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8"))


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; empty for comments and instructions."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """Return the child elements of this local name, in any namespace or none.

    lxml compares the names itself: asking each element in Python took most of a redaction.
    """
    return list(element.iterchildren(f"{{*}}{name}"))


def descendants(element: Element, *names: str) -> list[Element]:
    """Return all elements below (and the element itself) that have one of these local names."""
    return list(element.iter(*(f"{{*}}{name}" for name in names)))


def child_text(element: Element, name: str) -> str:
    """Return the text of the first child of this local name; empty when there is none."""
    child = next(element.iterchildren(f"{{*}}{name}"), None)
    return "" if child is None else child.text or ""


def remove(element: Element) -> None:
    """Take an element out of its parent; keep the text that follows it, and the layout."""
    parent = element.getparent()
    if parent is None:
        return
    tail, before = element.tail, element.getprevious()
    if tail and tail.strip():
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    elif before is not None and element.getnext() is None:
        before.tail = tail  # the blanks before the end of the parent, which are fewer
    parent.remove(element)


def indented(root: Element) -> bytes:
    """Return a document laid out as QGIS does, so that nothing shows where something was.

    Only for documents in which text and elements do not mix, as in all lists of layers.
    """
    etree.indent(root, space=" ")
    return as_written(root)


def as_written(root: Element) -> bytes:
    """Return a document in the layout that QGIS gave it and that :func:`remove` keeps."""
    tree = root.getroottree()
    text = etree.tostring(tree, encoding="UTF-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + bytes(text) + b"\n"
