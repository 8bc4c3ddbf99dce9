import IR

extension Concatenate {
  /// The operands that one node may have: an element's place is compared with that of each.
  static let operandLimit = 48

  /// Concatenations of concatenations, each of a few neighbours.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    var parts = x
    while parts.count > 1 {
      var joined: [ValueID] = []
      for start in stride(from: 0, to: parts.count, by: Self.operandLimit) {
        let neighbours = Array(parts[start..<min(start + Self.operandLimit, parts.count)])
        joined.append(neighbours.count == 1 ? neighbours[0] : try c.append(op, neighbours))
      }
      parts = joined
    }
    return parts
  }
}
