internal import IR
