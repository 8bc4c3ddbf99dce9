"""Tables and drawings from the results of a run; needs nothing but Python itself."""
