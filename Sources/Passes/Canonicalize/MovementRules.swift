import IR

extension Rule {
  /// Compositions of data movements; all exact for all types.
  static let movement: [Rule] = [
    composeReshapes, reshapeOfBroadcast, composeTransposes, transposeIsReshape, transposeOfBroadcast, composeBroadcasts,
    repeatBroadcast, broadcastWithoutOnes, broadcastIsReshape, composeSlices, sliceOfConcatenate, flattenConcatenate,
    padNothing, interleavePads, composeReverses, knownStarts, replaceWhole, iotaOfOne,
  ]

  /// `reshape(x) -> x` to its own dimensions; `reshape(reshape(x)) -> reshape(x)`.
  static let composeReshapes = Rule("compose-reshapes") { op, operands, b throws(OpError) in
    guard case .reshape(let reshape) = op else { return nil }
    if b.type(of: operands[0]).dimensions == reshape.resultDimensions { return operands[0] }
    guard case .reshape = b.op(operands[0]) else { return nil }
    return try b.append(op, b.target[operands[0]].operands)
  }

  /// `reshape(broadcast(x)) -> broadcast(x)` where the reshape only adds and removes dimensions of extent 1.
  static let reshapeOfBroadcast = Rule("reshape-of-broadcast") { op, operands, b throws(OpError) in
    guard case .reshape(let reshape) = op, case .broadcastInDim(let broadcast) = b.op(operands[0]) else { return nil }
    let before = b.type(of: operands[0])
    let after = TensorType(before.elementType, reshape.resultDimensions)
    let source = b.target[operands[0]].operands[0]
    guard before.significantExtents == after.significantExtents, !b.type(of: source).dimensions.contains(.one) else {
      return nil
    }
    let places = Dictionary(uniqueKeysWithValues: zip(before.significantDimensions, after.significantDimensions))
    let dimensions = broadcast.dimensions.compactMap { places[$0] }
    guard dimensions.count == broadcast.dimensions.count else { return nil }
    return try b.append(
      .broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: after.dimensions)), [source])
  }

  /// `transpose(x, identity) -> x`; `transpose(transpose(x, p), q) -> transpose(x, p∘q)`.
  static let composeTransposes = Rule("compose-transposes") { op, operands, b throws(OpError) in
    guard case .transpose(let outer) = op else { return nil }
    if outer.permutation == Array(outer.permutation.indices) { return operands[0] }
    guard case .transpose(let inner) = b.op(operands[0]) else { return nil }
    let permutation = outer.permutation.map { inner.permutation[$0] }
    return try b.append(.transpose(Transpose(permutation: permutation)), b.target[operands[0]].operands)
  }

  /// `transpose(x) -> reshape(x)` where only dimensions of extent 1 change their places.
  static let transposeIsReshape = Rule("transpose-is-reshape") { op, operands, b throws(OpError) in
    guard case .transpose(let transpose) = op else { return nil }
    let type = b.type(of: operands[0])
    let moved = transpose.permutation.filter { type.dimensions[$0] != .one }
    guard moved == moved.sorted() else { return nil }
    return try b.reshaped(operands[0], to: transpose.permutation.map { type.dimensions[$0] })
  }

  /// `transpose(broadcast(x)) -> broadcast(x)`
  static let transposeOfBroadcast = Rule("transpose-of-broadcast") { op, operands, b throws(OpError) in
    guard case .transpose(let transpose) = op, case .broadcastInDim(let broadcast) = b.op(operands[0]) else {
      return nil
    }
    let place = transpose.permutation.inverted
    let result = transpose.permutation.map { broadcast.resultDimensions[$0] }
    let dimensions = broadcast.dimensions.map { place[$0] }
    return try b.append(
      .broadcastInDim(BroadcastInDim(dimensions: dimensions, resultDimensions: result)),
      b.target[operands[0]].operands)
  }

  /// `broadcast(broadcast(x, d), e) -> broadcast(x, e∘d)`
  static let composeBroadcasts = Rule("compose-broadcasts") { op, operands, b throws(OpError) in
    guard case .broadcastInDim(let outer) = op, case .broadcastInDim(let inner) = b.op(operands[0]) else { return nil }
    let dimensions = inner.dimensions.map { outer.dimensions[$0] }
    let new = BroadcastInDim(dimensions: dimensions, resultDimensions: outer.resultDimensions)
    return try b.append(.broadcastInDim(new), b.target[operands[0]].operands)
  }

  /// `broadcast(reshape(broadcast(x)))` where the reshape joins dimensions `-> reshape(broadcast(x))`: a tile that is repeated is
  /// spread once, along dimensions of which none has to be divided.
  static let repeatBroadcast = Rule("repeat-broadcast") { op, operands, b throws(OpError) in
    guard case .broadcastInDim(let outer) = op, case .reshape = b.op(operands[0]) else { return nil }
    let source = b.target[operands[0]].operands[0]
    let joined = b.type(of: operands[0]).dimensions
    guard case .broadcastInDim = b.op(source), let parts = b.type(of: source).dimensions.grouped(into: joined),
      zip(joined, outer.dimensions).allSatisfy({ $0 == outer.resultDimensions[$1] })
    else { return nil }
    var result: [Extent] = []
    var places = [Int](repeating: 0, count: b.type(of: source).rank)
    for (d, extent) in outer.resultDimensions.enumerated() {
      guard let operand = outer.dimensions.firstIndex(of: d) else {
        result.append(extent)
        continue
      }
      for part in parts[operand] {
        places[part] = result.count
        result.append(b.type(of: source).dimensions[part])
      }
    }
    let spread = BroadcastInDim(dimensions: places, resultDimensions: result)
    return try b.reshaped(try b.append(.broadcastInDim(spread), [source]), to: outer.resultDimensions)
  }

  /// `broadcast(x : 3x1) -> broadcast(reshape(x) : 3)`: repeated dimensions are new ones.
  static let broadcastWithoutOnes = Rule("broadcast-without-ones") { op, operands, b throws(OpError) in
    guard case .broadcastInDim(let broadcast) = op else { return nil }
    let type = b.type(of: operands[0])
    let kept = type.significantDimensions
    guard kept.count < type.rank else { return nil }
    let source = try b.reshaped(operands[0], to: kept.map { type.dimensions[$0] })
    let dimensions = kept.map { broadcast.dimensions[$0] }
    let new = BroadcastInDim(dimensions: dimensions, resultDimensions: broadcast.resultDimensions)
    return try b.append(.broadcastInDim(new), [source])
  }

  /// `broadcast(x) -> reshape(x)` where only dimensions of extent 1 are added; `-> transpose` where others move as well.
  static let broadcastIsReshape = Rule("broadcast-is-reshape") { op, operands, b throws(OpError) in
    guard case .broadcastInDim(let broadcast) = op else { return nil }
    let type = b.type(of: operands[0])
    let added = broadcast.resultDimensions.indices.filter { !broadcast.dimensions.contains($0) }
    guard added.allSatisfy({ broadcast.resultDimensions[$0] == .one }),
      zip(type.dimensions, broadcast.dimensions).allSatisfy({ $0 == broadcast.resultDimensions[$1] })
    else { return nil }
    let order = broadcast.dimensions.indices.sorted { broadcast.dimensions[$0] < broadcast.dimensions[$1] }
    let sorted = try b.append(.transpose(Transpose(permutation: order)), operands)
    return try b.reshaped(sorted, to: broadcast.resultDimensions)
  }

  /// `slice(x, all) -> x`; `slice(slice(x)) -> slice(x)`.
  static let composeSlices = Rule("compose-slices") { op, operands, b throws(OpError) in
    guard case .slice(let outer) = op else { return nil }
    let type = b.type(of: operands[0])
    if outer.starts.allSatisfy({ $0 == .zero }), outer.limits == type.dimensions, outer.strides.allSatisfy({ $0 == 1 })
    {
      return operands[0]
    }
    guard case .slice(let inner) = b.op(operands[0]) else { return nil }
    var new = outer
    for d in outer.starts.indices {
      let count = (outer.limits[d] - outer.starts[d] + (outer.strides[d] - 1))
        .floorDivided(by: Extent(outer.strides[d]))
      guard let fixed = count.fixed, fixed > 0 || inner.strides[d] == 1 && outer.strides[d] == 1 else { return nil }
      new.starts[d] = inner.starts[d] + outer.starts[d] * inner.strides[d]
      new.strides[d] = inner.strides[d] * outer.strides[d]
      new.limits[d] = fixed == 0 ? new.starts[d] : new.starts[d] + (fixed - 1) * new.strides[d] + 1
    }
    return try b.append(.slice(new), b.target[operands[0]].operands)
  }

  /// `slice(concatenate(x, y)) -> slice(y)` where the slice lies in one operand.
  static let sliceOfConcatenate = Rule("slice-of-concatenate") { op, operands, b throws(OpError) in
    guard case .slice(var slice) = op, case .concatenate(let concatenate) = b.op(operands[0]) else { return nil }
    let d = concatenate.dimension
    guard let start = slice.starts[d].fixed, let limit = slice.limits[d].fixed, start < limit else { return nil }
    var offset = 0
    for operand in b.target[operands[0]].operands {
      guard let extent = b.type(of: operand).dimensions[d].fixed else { return nil }
      if start >= offset, limit <= offset + extent {
        slice.starts[d] = Extent(start - offset)
        slice.limits[d] = Extent(limit - offset)
        return try b.append(.slice(slice), [operand])
      }
      offset += extent
    }
    return nil
  }

  /// `concatenate(x) -> x`; operands without elements are dropped; `concatenate(concatenate(x, y), z) -> concatenate(x, y, z)`
  /// where that has few enough operands.
  static let flattenConcatenate = Rule("flatten-concatenate") { op, operands, b throws(OpError) in
    guard case .concatenate(let concatenate) = op else { return nil }
    if operands.count == 1 { return operands[0] }
    var parts: [ValueID] = []
    var count = operands.count
    for operand in operands {
      let parted = b.target[operand].operands
      if case .concatenate(let inner) = b.op(operand), inner == concatenate,
        count + parted.count - 1 <= Concatenate.operandLimit
      {
        count += parted.count - 1
        parts.append(contentsOf: parted)
      } else if b.type(of: operand).dimensions[concatenate.dimension] != .zero {
        parts.append(operand)
      }
    }
    guard parts != operands, !parts.isEmpty else { return nil }
    return try b.append(op, parts)
  }

  /// `pad(x, nothing) -> x`
  static let padNothing = Rule("pad-nothing") { op, operands, b in
    guard case .pad(let pad) = op, pad.low.allSatisfy({ $0 == .zero }), pad.high.allSatisfy({ $0 == .zero }) else {
      return nil
    }
    let type = b.type(of: operands[0])
    let hasHoles = zip(pad.interior, type.dimensions).contains { $0 > 0 && $1 != .one && $1 != .zero }
    return hasHoles ? nil : operands[0]
  }

  /// `reverse(reverse(x, d), e) -> reverse(x, d xor e)`; dimensions of extent 1 are not reversed; `reverse(x, []) -> x`.
  static let composeReverses = Rule("compose-reverses") { op, operands, b throws(OpError) in
    guard case .reverse(let outer) = op else { return nil }
    let type = b.type(of: operands[0])
    if case .reverse(let inner) = b.op(operands[0]) {
      let dimensions = Set(outer.dimensions).symmetricDifference(inner.dimensions).sorted()
      return try b.append(.reverse(Reverse(dimensions: dimensions)), b.target[operands[0]].operands)
    }
    let needed = outer.dimensions.filter { type.dimensions[$0] != .one }
    if needed.isEmpty { return operands[0] }
    return needed == outer.dimensions ? nil : try b.append(.reverse(Reverse(dimensions: needed)), operands)
  }

  /// `dynamic_slice(x, constants) -> slice(x)`
  static let knownStarts = Rule("known-starts") { op, operands, b throws(OpError) in
    guard case .dynamicSlice(let dynamic) = op else { return nil }
    let type = b.type(of: operands[0])
    var starts: [Extent] = []
    for (d, operand) in operands.dropFirst().enumerated() {
      if dynamic.sliceExtents[d] == type.dimensions[d] {
        starts.append(.zero)
        continue
      }
      guard let start = b.literal(operand), let extent = type.dimensions[d].fixed,
        let length = dynamic.sliceExtents[d].fixed
      else { return nil }
      let value = start[0].integerValue
      let isHuge = start.elementType == .ui64 && value < 0
      starts.append(Extent(max(0, min(isHuge ? Int.max : Int(value), extent - length))))
    }
    let limits = zip(starts, dynamic.sliceExtents).map { $0 + $1 }
    let slice = Slice(starts: starts, limits: limits, strides: starts.map { _ in 1 })
    return try b.append(.slice(slice), [operands[0]])
  }

  /// `dynamic_update_slice(x, y, starts) -> y` where y has the dimensions of x; `-> x` where y has no elements.
  static let replaceWhole = Rule("replace-whole") { op, operands, b in
    guard case .dynamicUpdateSlice = op else { return nil }
    let (x, y) = (b.type(of: operands[0]), b.type(of: operands[1]))
    if x.dimensions == y.dimensions { return operands[1] }
    return y.dimensions.contains(.zero) ? operands[0] : nil
  }

  /// `iota -> 0` along a dimension of extent 1.
  static let iotaOfOne = Rule("iota-of-one") { op, operands, b throws(OpError) in
    guard case .iota(let iota) = op, let dimensions = iota.resultType.fixedDimensions,
      dimensions[iota.dimension] == 1
    else { return nil }
    let type = iota.resultType.elementType
    return try b.constant(Literal(type, dimensions, splat: .zero(type)))
  }
}

extension [Extent] {
  /// For each of `joined`, which of these dimensions it consists of, in order; nil where one is cut.
  fileprivate func grouped(into joined: [Extent]) -> [Range<Int>]? {
    var groups: [Range<Int>] = []
    var end = 0
    for (number, extent) in joined.enumerated() {
      let start = end
      var product = Extent.one
      while end < count, product != extent || number == joined.count - 1 {
        product *= self[end]
        end += 1
      }
      guard product == extent else { return nil }
      groups.append(start..<end)
    }
    return end == count ? groups : nil
  }
}
