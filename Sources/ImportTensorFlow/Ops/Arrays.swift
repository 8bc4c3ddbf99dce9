import GraphBuilding
import IR

extension Operator {
  /// Ops that put tensors together, take them apart, and pad them.
  static let arrays: [Operator] = [
    Operator(
      "ConcatV2",
      one: { (n) throws(OpError) in
        n.ignore("N")
        let axis = try n.integer(n.inputCount - 1, "axis")
        return try n.joined(Array(try n.allInputs().dropLast()), axis)
      }),
    Operator(
      "Concat",
      one: { (n) throws(OpError) in
        n.ignore("N")
        let axis = try n.integer(0, "axis")
        return try n.joined(Array(try n.allInputs().dropFirst()), axis)
      }),
    Operator("Pack", one: pack),
    Operator("Unpack", unpack),
    Operator("Split") { (n) throws(OpError) in
      let x = try n.input(1)
      let axis = try n.axis(try n.integer(0, "axis"), rank: x.rank)
      let count = try n.int("num_split", default: 1)
      guard count > 0, count < 1 << 20 else { throw OpError("it has \(count) parts") }
      let part = x.shape[axis].floorDivided(by: Extent(count))
      guard part * count == x.shape[axis] else { throw OpError("\(x.type) does not fall into \(count) parts") }
      return try n.split(x, axis, [Extent](repeating: part, count: count))
    },
    Operator("SplitV") { (n) throws(OpError) in
      n.ignore("num_split")
      let x = try n.input(0)
      var parts = try n.extents(of: try n.input(1), "extents")
      let axis = try n.axis(try n.integer(2, "axis"), rank: x.rank)
      if let open = parts.firstIndex(of: Extent(-1)) {
        parts[open] = .zero
        parts[open] = x.shape[axis] - parts.reduce(.zero, +)
      }
      guard parts.reduce(.zero, +) == x.shape[axis], parts.allSatisfy({ ($0.fixed ?? 0) >= 0 }) else {
        throw OpError("its parts \(parts) do not make up dimension \(axis) of \(x.type)")
      }
      return try n.split(x, axis, parts)
    },
    Operator("Tile", one: { (n) throws(OpError) in try n.tile(try n.input(0), n.shapeInput(1, "multiples")) }),
    Operator(
      "Pad",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try pad(&n, x, n.scalar(0, x.element))
      }),
    Operator("PadV2", one: { (n) throws(OpError) in try pad(&n, try n.input(0), n.reshape(try n.input(2), [])) }),
    Operator("MirrorPad", one: { (n) throws(OpError) in try mirrorPad(&n, try n.input(0)) }),
    Operator(
      "ReverseV2",
      one: { (n) throws(OpError) in
        let x = try n.input(0)
        return try n.reverse(x, n.axes(try n.integers(of: try n.input(1), "axes"), rank: x.rank))
      }),
    Operator("ReverseSequence", one: reverseSequence),
    Operator("Roll", one: roll),
    Operator("DepthToSpace", one: depthToSpace), Operator("SpaceToDepth", one: spaceToDepth),
    Operator(
      "BatchToSpaceND",
      one: { (n) throws(OpError) in
        let (x, block, amounts) = try blockInput(&n, "crops")
        return try batchToSpace(&n, x, block, amounts)
      }),
    Operator(
      "SpaceToBatchND",
      one: { (n) throws(OpError) in
        let (x, block, amounts) = try blockInput(&n, "paddings")
        return try spaceToBatch(&n, x, block, amounts)
      }),
    Operator("MatrixBandPart", one: bandPart),
  ]

  // MARK: - Together and apart

  private static func pack(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("N")
    let inputs = try n.allInputs()
    guard let first = inputs.first else { throw OpError("it has no inputs") }
    let axis = try n.axis(try n.int("axis", default: 0), rank: first.rank + 1)
    for input in inputs where input.rank != first.rank { throw OpError("it packs \(first.type) and \(input.type)") }
    if first.rank == 0 {
      var content: [Extent] = []
      for input in inputs { content += n.content(of: input) ?? [] }
      if content.count == inputs.count { return n.known(content, first.element, [content.count]) }
    }
    var parts: [Value] = []
    for input in inputs { parts.append(try n.unsqueeze(input, axis)) }
    return try n.joined(parts, axis)
  }

  private static func unpack(_ n: inout Lowering) throws(OpError) -> [Value] {
    let x = try n.input(0)
    let axis = try n.axis(try n.int("axis", default: 0), rank: x.rank)
    let count = try n.int("num", default: 0)
    guard (0...1 << 16).contains(count) else { throw .unsupported("\(count) parts") }
    guard x.shape[axis] == Extent(count) else {
      guard x.shape[axis].isFixed else { throw n.inequality(x.shape[axis], Extent(count)) }
      throw OpError("dimension \(axis) of \(x.type) does not fall into \(count) parts")
    }
    var parts: [Value] = []
    for part in try n.split(x, axis, [Extent](repeating: .one, count: count)) {
      parts.append(try n.squeeze(part, axis))
    }
    return parts
  }

  // MARK: - Padding

  /// The numbers before and behind each dimension.
  static func paddings(_ n: inout Lowering, _ x: Value) throws(OpError) -> (low: [Extent], high: [Extent]) {
    let pads = try n.shapeInput(1, "paddings")
    guard pads.count == 2 * x.rank else { throw OpError("it has \(pads.count) paddings for \(x.type)") }
    return (x.shape.indices.map { pads[2 * $0] }, x.shape.indices.map { pads[2 * $0 + 1] })
  }

  private static func pad(_ n: inout Lowering, _ x: Value, _ value: Value) throws(OpError) -> Value {
    let (low, high) = try paddings(&n, x)
    return try n.pad(x, value, low: low, high: high)
  }

  static func mirrorPad(_ n: inout Lowering, _ x: Value) throws(OpError) -> Value {
    var result = x
    let (low, high) = try paddings(&n, result)
    let mode = try n.string("mode", default: "REFLECT")
    guard mode == "REFLECT" || mode == "SYMMETRIC" else { throw OpError("attribute 'mode' is '\(mode)'") }
    for axis in result.shape.indices {
      guard let before = low[axis].fixed, let after = high[axis].fixed else {
        throw .unsupported("paddings that are symbols")
      }
      guard mode == "SYMMETRIC" else {
        result = try n.extended(result, axis, low: before, high: after, mode: "reflect")
        continue
      }
      var parts: [Value] = []
      let extent = result.shape[axis]
      if let fixed = extent.fixed, max(before, after) > fixed {
        throw OpError("it pads \(result.type) by more than it has")
      }
      n.arithmetic.require(extent, atLeast: max(before, after))
      if before > 0 { parts.append(try n.reverse(n.slice(result, axis: axis, 0, Extent(before)), [axis])) }
      parts.append(result)
      if after > 0 { parts.append(try n.reverse(n.slice(result, axis: axis, extent - after, extent), [axis])) }
      result = try n.concatenate(parts, axis: axis)
    }
    return result
  }

  // MARK: - Order

  /// Reverses the first elements of each line, as many as a vector says.
  private static func reverseSequence(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, lengths) = (try n.input(0), try n.input(1))
    let axis = try n.axis(try n.int("seq_dim", default: 0), rank: x.rank)
    let batch = try n.axis(try n.int("batch_dim", default: 0), rank: x.rank)
    guard lengths.rank == 1, lengths.shape[0] == x.shape[batch] else {
      guard lengths.rank == 1, !lengths.shape[0].isFixed || !x.shape[batch].isFixed else {
        throw OpError("\(lengths.type) does not say a length for each line of \(x.type)")
      }
      throw n.inequality(lengths.shape[0], x.shape[batch])
    }
    let shape = [x.shape[batch], x.shape[axis]]
    let position = try n.iota(.i64, shape, axis: 1)
    let length = try n.broadcast(n.convert(lengths, .i64), to: shape, at: [0])
    let mirrored = try n.subtract(n.subtract(length, position), 1)
    let source = try n.select(n.compare(.less, position, length), mirrored, position)
    let indices = try n.broadcast(source, to: x.shape, at: [batch, axis])
    guard batch < axis else {
      let transposed = try n.transpose(source, [1, 0])
      return try n.gather(x, at: n.points(n.broadcast(transposed, to: x.shape, at: [axis, batch]), axis: axis, in: x))
    }
    return try n.gather(x, at: n.points(indices, axis: axis, in: x))
  }

  private static func roll(_ n: inout Lowering) throws(OpError) -> Value {
    var x = try n.input(0)
    let shifts = try n.integers(of: try n.input(1), "shift")
    let axes = try n.integers(of: try n.input(2), "axis")
    guard shifts.count == axes.count else { throw OpError("it has \(shifts.count) shifts for \(axes.count) axes") }
    for (shift, axis) in zip(shifts, axes) {
      let axis = try n.axis(axis, rank: x.rank)
      guard let extent = x.shape[axis].fixed else { throw .unsupported("a dimension of extent \(x.shape[axis])") }
      guard extent > 0 else { continue }
      let start = (extent - shift % extent) % extent
      if start == 0 { continue }
      let parts = [
        try n.slice(x, axis: axis, Extent(start), Extent(extent)), try n.slice(x, axis: axis, 0, Extent(start)),
      ]
      x = try n.concatenate(parts, axis: axis)
    }
    return x
  }

  // MARK: - Blocks

  private static func image(_ n: inout Lowering) throws(OpError) -> (Value, block: Extent) {
    let format = try n.string("data_format", default: "NHWC")
    guard format == "NHWC" else { throw .unsupported("data_format \(format)") }
    let x = try n.input(0)
    let block = try n.int("block_size", default: 2)
    guard x.rank == 4, block > 0, block < 1 << 20 else { throw OpError("it has blocks of \(block) in \(x.type)") }
    return (x, Extent(block))
  }

  private static func depthToSpace(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, b) = try image(&n)
    let features = x.shape[3].floorDivided(by: b * b)
    guard features * b * b == x.shape[3] else { throw n.misfit(x, "blocks of \(b)") }
    let blocks = try n.reshape(x, [x.shape[0], x.shape[1], x.shape[2], b, b, features])
    return try n.reshape(
      n.transpose(blocks, [0, 1, 3, 2, 4, 5]), [x.shape[0], x.shape[1] * b, x.shape[2] * b, features])
  }

  private static func spaceToDepth(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, b) = try image(&n)
    let (rows, columns) = (x.shape[1].floorDivided(by: b), x.shape[2].floorDivided(by: b))
    guard rows * b == x.shape[1], columns * b == x.shape[2] else {
      throw n.misfit(x, "blocks of \(b)")
    }
    let blocks = try n.reshape(x, [x.shape[0], rows, b, columns, b, x.shape[3]])
    return try n.reshape(n.transpose(blocks, [0, 1, 3, 2, 4, 5]), [x.shape[0], rows, columns, b * b * x.shape[3]])
  }

  /// The tensor, the extents of blocks, and what is added or cut off for each.
  private static func blockInput(
    _ n: inout Lowering, _ what: String
  ) throws(OpError) -> (x: Value, block: [Int], amounts: [Extent]) {
    (try n.input(0), try n.integers(of: try n.input(1), "block shape"), try n.shapeInput(2, what))
  }

  private static func checkBlocks(_ x: Value, _ block: [Int], _ amounts: [Extent]) throws(OpError) {
    guard x.rank > block.count, amounts.count == 2 * block.count, block.allSatisfy({ $0 > 0 && $0 < 1 << 20 }),
      block.reduce(1.0, { $0 * Double($1) }) < 1e9
    else {
      throw OpError("it has blocks of \(block) in \(x.type)")
    }
  }

  static func spaceToBatch(
    _ n: inout Lowering, _ image: Value, _ block: [Int], _ amounts: [Extent]
  ) throws(OpError) -> Value {
    try checkBlocks(image, block, amounts)
    var x = image
    var low = [Extent](repeating: .zero, count: x.rank)
    var high = low
    for d in block.indices { (low[d + 1], high[d + 1]) = (amounts[2 * d], amounts[2 * d + 1]) }
    x = try n.pad(x, n.scalar(0, x.element), low: low, high: high)
    var parts = [x.shape[0]]
    var cells: [Extent] = []
    for (d, extent) in block.enumerated() {
      let count = x.shape[d + 1].floorDivided(by: Extent(extent))
      guard count * extent == x.shape[d + 1] else { throw n.misfit(x, "blocks of \(block)") }
      parts += [count, Extent(extent)]
      cells.append(count)
    }
    let rest = Array(x.shape[(block.count + 1)...])
    let count = block.count
    let order =
      (0..<count).map { 2 * $0 + 2 } + [0] + (0..<count).map { 2 * $0 + 1 } + rest.indices.map { $0 + 2 * count + 1 }
    let batch = x.shape[0] * block.reduce(1, *)
    return try n.reshape(n.transpose(n.reshape(x, parts + rest), order), [batch] + cells + rest)
  }

  static func batchToSpace(
    _ n: inout Lowering, _ x: Value, _ block: [Int], _ amounts: [Extent]
  ) throws(OpError) -> Value {
    try checkBlocks(x, block, amounts)
    let batch = x.shape[0].floorDivided(by: Extent(block.reduce(1, *)))
    guard batch * block.reduce(1, *) == x.shape[0] else {
      throw n.misfit(x, "blocks of \(block)")
    }
    let count = block.count
    let cells = Array(x.shape[1...count])
    let rest = Array(x.shape[(count + 1)...])
    let parts = block.map { Extent($0) } + [batch] + cells + rest
    var order = [count]
    for d in block.indices { order += [count + 1 + d, d] }
    order += rest.indices.map { $0 + 2 * count + 1 }
    var result = try n.reshape(
      n.transpose(n.reshape(x, parts), order), [batch] + zip(cells, block).map { $0 * $1 } + rest)
    for d in block.indices {
      result = try n.slice(result, axis: d + 1, amounts[2 * d], result.shape[d + 1] - amounts[2 * d + 1])
    }
    return result
  }

  private static func bandPart(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    guard x.rank >= 2 else { throw OpError("its input has \(x.rank) dimensions") }
    let (lower, upper) = (try n.integer(1, "lower band"), try n.integer(2, "upper band"))
    let matrix = Array(x.shape.suffix(2))
    let offset = try n.subtract(n.iota(.i64, matrix, axis: 1), n.iota(.i64, matrix, axis: 0))
    var keeps = n.constant(.scalar(.true, .i1))
    if lower >= 0 { keeps = try n.map(.and, keeps, n.compare(.greaterOrEqual, offset, Double(-lower))) }
    if upper >= 0 { keeps = try n.map(.and, keeps, n.compare(.lessOrEqual, offset, Double(upper))) }
    return try n.select(keeps, x, n.scalar(.zero(x.element), x.element))
  }
}

