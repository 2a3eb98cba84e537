"""Jolokia's protocol, 8.2: beans as JSON over HTTP (https://jolokia.org, Jolokia 2.x)."""
