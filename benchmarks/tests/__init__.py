"""Tests of what needs no model and no peer."""
