"""The body of a transaction, judged as the parser of QGIS reads it.

Qt 5 and libxml2 differ: Qt drops a text of blanks before a CDATA section, keeps carriage returns,
and cuts a character reference beyond the basic plane to 16 bits (``&#x10061;`` is an ``a`` to it).
"""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtXml import QDomDocument

from .admission.refused import MALFORMED, Refused
from .redaction.xml import Element, local_name


def read_as_qgis(root: Element, body: bytes) -> None:
    """Give a tree the texts that QGIS reads in the same body; refuse any other difference."""
    document = QDomDocument()
    read = document.setContent(body, True)
    if not (read[0] if isinstance(read, tuple) else read):
        raise _two_ways()
    _adopt(root, document.documentElement())


def _two_ways() -> Refused:
    return Refused("The body: it can be read in more than one way", code=MALFORMED)


def _adopt(element: Element, theirs: Any) -> None:
    if local_name(element) != theirs.localName() or _own(element) != _attributes(theirs):
        raise _two_ways()
    if not len(element):
        if theirs.firstChildElement().isNull():
            _adopt_text(element, str(theirs.text()))
            return
        raise _two_ways()
    parts = _elements(theirs)
    if len(parts) != len(element):
        raise _two_ways()
    for child, part in zip(element, parts):
        _adopt(child, part)


def _own(element: Element) -> list[tuple[str, str]]:
    return sorted((str(k).rpartition("}")[2], str(v)) for k, v in element.attrib.items())


def _attributes(theirs: Any) -> list[tuple[str, str]]:
    found = theirs.attributes()
    nodes = (found.item(index) for index in range(found.count()))
    return sorted((str(node.localName()), str(node.nodeValue())) for node in nodes)


def _elements(theirs: Any) -> list[Any]:
    """Return the child elements; text among them would be a feature or attribute to QGIS."""
    found = []
    node = theirs.firstChild()
    while not node.isNull():
        if node.isElement():
            found.append(node.toElement())
        elif node.isCDATASection() or str(node.nodeValue()).strip():
            raise _two_ways()
        node = node.nextSibling()
    return found


def _adopt_text(element: Element, theirs: str) -> None:
    ours = element.text or ""
    if ours == theirs:
        return
    is_blank = not ours.strip() and not theirs
    lines = theirs.replace("\r\n", "\n").replace("\r", "\n")
    if not is_blank and not (lines == ours and theirs.strip()):
        raise _two_ways()
    element.text = theirs
