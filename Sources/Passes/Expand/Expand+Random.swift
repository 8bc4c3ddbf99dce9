import IR

/// Random bits by counters: each block of words is a function of its number, so that all are computed side by side
/// (`RngBitGenerator` has the same generators for `evaluate`).
extension Expander {
  mutating func expand(_ generator: RngBitGenerator, _ operands: [ValueID]) throws(OpError) -> [ValueID]? {
    let type = generator.resultType
    guard let shape = type.fixedDimensions, type.elementType.bitWidth >= 8 else { return nil }
    let state = operands[0]
    let words = type.elementType.bitWidth > 32 ? ElementType.ui64 : .ui32
    let bits: ValueID
    let next: ValueID
    if generator.algorithm == .threeFry {
      (bits, next) = try threeFry(state, words, shape)
    } else {
      (bits, next) = try philox(state, words, shape)
    }
    return [next, try elements(bits, type.elementType)]
  }

  /// The low bits of the words as elements of a type.
  private mutating func elements(_ words: ValueID, _ element: ElementType) throws(OpError) -> ValueID {
    let narrow: [Int: ElementType] = [8: .ui8, 16: .ui16, 32: .ui32, 64: .ui64]
    let unsigned = try convert(words, to: narrow[element.bitWidth] ?? .ui32)
    return type(of: unsigned).elementType == element ? unsigned : try pointwise(.bitcast(element), unsigned)
  }

  /// One element of the state, as a scalar.
  private mutating func element(_ state: ValueID, _ index: Int) throws(OpError) -> ValueID {
    let slice = Slice(starts: [Extent(index)], limits: [Extent(index + 1)], strides: [1])
    return try reshape(try append(.slice(slice), [state]), to: [])
  }

  private mutating func low(_ value: ValueID) throws(OpError) -> ValueID { try convert(value, to: .ui32) }

  private mutating func high(_ value: ValueID) throws(OpError) -> ValueID {
    try low(try pointwise(.shiftRightLogical, value, try splat(32, like: value)))
  }

  private mutating func joined(_ low: ValueID, _ high: ValueID) throws(OpError) -> ValueID {
    let wide = try convert(high, to: .ui64)
    let shifted = try pointwise(.shiftLeft, wide, try splat(32, like: wide))
    return try pointwise(.or, try convert(low, to: .ui64), shifted)
  }

  private mutating func spread(_ scalar: ValueID, like value: ValueID) throws(OpError) -> ValueID {
    try broadcast(scalar, [], to: type(of: value).dimensions)
  }

  private mutating func splat(bits: UInt32, like value: ValueID) throws(OpError) -> ValueID {
    try splat(.integer(Int64(bits)), .ui32, type(of: value).dimensions)
  }

  /// `start`, `start + 1`, … along one dimension.
  private mutating func numbers(from start: ValueID, _ count: Int) throws(OpError) -> ValueID {
    let iota = try append(.iota(Iota(dimension: 0, resultType: TensorType(.ui64, fixed: [count]))))
    return try pointwise(.add, iota, try spread(start, like: iota))
  }

  private mutating func advanced(_ counter: ValueID, by count: Int) throws(OpError) -> ValueID {
    try pointwise(.add, counter, try splat(Double(count), like: counter))
  }

  private mutating func concatenated(_ values: [ValueID], _ dimension: Int) throws(OpError) -> ValueID {
    values.count == 1 ? values[0] : try append(.concatenate(Concatenate(dimension: dimension)), values)
  }

  private mutating func state(_ scalars: [ValueID]) throws(OpError) -> ValueID {
    var ones: [ValueID] = []
    for scalar in scalars { ones.append(try reshape(scalar, to: [1])) }
    return try concatenated(ones, 0)
  }
}

// MARK: - Threefry

extension Expander {
  private mutating func threeFry(_ state: ValueID, _ words: ElementType, _ shape: [Int]) throws(OpError)
    -> (bits: ValueID, next: ValueID)
  {
    let (key, counter) = (try element(state, 0), try element(state, 1))
    // The first dimension of even extent is cut in halves, else the first of the largest extent.
    let cut = shape.firstIndex { $0 % 2 == 0 } ?? shape.firstIndex(of: shape.max() ?? 1) ?? 0
    var half = shape.isEmpty ? [1] : shape
    if words == .ui32 { half[cut] = (half[cut] + 1) / 2 }
    let count = half.reduce(1, *)
    let (first, second) = try threeFryBlocks(key, try numbers(from: counter, count))
    let next = try self.state([key, try advanced(counter, by: count)])
    if words == .ui64 { return (try reshape(try joined(first, second), to: shape.map { Extent($0) }), next) }
    var pair = half.map { Extent($0) }
    pair.insert(1, at: cut + 1)
    let both = try concatenated([try reshape(first, to: pair), try reshape(second, to: pair)], cut + 1)
    var even = half.map { Extent($0) }
    even[cut] = even[cut] * 2
    var bits = try reshape(both, to: even)
    let wanted = (shape.isEmpty ? [1] : shape).map { Extent($0) }
    if even != wanted {
      let starts = [Extent](repeating: .zero, count: wanted.count)
      let ones = [Int](repeating: 1, count: wanted.count)
      bits = try append(.slice(Slice(starts: starts, limits: wanted, strides: ones)), [bits])
    }
    return (try reshape(bits, to: shape.map { Extent($0) }), next)
  }

