import IR

extension RngBitGenerator {
  /// The rounds as integer operations on whole tensors of counters; the bits are those of `evaluate`.
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    guard let shape = resultType.fixedDimensions else {
      throw .unsupported("stablehlo.rng_bit_generator of a shape that is not known before the run")
    }
    guard resultType.elementType.bitWidth >= 8 else {
      throw .unsupported("stablehlo.rng_bit_generator of \(resultType.elementType)")
    }
    var words = WordGraph(state: x[0], stateCount: c.type(x[0]).dimensions[0].fixed ?? 2)
    let isWide = resultType.elementType.bitWidth > 32
    let bits: ValueID
    switch algorithm {
    case .threeFry: bits = try words.threeFry(shape, isWide: isWide, &c)
    case .default, .philox: bits = try words.philox(shape, isWide: isWide, &c)
    }
    let next = try words.nextState(&c)
    return [next, try narrowed(bits, &c)]
  }

  /// The low bits of each word, as the result's type.
  private func narrowed(_ bits: ValueID, _ c: inout Composer) throws(OpError) -> ValueID {
    let width = resultType.elementType.bitWidth
    let unsigned: ElementType = width == 8 ? .ui8 : width == 16 ? .ui16 : width == 32 ? .ui32 : .ui64
    let cut = try c.apply(.convert(unsigned), bits)
    return unsigned == resultType.elementType ? cut : try c.apply(.bitcast(resultType.elementType), cut)
  }
}

/// The counters of a generator and its rounds, as a graph.
private struct WordGraph {
  let state: ValueID
  let stateCount: Int
  /// How far the counter moves.
  var steps = 0

  init(state: ValueID, stateCount: Int) {
    self.state = state
    self.stateCount = stateCount
  }

  private func word(_ index: Int, _ c: inout Composer) throws(OpError) -> ValueID {
    let slice = Slice(starts: [Extent(index)], limits: [Extent(index + 1)], strides: [1])
    return try c.append(.reshape(Reshape(resultDimensions: [])), c.append(.slice(slice), state))
  }

  private func filled(_ scalar: ValueID, _ dimensions: [Int], _ c: inout Composer) throws(OpError) -> ValueID {
    try c.append(
      .broadcastInDim(BroadcastInDim(dimensions: [], resultDimensions: dimensions.map { Extent($0) })), scalar)
  }

  /// The counter's low word plus 0, 1, … `count - 1`, and whether the sum has wrapped, as ui64.
  private func counters(_ count: Int, _ c: inout Composer) throws(OpError) -> (ValueID, ValueID) {
    let low = try filled(word(1, &c), [count], &c)
    let positions = try c.append(.iota(Iota(dimension: 0, resultType: TensorType(.ui64, fixed: [count]))))
    let sum = try c.apply(.add, low, positions)
    let wrapped = try c.apply(.convert(.ui64), c.apply(.compare(.less, .unsigned), sum, low))
    return (sum, wrapped)
  }

  private func halves(_ wide: ValueID, _ c: inout Composer) throws(OpError) -> (ValueID, ValueID) {
    let low = try c.apply(.convert(.ui32), wide)
    let high = try c.apply(.convert(.ui32), c.apply(.shiftRightLogical, wide, c.splat(.integer(32), like: wide)))
    return (low, high)
  }

  private func joined(low: ValueID, high: ValueID, _ c: inout Composer) throws(OpError) -> ValueID {
    let wide = try c.apply(.convert(.ui64), high)
    let shifted = try c.apply(.shiftLeft, wide, c.splat(.integer(32), like: wide))
    return try c.apply(.or, shifted, c.apply(.convert(.ui64), low))
  }

  func nextState(_ c: inout Composer) throws(OpError) -> ValueID {
    let low = try word(1, &c)
    let sum = try c.apply(.add, low, c.append(.constant(.scalar(.integer(Int64(steps)), .ui64))))
    var parts = [try word(0, &c), sum]
    if stateCount > 2 {
      let wrapped = try c.apply(.convert(.ui64), c.apply(.compare(.less, .unsigned), sum, low))
      parts.append(try c.apply(.add, word(2, &c), wrapped))
    }
    var lists: [ValueID] = []
    for part in parts { lists.append(try c.append(.reshape(Reshape(resultDimensions: [1])), part)) }
    return try c.graph.append(.concatenate(Concatenate(dimension: 0)), lists, location: c.location)
  }

  // MARK: Threefry

  private func rotated(_ x: ValueID, _ count: Int64, _ c: inout Composer) throws(OpError) -> ValueID {
    let left = try c.apply(.shiftLeft, x, c.splat(.integer(count), like: x))
    return try c.apply(.or, left, c.apply(.shiftRightLogical, x, c.splat(.integer(32 - count), like: x)))
  }

