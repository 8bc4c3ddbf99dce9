/// Uniform random bits, and the state that yields the next ones (StableHLO spec, "rng_bit_generator").
///
/// `%s, %r = stablehlo.rng_bit_generator %state, algorithm = THREE_FRY : (tensor<2xui64>) -> (tensor<2xui64>, tensor<6xui32>)`
///
/// The bits are those of XLA on CPUs, where the default algorithm is Philox.
public struct RngBitGenerator: OpDefinition {
  /// Which generator makes the bits (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3").
  public enum Algorithm: String, Hashable, Sendable, CaseIterable {
    case `default` = "DEFAULT"
    case threeFry = "THREE_FRY"
    case philox = "PHILOX"
  }

  public var algorithm: Algorithm
  public var resultType: TensorType
  public init(algorithm: Algorithm = .default, resultType: TensorType) {
    self.algorithm = algorithm
    self.resultType = resultType
  }
  public var mnemonic: String { "stablehlo.rng_bit_generator" }
  public var op: Op { .rngBitGenerator(self) }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    let state = try single(operands)
    guard state.elementType == .ui64, state.rank == 1 else {  // (I2)
      throw OpError("the state of rng_bit_generator is a list of ui64, not \(state)")
    }
    let counts: [Extent] = algorithm == .threeFry ? [2] : [2, 3]
    guard counts.contains(state.dimensions[0]) else {  // (C2)
      let expected = counts.map(\.description).joined(separator: " or ")
      throw OpError("the state of \(algorithm.rawValue) has \(expected) elements, not \(state.dimensions[0])")
    }
    guard resultType.elementType.isInteger || resultType.elementType.isFloat else {  // (O2)
      throw OpError("rng_bit_generator makes integers and floats, not \(resultType.elementType)")
    }
    return [state, resultType]  // (C1)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let state = operands[0].scalars.map { UInt64(bitPattern: $0.integerValue) }
    let type = results[1].elementType
    let shape = results[1].dimensions.compactMap(\.fixed)
    let count = shape.reduce(1, *)
    let words: [UInt64]
    var next = state
    switch (algorithm, type.bitWidth > 32) {
    case (.threeFry, false): (words, next[1]) = ThreeFry.words32(key: state[0], counter: state[1], shape: shape)
    case (.threeFry, true): (words, next[1]) = ThreeFry.words64(key: state[0], counter: state[1], count: count)
    case (_, false): words = Philox.words32(state: &next, count: count)
    case (_, true): words = Philox.words64(state: &next, count: count)
    }
    var bytes: [UInt8] = []
    for word in words {
      // Types narrower than a byte keep the low bits of one.
      let bits = type.bitWidth < 8 ? word & ((1 << UInt64(type.bitWidth)) - 1) : word
      for shift in 0..<type.byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
    }
    let nextState = next.map { Scalar.integer(Int64(bitPattern: $0)) }
    return [Literal(.ui64, [state.count], nextState), Literal(type, shape, bytes: bytes)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    .rngBitGenerator(RngBitGenerator(algorithm: algorithm, resultType: resultType.mappingExtents(replacement)))
  }
}

