import GraphBuilding
import IR

extension Operator {
  /// Parts of tensors at positions that are mostly known.
  static let slicing: [Operator] = [
    Operator("Slice", one: slice),
    Operator("StridedSlice", one: { (n) throws(OpError) in try stridedSlice(&n, try n.input(0)) }),
    Operator("TensorStridedSliceUpdate", one: stridedUpdate),
  ]

  private static func slice(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let begin = try n.input(1)
    let sizes = try n.extents(of: try n.input(2), "size")
    guard sizes.count == x.rank, begin.shape == [Extent(x.rank)], begin.element.isInteger else {
      throw OpError("its starts \(begin.type) and \(sizes.count) sizes do not fit \(x.type)")
    }
    if let starts = try? n.extents(of: begin, "begin") {
      var result = x
      for axis in x.shape.indices {
        let limit = sizes[axis] == Extent(-1) ? x.shape[axis] : starts[axis] + sizes[axis]
        if let start = starts[axis].fixed, let end = limit.fixed, let extent = x.shape[axis].fixed,
          start < 0 || end < start || end > extent
        {
          throw OpError("the part from \(start) to \(end) lies outside of dimension \(axis) of \(x.type)")
        }
        if starts[axis] == .zero, limit == x.shape[axis] { continue }
        result = try n.part(result, axis, starts[axis], limit)
      }
      return result
    }
    // Starts that are data: the sizes are fixed.
    var extents = sizes
    for axis in x.shape.indices where sizes[axis] == Extent(-1) {
      guard x.shape[axis] == .one else { throw .unsupported("the rest of dimension \(axis) from a start that is data") }
      extents[axis] = .one
    }
    var starts: [Value] = []
    for part in try n.split(begin, 0, [Extent](repeating: .one, count: x.rank)) {
      starts.append(try n.reshape(part, []))
    }
    return try n.emit(.dynamicSlice(DynamicSlice(sliceExtents: extents)), [x] + starts)
  }

  /// The five masks of a strided slice: bit `i` is about entry `i`.
  private struct Masks {
    var begin, end, ellipsis, new, shrink: Int

    init(_ n: inout Lowering) throws(OpError) {
      begin = try n.int("begin_mask", default: 0)
      end = try n.int("end_mask", default: 0)
      ellipsis = try n.int("ellipsis_mask", default: 0)
      new = try n.int("new_axis_mask", default: 0)
      shrink = try n.int("shrink_axis_mask", default: 0)
    }

    static func has(_ mask: Int, _ index: Int) -> Bool { index < 63 && mask >> index & 1 == 1 }
  }

  /// Python's `x[begin:end:stride, …]`: entries in order, an ellipsis standing for as many dimensions as are left.
  static func stridedSlice(_ n: inout Lowering, _ x: Value) throws(OpError) -> Value {
    let masks = try Masks(&n)
    guard let count = try n.input(1).shape.first?.fixed, try n.input(1).rank == 1 else {
      throw .unsupported("an open number of entries")
    }
    let begins = try entries(&n, 1, count)
    let ends = try entries(&n, 2, count)
    let strides = try n.integers(of: try n.input(3), "strides")
    guard strides.count == count, try n.input(2).shape == [Extent(count)] else {
      throw OpError("its begins, ends and strides differ in number")
    }
    let ellipses = (0..<count).filter { Masks.has(masks.ellipsis, $0) }
    guard ellipses.count <= 1 else { throw OpError("it has two ellipses") }
    let named = (0..<count).filter { !ellipses.contains($0) && !Masks.has(masks.new, $0) }.count
    guard named <= x.rank else { throw OpError("it has \(named) entries for \(x.type)") }
    var result = x
    var shape: [Extent] = []
    var axis = 0
    func pass(_ count: Int) {
      shape += result.shape[axis..<axis + count]
      axis += count
    }
    for entry in 0..<count {
      if Masks.has(masks.ellipsis, entry) {
        pass(x.rank - named)
      } else if Masks.has(masks.new, entry) {
        shape.append(.one)
      } else if Masks.has(masks.shrink, entry) {
        result = try element(&n, of: result, axis, begins[entry])
        axis += 1
      } else {
        let stride = strides[entry]
        guard stride != 0, stride != .min else { throw OpError("its stride is \(stride)") }
        let far = Extent(1 << 31)
        let begin = Masks.has(masks.begin, entry) ? (stride > 0 ? .zero : far) : try known(begins[entry])
        let end = Masks.has(masks.end, entry) ? (stride > 0 ? far : -far) : try known(ends[entry])
        result = try n.slice(result, axis, from: begin, to: end, step: stride, leastStart: -1)
        shape.append(result.shape[axis])
        axis += 1
      }
    }
    pass(x.rank - axis)
    return try n.reshape(result, shape)
  }

  /// `x` with other elements in the place of a strided slice.
  private static func stridedUpdate(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, updates) = (try n.input(0), try n.input(4))
    let places = try n.reshape(n.iota(.i64, [x.type.elementCount], axis: 0), x.shape)
    let part = try stridedSlice(&n, places)
    let count = part.type.elementCount
    try n.unify(updates.shape, part.shape, "\(updates.type) does not fit the part \(part.type)")
    let line = try n.reshape(updates, [count])
    let flat = try n.reshape(x, [x.type.elementCount])
    return try n.reshape(n.scatter(line, into: flat, at: n.reshape(part, [count, .one]), nil), x.shape)
  }

  /// Entries of `begin` or `end`: known integers, or data.
  private static func entries(_ n: inout Lowering, _ index: Int, _ count: Int) throws(OpError) -> [(Extent?, Value)] {
    let input = try n.input(index)
    var content = n.content(of: input)
    if content == nil, let literal = try n.literal(of: input) {
      content = literal.scalars.map { Extent(Int($0.integerValue)) }
    }
    guard let content else {
      return try n.split(input, 0, [Extent](repeating: .one, count: count)).map { (nil, $0) }
    }
    guard content.count == count else { throw OpError("its entries differ in number") }
    return content.map { ($0, input) }
  }

  private static func known(_ entry: (Extent?, Value)) throws(OpError) -> Extent {
    guard let extent = entry.0 else { throw .unsupported("a part whose limits are data") }
    return extent
  }

  /// The part of extent 1 at a position.
  private static func element(
    _ n: inout Lowering, of x: Value, _ axis: Int, _ position: (Extent?, Value)
  ) throws(OpError) -> Value {
    guard let start = position.0 else {
      let index = try n.countedFromFront(n.reshape(position.1, [.one]), [x.shape[axis]])
      var extents = x.shape
      extents[axis] = .one
      let zero = n.scalar(0, index.element)
      let step = try n.reshape(index, [])
      return try n.emit(
        .dynamicSlice(DynamicSlice(sliceExtents: extents)), [x] + x.shape.indices.map { $0 == axis ? step : zero })
    }
    if let fixed = start.fixed, fixed.magnitude > elementCountLimit { throw OpError("its position is \(fixed)") }
    let counted = n.arithmetic.isNonNegative(start) ? start : x.shape[axis] + start
    if let fixed = counted.fixed, fixed < 0 || x.shape[axis].fixed.map({ fixed >= $0 }) ?? false {
      throw OpError("position \(start) lies outside of dimension \(axis) of \(x.type)")
    }
    if let fixed = counted.fixed { n.arithmetic.require(x.shape[axis], atLeast: fixed + 1) }
    return try n.part(x, axis, counted, counted + 1)
  }
}