  private func threeFryBlocks(_ count: Int, _ c: inout Composer) throws(OpError) -> (ValueID, ValueID) {
    let (k0, k1) = try halves(word(0, &c), &c)
    let parity = try c.append(.constant(.scalar(.integer(0x1BD1_1BDA), .ui32)))
    let k2 = try c.apply(.xor, c.apply(.xor, k0, k1), parity)
    var keys: [ValueID] = []
    for key in [k0, k1, k2] { keys.append(try filled(key, [count], &c)) }
    let rotations: [[Int64]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
    let (low, high) = try halves(counters(count, &c).0, &c)
    var x0 = try c.apply(.add, low, keys[0])
    var x1 = try c.apply(.add, high, keys[1])
    for group in 0..<5 {
      for rotation in rotations[group % 2] {
        x0 = try c.apply(.add, x0, x1)
        x1 = try c.apply(.xor, rotated(x1, rotation, &c), x0)
      }
      x0 = try c.apply(.add, x0, keys[(group + 1) % 3])
      x1 = try c.apply(.add, x1, keys[(group + 2) % 3])
      x1 = try c.apply(.add, x1, c.splat(.integer(Int64(group + 1)), like: x1))
    }
    return (x0, x1)
  }

  mutating func threeFry(_ shape: [Int], isWide: Bool, _ c: inout Composer) throws(OpError) -> ValueID {
    let dimensions = shape.map { Extent($0) }
    if isWide {
      steps = shape.reduce(1, *)
      let (low, high) = try threeFryBlocks(steps, &c)
      return try c.append(.reshape(Reshape(resultDimensions: dimensions)), joined(low: low, high: high, &c))
    }
    // One dimension is cut in two halves: neighbours along it are the two words of one block.
    let full = shape.isEmpty ? [1] : shape
    let cut = full.firstIndex { $0 % 2 == 0 } ?? full.firstIndex(of: full.max() ?? 1) ?? 0
    var half = full
    half[cut] = (full[cut] + 1) / 2
    steps = half.reduce(1, *)
    let (first, second) = try threeFryBlocks(steps, &c)
    var paired = half
    paired.insert(1, at: cut + 1)
    var columns: [ValueID] = []
    for words in [first, second] {
      columns.append(try c.append(.reshape(Reshape(resultDimensions: paired.map { Extent($0) })), words))
    }
    let pairs = try c.graph.append(
      .concatenate(Concatenate(dimension: cut + 1)), columns, location: c.location)
    var even = full
    even[cut] = half[cut] * 2
    let flat = try c.append(.reshape(Reshape(resultDimensions: even.map { Extent($0) })), pairs)
    let slice = Slice(
      starts: full.map { _ in .zero }, limits: full.map { Extent($0) }, strides: full.map { _ in 1 })
    return try c.append(.reshape(Reshape(resultDimensions: dimensions)), c.append(.slice(slice), flat))
  }

  // MARK: Philox

  /// The high and the low word of a product with a constant.
  private func product(_ x: ValueID, _ factor: Int64, _ c: inout Composer) throws(OpError) -> (ValueID, ValueID) {
    let wide = try c.apply(.convert(.ui64), x)
    let (low, high) = try halves(c.apply(.multiply, wide, c.splat(.integer(factor), like: wide)), &c)
    return (high, low)
  }

  private func philoxBlocks(_ count: Int, _ c: inout Composer) throws(OpError) -> [ValueID] {
    let key = try word(0, &c)
    let (sum, wrapped) = try counters(count, &c)
    let high = try filled(stateCount > 2 ? word(2, &c) : key, [count], &c)
    let (x0, x1) = try halves(sum, &c)
    let (x2, x3) = try halves(c.apply(.add, high, wrapped), &c)
    var x = [x0, x1, x2, x3]
    var (k0, k1) = try halves(filled(key, [count], &c), &c)
    for _ in 0..<10 {
      let p0 = try product(x[0], 0xD251_1F53, &c)
      let p1 = try product(x[2], 0xCD9E_8D57, &c)
      let first = try c.apply(.xor, c.apply(.xor, p1.0, x[1]), k0)
      let third = try c.apply(.xor, c.apply(.xor, p0.0, x[3]), k1)
      x = [first, p1.1, third, p0.1]
      k0 = try c.apply(.add, k0, c.splat(.integer(0x9E37_79B9), like: k0))
      k1 = try c.apply(.add, k1, c.splat(.integer(0xBB67_AE85), like: k1))
    }
    return x
  }

  mutating func philox(_ shape: [Int], isWide: Bool, _ c: inout Composer) throws(OpError) -> ValueID {
    let count = shape.reduce(1, *)
    let perBlock = isWide ? 2 : 4
    steps = (count + perBlock - 1) / perBlock
    let x = try philoxBlocks(steps, &c)
    let words = isWide ? [try joined(low: x[0], high: x[1], &c), try joined(low: x[2], high: x[3], &c)] : x
    var columns: [ValueID] = []
    for word in words {
      columns.append(try c.append(.reshape(Reshape(resultDimensions: [Extent(steps), 1])), word))
    }
    let rows = try c.graph.append(.concatenate(Concatenate(dimension: 1)), columns, location: c.location)
    let flat = try c.append(.reshape(Reshape(resultDimensions: [Extent(steps * perBlock)])), rows)
    let slice = Slice(starts: [0], limits: [Extent(count)], strides: [1])
    return try c.append(
      .reshape(Reshape(resultDimensions: shape.map { Extent($0) })), c.append(.slice(slice), flat))
  }
}
