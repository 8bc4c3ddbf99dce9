import GraphBuilding
import IR

extension Operator {
  /// Ops that depend on how the dimensions of images are ordered, and older forms of others.
  static let formats: [Operator] = [
    Operator("DataFormatVecPermute", one: permuted), Operator("DataFormatDimMap", one: mapped),
    Operator("DynamicStitch", one: stitched), Operator("ParallelDynamicStitch", one: stitched),
    Operator(
      "SparseToDense",
      one: { (n) throws(OpError) in
        n.ignore("validate_indices")
        let (indices, values) = (try n.input(0), try n.input(2))
        let shape = try n.shapeInput(1, "output shape")
        let start = try n.broadcast(n.reshape(try n.input(3), []), to: shape, at: [])
        let points = try indices.rank == 2 ? indices : n.reshape(indices, [indices.type.elementCount, .one])
        guard points.rank == 2, points.shape[1] == Extent(shape.count), values.rank <= 1 else {
          throw OpError("\(indices.type) does not name places of \(shape) for \(values.type)")
        }
        return try n.scatter(n.broadcast(values, to: [points.shape[0]]), into: start, at: points, nil)
      }),
    Operator(
      "NthElement",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        let place = try n.extent(1, "n")
        let direction: ComparisonDirection = try n.flag("reverse") ? .greater : .less
        guard x.rank > 0 else { throw OpError("it takes lines, not a scalar") }
        if let fixed = place.fixed, fixed < 0 || fixed >= x.shape[x.rank - 1].fixed ?? .max {
          throw OpError("it asks for element \(fixed) of \(x.type)")
        }
        let sorted = try n.sort([x], axis: x.rank - 1, direction)[0]
        return try n.squeeze(n.slice(sorted, axis: x.rank - 1, place, place + 1), x.rank - 1)
      }),
    Operator("DynamicPartition", parts),
    Operator("ListDiff", outputs: ["out", "idx"]) { (n) throws(OpError) in
      let (x, y) = (try n.input(0), try n.input(1))
      let element = try n.elementType("out_idx", default: .i32)
      guard x.rank == 1, y.rank == 1 else { throw OpError("it takes lists, not \(x.type) and \(y.type)") }
      let isThere = try n.reduce(n.compare(.equal, n.unsqueeze(x, 1), n.unsqueeze(y, 0)), [1], .or)
      let places = try n.positions(of: n.map(.not, isThere), "difference")
      return [try n.take(x, places, axis: 0), try n.convert(places, element)]
    },
    Operator("SparseTensorDenseMatMul", one: sparseProduct),
    Operator(
      "Empty",
      one: { (n) throws(OpError) in
        n.ignore("init")
        let element = try n.elementType("dtype")
        return try n.filled(n.shapeInput(0), .zero(element), element)
      }),
  ]

  /// The product of a matrix, of which some elements are given and the others are zeros, with another one.
  private static func sparseProduct(_ n: inout Lowering) throws(OpError) -> Value {
    let (places, values) = (try n.input(0), try n.input(1))
    let shape = try n.shapeInput(2)
    let isTurned = try n.flag("adjoint_a")
    var b = try n.input(3)
    guard places.rank == 2, places.shape[1] == 2, values.rank == 1, shape.count == 2, b.rank == 2 else {
      throw OpError("its matrices are \(places.type) of \(shape) and \(b.type)")
    }
    if try n.flag("adjoint_b") { b = try n.adjoint(b) }
    let side = isTurned ? 1 : 0
    try n.unify([b.shape[0]], [shape[1 - side]], "it multiplies a matrix of \(shape) with \(b.type)")
    let rows = try n.slice(places, axis: 1, Extent(side), Extent(side + 1))
    let columns = try n.slice(places, axis: 1, Extent(1 - side), Extent(2 - side))
    let factors = try n.unsqueeze(isTurned ? n.conjugate(values) : values, 1)
    let terms = try n.multiply(factors, n.take(b, n.squeeze(columns, 1), axis: 0))
    let zeros = try n.filled([shape[side], b.shape[1]], .zero(b.element), b.element)
    return try n.scatter(terms, into: zeros, at: rows, .add)
  }

  // MARK: Orders of dimensions

  /// For each dimension of the second format, which one it is of the first.
  private static func order(_ n: inout Lowering) throws(OpError) -> (from: [Character], to: [Character]) {
    let from = Array(try n.string("src_format", default: "NHWC"))
    let to = Array(try n.string("dst_format", default: "NCHW"))
    guard from.sorted() == to.sorted(), Set(from).count == from.count else {
      throw OpError("its formats are '\(String(from))' and '\(String(to))'")
    }
    return (from, to)
  }

  /// Numbers for each dimension, or for those of space, in the order of another format.
  private static func permuted(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    var (from, to) = try order(&n)
    guard x.rank == 1 || x.rank == 2, let count = x.shape[0].fixed else { throw OpError("it orders \(x.type)") }
    if count == from.count - 2 { (from, to) = (from.filter { !"NC".contains($0) }, to.filter { !"NC".contains($0) }) }
    guard count == from.count else { throw OpError("\(x.type) has no numbers for '\(String(from))'") }
    return try n.take(x, n.vector(to.compactMap { from.firstIndex(of: $0) }), axis: 0)
  }

  /// The dimensions that numbers of the first format have in the second one.
  private static func mapped(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let (from, to) = try order(&n)
    let places = from.compactMap { to.firstIndex(of: $0) }
    let table = places + places
    if let known = n.folded(
      x, x.element,
      { _, dimension in
        guard let fixed = dimension.fixed, table.indices.contains(fixed + places.count) else { return nil }
        return Extent(table[fixed + places.count])
      })
    {
      return known
    }
    return try n.take(n.vector(places, x.element), x, axis: 0)
  }

  // MARK: Rows put together and apart

  /// Rows at places that are known; of those that share a place the last one.
  private static func stitched(_ n: inout Lowering) throws(OpError) -> Value {
    let count = try n.int("N", default: n.inputCount / 2)
    guard count > 0, n.inputCount == 2 * count else {
      throw OpError("it has \(n.inputCount) inputs for \(count) lists")
    }
    let first = (try n.input(0), try n.input(count))
    let rest = Array(first.1.shape.dropFirst(first.0.rank))
    var sources: [Int?] = []
    var rows: [Value] = []
    var start = 0
    for index in 0..<count {
      let (places, data) = (try n.input(index), try n.input(count + index))
      try n.unify(data.shape, places.shape + rest, "\(places.type) does not number the rows of \(data.type)")
      for place in try n.integers(of: places, "indices") {
        guard (0..<1 << 24).contains(place) else { throw OpError("its index is \(place)") }
        if place >= sources.count { sources += [Int?](repeating: nil, count: place + 1 - sources.count) }
        sources[place] = start
        start += 1
      }
      rows.append(try n.reshape(data, [places.type.elementCount] + rest))
    }
    // Of places that no index names nothing is said: they are zeros.
    let isWhole = sources.allSatisfy { $0 != nil }
    if !isWhole { rows.append(try n.filled([.one] + rest, .zero(first.1.element), first.1.element)) }
    let table = try n.joined(rows, 0)
    if sources.isEmpty { return try n.slice(table, axis: 0, 0, 0) }
    return try n.take(table, n.vector(sources.map { $0 ?? start }), axis: 0)
  }

  /// Rows by the number of the part that each belongs to; data decides how many a part has.
  private static func parts(_ n: inout Lowering) throws(OpError) -> [Value] {
    let (x, numbers) = (try n.input(0), try n.input(1))
    let count = try n.int("num_partitions", default: 1)
    guard (1...1 << 10).contains(count) else { throw .unsupported("\(count) parts") }
    try n.unify(
      numbers.shape, Array(x.shape.prefix(numbers.rank)), "\(numbers.type) does not number the rows of \(x.type)")
    let total = numbers.type.elementCount
    let line = try n.reshape(numbers, [total])
    let rows = try n.reshape(x, [total] + x.shape.dropFirst(numbers.rank))
    var parts: [Value] = []
    for part in 0..<count {
      let places = try n.positions(of: n.compare(.equal, line, Double(part)), "part")
      parts.append(try n.take(rows, places, axis: 0))
    }
    return parts
  }
}
