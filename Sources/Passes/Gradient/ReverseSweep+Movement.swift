import IR

extension ReverseSweep {
  /// `broadcast_in_dim`: the sum over what was repeated.
  mutating func pullBack(_ op: BroadcastInDim, _ g: ValueID, _ x: ValueID) throws(OpError) {
    guard wants(x) else { return }
    let type = c.type(x)
    let repeats = { (d: Int) in type.dimensions[d] == .one && op.resultDimensions[op.dimensions[d]] != .one }
    let kept = op.dimensions.indices.filter { !repeats($0) }
    let places = kept.map { op.dimensions[$0] }
    let folded = op.resultDimensions.indices.filter { !places.contains($0) }
    let sum = folded.isEmpty ? g : try c.fold(.add, g, over: folded)
    let sorted = places.sorted()
    let order = places.map { place in sorted.firstIndex(of: place) ?? 0 }
    try give(c.reshaped(c.transposed(sum, order), type.dimensions), to: x)
  }

  /// `slice`: the cotangent padded, with zeros between its elements where the slice has strides.
  mutating func pullBack(_ op: Slice, _ g: ValueID, _ x: ValueID) throws(OpError) {
    guard wants(x) else { return }
    let extents = c.type(g).dimensions
    var pad = Pad(low: op.starts, high: [], interior: op.strides.map { $0 - 1 })
    for (d, extent) in c.type(x).dimensions.enumerated() {
      let holes = op.strides[d] == 1 ? .zero : Extent.maximum(extents[d] - 1, .zero) * (op.strides[d] - 1)
      pad.high.append(extent - op.starts[d] - extents[d] - holes)
    }
    try give(c.append(.pad(pad), g, c.scalar(.zero(c.type(g).elementType), c.type(g).elementType)), to: x)
  }

  /// `pad`: the part that is the operand; of the value, the sum of the rest.
  mutating func pullBack(_ op: Pad, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    let part = try c.unpadded(op, g, c.type(x[0]).dimensions)
    try give(part, to: x[0])
    guard wants(x[1]) else { return }
    let (all, own) = (Array(c.type(g).dimensions.indices), Array(c.type(part).dimensions.indices))
    try give(c.subtract(c.fold(.add, g, over: all), c.fold(.add, part, over: own)), to: x[1])
  }

  /// `concatenate`: each operand's part.
  mutating func pullBack(_ op: Concatenate, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    var start = Extent.zero
    for operand in x {
      let limit = start + c.type(operand).dimensions[op.dimension]
      if wants(operand) { try give(c.slice(g, op.dimension, start, limit), to: operand) }
      start = limit
    }
  }

  /// `dynamic_slice`: the cotangent at the slice's place. Where the operand has a cotangent already, only that part of it
  /// changes: a loop that reads a slice in each round costs no more than the slices.
  mutating func pullBack(_ op: DynamicSlice, _ g: ValueID, _ x: [ValueID]) throws(OpError) {
    guard wants(x[0]) else { return }
    let starts = Array(x.dropFirst())
    guard let before = collected(x[0]) else {
      let zeros = try c.zeros(c.type(x[0]))
      return try give(c.append(.dynamicUpdateSlice(DynamicUpdateSlice()), [zeros, g] + starts), to: x[0])
    }
    var sum = g
    if !writtenParameters.contains(x[0]) { sum = try c.add(c.append(.dynamicSlice(op), [before] + starts), g) }
    set(try c.append(.dynamicUpdateSlice(DynamicUpdateSlice()), [before, sum] + starts), asCotangentOf: x[0])
  }

  /// `dynamic_update_slice`: the slice for the update, the rest for the operand.
  mutating func pullBackUpdate(_ g: ValueID, _ x: [ValueID]) throws(OpError) {
    let starts = Array(x.dropFirst(2))
    if wants(x[1]) {
      let slice = DynamicSlice(sliceExtents: c.type(x[1]).dimensions)
      try give(c.append(.dynamicSlice(slice), [g] + starts), to: x[1])
    }
    guard wants(x[0]) else { return }
    let zeros = try c.zeros(c.type(x[1]))
    try give(c.append(.dynamicUpdateSlice(DynamicUpdateSlice()), [g, zeros] + starts), to: x[0])
  }
}

extension Composer {
  /// The elements of a padded value that are not padding; zeros where the padding removed them.
  mutating func unpadded(_ op: Pad, _ value: ValueID, _ extents: [Extent]) throws(OpError) -> ValueID {
    let element = type(value).elementType
    let none = op.interior.map { _ in 0 }
    let undo = Pad(low: op.low.map { -$0 }, high: op.high.map { -$0 }, interior: none)
    let isUnmoved = (op.low + op.high).allSatisfy { $0 == .zero }
    let whole = isUnmoved ? value : try append(.pad(undo), value, scalar(.zero(element), element))
    if op.interior == none { return whole }
    var slice = Slice(
      starts: extents.map { _ in .zero }, limits: type(whole).dimensions, strides: op.interior.map { $0 + 1 })
    // Up to the last element, so that their number is an open extent itself; there must be one then.
    for (d, extent) in extents.enumerated() where !extent.isFixed && slice.strides[d] > 1 {
      slice.limits[d] = (extent - 1) * slice.strides[d] + 1
    }
    return try reshaped(append(.slice(slice), whole), extents)
  }

  mutating func slice(_ value: ValueID, _ dimension: Int, _ start: Extent, _ limit: Extent) throws(OpError) -> ValueID {
    let extents = type(value).dimensions
    var slice = Slice(starts: extents.map { _ in .zero }, limits: extents, strides: extents.map { _ in 1 })
    if start == .zero, limit == extents[dimension] { return value }
    slice.starts[dimension] = start
    slice.limits[dimension] = limit
    return try append(.slice(slice), value)
  }
}
