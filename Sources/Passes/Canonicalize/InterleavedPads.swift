import IR

extension Rule {
  /// `f(pad(x, p), pad(y, q))` where each lies in the holes of the other `-> reshape(concatenate(f(x, q), f(p, y)))`: their
  /// elements in turns, without masks. Exact for all functions.
  ///
  /// So JAX puts together what an associative scan has for even and for odd positions.
  static let interleavePads = Rule("interleave-pads") { op, operands, b throws(OpError) in
    guard case .pointwise(let pointwise) = op, operands.count == 2, case .pad(let first) = b.op(operands[0]),
      case .pad(let second) = b.op(operands[1])
    else { return nil }
    let (x, y) = (b.target[operands[0]].operands, b.target[operands[1]].operands)
    let type = b.type(of: x[0])
    guard b.type(of: y[0]).dimensions == type.dimensions, let d = first.interior.firstIndex(of: 1),
      first.takesTurns(with: second, along: d), b.type(of: operands[0]).dimensions[d] == type.dimensions[d] * 2
    else { return nil }
    var turns = type.dimensions
    turns.insert(.one, at: d + 1)
    let p = try b.spread(x[1], over: type.dimensions)
    let q = try b.spread(y[1], over: type.dimensions)
    let ofFirst = try b.reshaped(try b.pointwise(pointwise.function, [x[0], q]), to: turns)
    let ofSecond = try b.reshaped(try b.pointwise(pointwise.function, [p, y[0]]), to: turns)
    let inOrder = first.low[d] == .zero ? [ofFirst, ofSecond] : [ofSecond, ofFirst]
    let joined = try b.append(.concatenate(Concatenate(dimension: d + 1)), inOrder)
    return try b.reshaped(joined, to: b.type(of: operands[0]).dimensions)
  }
}

extension Pad {
  /// Whether this and the other are padded along `d` alone, by one element between two and one at an edge, each at its own.
  fileprivate func takesTurns(with other: Pad, along d: Int) -> Bool {
    func isNothing(_ pad: Pad, _ e: Int) -> Bool { pad.low[e] == .zero && pad.high[e] == .zero && pad.interior[e] == 0 }
    guard low.indices.allSatisfy({ $0 == d || isNothing(self, $0) && isNothing(other, $0) }) else { return false }
    return other.interior[d] == 1 && low[d] == other.high[d] && high[d] == other.low[d]
      && (low[d] == .zero && high[d] == .one || low[d] == .one && high[d] == .zero)
  }
}

extension Rebuilder {
  /// The scalar in all elements of a tensor.
  fileprivate mutating func spread(_ scalar: ValueID, over dimensions: [Extent]) throws(OpError) -> ValueID {
    let type = TensorType(type(of: scalar).elementType, dimensions)
    if let value = splat(scalar) { return try constant(value, type) }
    return try append(.broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: dimensions)), [scalar])
  }
}
