"""The models that are measured, with recorded inputs and outputs, and how they are made."""