  /// The two words of each counter after 20 rounds.
  private mutating func threeFryBlocks(_ key: ValueID, _ counters: ValueID) throws(OpError) -> (ValueID, ValueID) {
    var x0 = try low(counters)
    var x1 = try high(counters)
    let (k0, k1) = (try spread(try low(key), like: x0), try spread(try high(key), like: x0))
    let parity = try pointwise(.xor, try pointwise(.xor, k0, k1), try splat(bits: 0x1BD1_1BDA, like: x0))
    let keys = [k0, k1, parity]
    x0 = try pointwise(.add, x0, k0)
    x1 = try pointwise(.add, x1, k1)
    let rotations: [[UInt32]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
    for group in 0..<5 {
      for rotation in rotations[group % 2] {
        x0 = try pointwise(.add, x0, x1)
        let left = try pointwise(.shiftLeft, x1, try splat(bits: rotation, like: x1))
        let right = try pointwise(.shiftRightLogical, x1, try splat(bits: 32 - rotation, like: x1))
        x1 = try pointwise(.xor, try pointwise(.or, left, right), x0)
      }
      x0 = try pointwise(.add, x0, keys[(group + 1) % 3])
      let injected = try pointwise(.add, keys[(group + 2) % 3], try splat(bits: UInt32(group + 1), like: x0))
      x1 = try pointwise(.add, x1, injected)
    }
    return (x0, x1)
  }
}

// MARK: - Philox

extension Expander {
  private mutating func philox(_ state: ValueID, _ words: ElementType, _ shape: [Int]) throws(OpError)
    -> (bits: ValueID, next: ValueID)
  {
    let count = shape.reduce(1, *)
    let perBlock = words == .ui64 ? 2 : 4
    let blocks = (count + perBlock - 1) / perBlock
    let (key, counter) = (try element(state, 0), try element(state, 1))
    let isWide = type(of: state).dimensions[0] == 3
    let upper = isWide ? try element(state, 2) : key
    let lows = try numbers(from: counter, blocks)
    let highs = try carried(try spread(upper, like: lows), from: try spread(counter, like: lows), to: lows)
    let x = try philoxBlocks(key, lows, highs)
    let after = try advanced(counter, by: blocks)
    var scalars = [key, after]
    if isWide { scalars.append(try carried(upper, from: counter, to: after)) }
    let next = try self.state(scalars)
    let lanes = words == .ui64 ? [try joined(x[0], x[1]), try joined(x[2], x[3])] : x
    var columns: [ValueID] = []
    for lane in lanes { columns.append(try reshape(lane, to: [Extent(blocks), 1])) }
    let table = try concatenated(columns, 1)
    let line = try reshape(table, to: [Extent(blocks * perBlock)])
    let bits = try append(.slice(Slice(starts: [0], limits: [Extent(count)], strides: [1])), [line])
    return (try reshape(bits, to: shape.map { Extent($0) }), next)
  }

  /// The high half of a counter whose low half went from `old` to `new`.
  private mutating func carried(_ high: ValueID, from old: ValueID, to new: ValueID) throws(OpError) -> ValueID {
    let hasWrapped = try pointwise(.compare(.less, .unsigned), new, old)
    return try pointwise(.select, hasWrapped, try pointwise(.add, high, try splat(1, like: high)), high)
  }

  /// The four words of each counter after 10 rounds.
  private mutating func philoxBlocks(_ key: ValueID, _ lows: ValueID, _ highs: ValueID) throws(OpError) -> [ValueID] {
    var x = [try low(lows), try high(lows), try low(highs), try high(highs)]
    var k0 = try spread(try low(key), like: x[0])
    var k1 = try spread(try high(key), like: x[0])
    for _ in 0..<10 {
      let p0 = try product(x[0], 0xD251_1F53)
      let p1 = try product(x[2], 0xCD9E_8D57)
      let first = try pointwise(.xor, try pointwise(.xor, try high(p1), x[1]), k0)
      let third = try pointwise(.xor, try pointwise(.xor, try high(p0), x[3]), k1)
      x = [first, try low(p1), third, try low(p0)]
      k0 = try pointwise(.add, k0, try splat(bits: 0x9E37_79B9, like: k0))
      k1 = try pointwise(.add, k1, try splat(bits: 0xBB67_AE85, like: k1))
    }
    return x
  }

  /// The 64 bits of a product of 32 bits each.
  private mutating func product(_ value: ValueID, _ factor: UInt32) throws(OpError) -> ValueID {
    let wide = try convert(value, to: .ui64)
    return try pointwise(.multiply, wide, try splat(.integer(Int64(factor)), .ui64, type(of: wide).dimensions))
  }
}