extension Lowering {
  /// A tensor that does not fall into parts, or of which that is not known.
  func misfit(_ x: Value, _ parts: String) -> OpError {
    guard x.type.hasFixedShape else { return .unsupported("whether \(x.type.detailedDescription) falls into \(parts)") }
    return OpError("\(x.type) does not fall into \(parts)")
  }

  /// Tensors one behind the other along an axis; vectors of known integers stay known.
  mutating func joined(_ inputs: [Value], _ axis: Int) throws(OpError) -> Value {
    guard let first = inputs.first else { throw OpError("it has no inputs") }
    let axis = try self.axis(axis, rank: first.rank)
    for input in inputs {
      guard input.rank == first.rank else { throw OpError("it joins \(first.type) and \(input.type)") }
      for d in input.shape.indices where d != axis && input.shape[d] != first.shape[d] {
        guard input.shape[d].isFixed, first.shape[d].isFixed else { throw inequality(input.shape[d], first.shape[d]) }
        throw OpError("it joins \(first.type) and \(input.type)")
      }
    }
    if first.rank == 1 {
      var content: [Extent] = []
      var isKnown = true
      for input in inputs {
        guard let part = self.content(of: input) else {
          isKnown = false
          break
        }
        content += part
      }
      if isKnown, content.count <= Self.contentLimit { return known(content, first.element, [content.count]) }
    }
    let parts = inputs.filter { $0.shape[axis] != .zero }
    return parts.isEmpty ? first : try concatenate(parts, axis: axis)
  }

  mutating func split(_ x: Value, _ axis: Int, _ extents: [Extent]) throws(OpError) -> [Value] {
    var results: [Value] = []
    var start = Extent.zero
    for extent in extents {
      results.append(try part(x, axis, start, start + extent))
      start += extent
    }
    return results
  }
}
