internal import IR

/// Elements by chance, the same for the same seed.
struct RandomElements {
  private var state: UInt64

  init(seed: Int, position: Int) {
    state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: position) &+ 1
  }

  /// The next number of the SplitMix64 sequence.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Floats from -1 to 1; integers 0 and 1, which are right as indices, tokens and masks of most models.
  mutating func literal(_ type: ElementType, _ dimensions: [Int]) -> Literal {
    let count = dimensions.reduce(1, *)
    if type == .f32 {
      var values: [Float] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(Float(unit())) }
      return Literal(type, dimensions, bytes: values.withUnsafeBytes { Array($0) })
    }
    var scalars: [Scalar] = []
    scalars.reserveCapacity(count)
    for _ in 0..<count {
      switch type.kind {
      case .boolean, .signed, .unsigned: scalars.append(.integer(Int64(next() >> 63)))
      case .float: scalars.append(.real(unit()))
      case .complex: scalars.append(.complex(unit(), unit()))
      }
    }
    return Literal(type, dimensions, scalars)
  }

  private mutating func unit() -> Double { Double(next() >> 11) * 0x1p-52 - 1 }
}
