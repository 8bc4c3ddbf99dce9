import IR
import Passes
import Testing

/// Whether two lists of literals have the same bits; every NaN counts as the same.
func haveSameBits(_ a: [Literal], _ b: [Literal]) -> Bool {
  guard a.count == b.count else { return false }
  return zip(a, b).allSatisfy { x, y in
    guard x.type == y.type else { return false }
    if x.expanded.bytes == y.expanded.bytes { return true }
    return zip(x.scalars, y.scalars).allSatisfy { p, q in
      if case .real(let u) = p, case .real(let v) = q { return u.bitPattern == v.bitPattern || (u.isNaN && v.isNaN) }
      return p == q
    }
  }
}

extension Graph {
  func applying(_ pass: Pass) throws -> Graph {
    var copy = self
    var context = PassContext(explains: true)
    try pass.apply(to: &copy, &context)
    try copy.verify()
    return copy
  }

  var fusions: [Fusion] {
    nodes.compactMap {
      if case .fusion(let fusion) = $0.op { return fusion }
      return nil
    }
  }
}
