"""The HTTP face of the library: `/v1`, the page, health and metrics. Nothing in the library imports it."""