/// Threefry-2x32 with 20 rounds.
enum ThreeFry {
  /// The two output words for a counter.
  static func block(key: UInt64, counter: UInt64) -> (UInt32, UInt32) {
    let k0 = UInt32(truncatingIfNeeded: key)
    let k1 = UInt32(truncatingIfNeeded: key >> 32)
    let keys = [k0, k1, k0 ^ k1 ^ 0x1BD1_1BDA]
    let rotations: [[UInt32]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
    var x0 = UInt32(truncatingIfNeeded: counter) &+ keys[0]
    var x1 = UInt32(truncatingIfNeeded: counter >> 32) &+ keys[1]
    for group in 0..<5 {
      for rotation in rotations[group % 2] {
        x0 = x0 &+ x1
        x1 = (x1 << rotation) | (x1 >> (32 - rotation))
        x1 ^= x0
      }
      x0 = x0 &+ keys[(group + 1) % 3]
      x1 = x1 &+ keys[(group + 2) % 3] &+ UInt32(group + 1)
    }
    return (x0, x1)
  }

  /// The words of a tensor, and the next counter. One dimension is cut in two halves: neighbours along it are
  /// the two words of one block.
  static func words32(key: UInt64, counter: UInt64, shape: [Int]) -> ([UInt64], UInt64) {
    let cut = splitDimension(shape)
    var half = shape.isEmpty ? [1] : shape
    half[cut] = (half[cut] + 1) / 2
    var words: [UInt64] = []
    for index in allIndices(shape) {
      var position = 0
      for (d, extent) in half.enumerated() {
        let i = index.isEmpty ? 0 : (d == cut ? index[d] / 2 : index[d])
        position = position * extent + i
      }
      let (first, second) = block(key: key, counter: counter &+ UInt64(position))
      words.append(UInt64(!index.isEmpty && index[cut] % 2 == 1 ? second : first))
    }
    return (words, counter &+ UInt64(half.reduce(1, *)))
  }

  static func words64(key: UInt64, counter: UInt64, count: Int) -> ([UInt64], UInt64) {
    let words = (0..<count).map { position -> UInt64 in
      let (low, high) = block(key: key, counter: counter &+ UInt64(position))
      return UInt64(high) << 32 | UInt64(low)
    }
    return (words, counter &+ UInt64(count))
  }

  /// The first dimension of even extent, else the first of the largest extent.
  private static func splitDimension(_ shape: [Int]) -> Int {
    if let even = shape.firstIndex(where: { $0 % 2 == 0 }) { return even }
    return shape.firstIndex(of: shape.max() ?? 1) ?? 0
  }
}

/// Philox-4x32 with 10 rounds. The state is the key, then a counter of 128 bits, or its low half; the high half is then
/// the key.
enum Philox {
  static func block(key: UInt64, counter: (low: UInt64, high: UInt64)) -> [UInt32] {
    var k0 = UInt32(truncatingIfNeeded: key)
    var k1 = UInt32(truncatingIfNeeded: key >> 32)
    var x: [UInt32] = [counter.low, counter.low >> 32, counter.high, counter.high >> 32].map {
      UInt32(truncatingIfNeeded: $0)
    }
    for _ in 0..<10 {
      let p0 = x[0].multipliedFullWidth(by: 0xD251_1F53)
      let p1 = x[2].multipliedFullWidth(by: 0xCD9E_8D57)
      x = [p1.high ^ x[1] ^ k0, p1.low, p0.high ^ x[3] ^ k1, p0.low]
      k0 = k0 &+ 0x9E37_79B9
      k1 = k1 &+ 0xBB67_AE85
    }
    return x
  }

  static func words32(state: inout [UInt64], count: Int) -> [UInt64] {
    Array(blocks(state: &state, (count + 3) / 4).joined().prefix(count)).map { UInt64($0) }
  }

  static func words64(state: inout [UInt64], count: Int) -> [UInt64] {
    let pairs = blocks(state: &state, (count + 1) / 2).flatMap { block -> [UInt64] in
      [UInt64(block[1]) << 32 | UInt64(block[0]), UInt64(block[3]) << 32 | UInt64(block[2])]
    }
    return Array(pairs.prefix(count))
  }

  private static func blocks(state: inout [UInt64], _ count: Int) -> [[UInt32]] {
    let (key, low, high) = (state[0], state[1], state.count > 2 ? state[2] : state[0])
    func counter(after steps: Int) -> (low: UInt64, high: UInt64) {
      let (sum, overflow) = low.addingReportingOverflow(UInt64(steps))
      return (sum, overflow ? high &+ 1 : high)
    }
    let next = counter(after: count)
    state[1] = next.low
    if state.count > 2 { state[2] = next.high }
    return (0..<count).map { block(key: key, counter: counter(after: $0)) }
  }
}

extension RngBitGenerator {
  static let text = TextForm(
    "stablehlo.rng_bit_generator", "operands `,` `algorithm` `=` $rng_algorithm attr-dict `:` functional-type"
  ) { (reader) throws(OpError) in
    guard reader.resultTypes.count == 2 else { throw OpError("'\(reader.name)' has 2 results") }
    return .rngBitGenerator(
      RngBitGenerator(algorithm: try reader.enumeration("rng_algorithm"), resultType: reader.resultTypes[1]))
  } write: { op, writer in
    guard case .rngBitGenerator(let op) = op else { return }
    writer.set("rng_algorithm", .enumeration(kind: "stablehlo<rng_algorithm", op.algorithm.rawValue))
  }
}
