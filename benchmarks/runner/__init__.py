"""Runs the contest and finds out what machine it ran on."""
