"""The third wall: what QGIS writes without asking is removed before the answer leaves."""
