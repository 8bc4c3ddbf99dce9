import IR

extension ReverseSweep {
  /// `fft`: the matrix of a transform is symmetric; real transforms take or leave a half.
  mutating func pullBack(_ op: Fft, _ g: ValueID, _ x: ValueID) throws(OpError) {
    guard wants(x) else { return }
    let type = c.type(x)
    if type.dimensions.contains(.zero) { return }
    switch op.kind {
    case .forward, .inverse: try give(c.append(.fft(op), g), to: x)
    case .realForward:
      var pad = Pad(low: type.dimensions.map { _ in .zero }, high: [], interior: type.dimensions.map { _ in 0 })
      pad.high = zip(type.dimensions, c.type(g).dimensions).map { $0 - $1 }
      let zero = try c.scalar(.zero(c.type(g).elementType), c.type(g).elementType)
      let whole = try c.append(.pad(pad), g, zero)
      try give(c.apply(.real, c.append(.fft(Fft(kind: .forward, lengths: op.lengths)), whole)), to: x)
    case .realInverse:
      let transformed = try c.append(.fft(Fft(kind: .realForward, lengths: op.lengths)), g)
      let last = type.rank - 1
      let length = op.lengths.last ?? 0
      let half = length / 2 + 1
      // All but the first and, of an even length, the last stand for two elements of the whole line.
      let scale = 1 / Double(op.lengths.reduce(1, *))
      let weights = (0..<half).map { place in
        Scalar(place == 0 || (length % 2 == 0 && place == half - 1) ? scale : 2 * scale, type.elementType)
      }
      let line = try c.append(.constant(Constant(Literal(type.elementType, [half], weights))))
      let spread = try c.spread(line, over: [last], type.dimensions)
      try give(c.conjugate(c.multiply(transformed, spread)), to: x)
    }
  }
}
