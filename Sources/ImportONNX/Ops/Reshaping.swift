import GraphBuilding
import IR

extension Operator {
  /// Ops that give the same elements another shape, order or type.
  static let reshaping: [Operator] = [
    Operator("Identity", one: { (n) throws(OpError) in try n.input(0) }),
    Operator("Cast", one: cast),
    Operator("CastLike", one: castLike),
    Operator("BitCast", one: bitCast),
    Operator("Reshape", one: reshape),
    Operator("Flatten", one: flatten),
    Operator("Squeeze", one: squeeze),
    Operator("Unsqueeze", one: unsqueeze),
    Operator("Transpose", one: transpose),
    Operator("Expand", one: expand),
    Operator("Dropout", dropout),
    Operator("DepthToSpace", one: depthToSpace),
    Operator("SpaceToDepth", one: spaceToDepth),
  ]

  // MARK: Types

  private static func cast(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let target: ElementType
    if n.version < 6, let name = try n.string("to") {
      guard let code = Onnx_TensorProto.DataType.code(named: name) else { throw OpError("attribute 'to' is '\(name)'") }
      target = try elementType(code)
    } else {
      target = try n.required(n.elementAttribute("to"), "to")
    }
    return try castBy(&n, x, target)
  }

  private static func castLike(_ n: inout Lowering) throws(OpError) -> Value {
    try castBy(&n, try n.input(0), try n.input(1).element)
  }

  private static func castBy(_ n: inout Lowering, _ x: Value, _ target: ElementType) throws(OpError) -> Value {
    let rounding = try n.string("round_mode", default: "up")
    guard let rounding = ExponentRounding(rawValue: rounding) else {
      throw OpError("attribute 'round_mode' is '\(rounding)'")
    }
    return try n.cast(x, target, saturates: try n.flag("saturate", default: true), rounding)
  }

  private static func bitCast(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let target = try n.required(n.elementAttribute("to"), "to")
    // A boolean takes a whole byte.
    if x.element.isBoolean, target.bitWidth == 8 { return try n.map(.bitcast(target), n.convert(x, .ui8)) }
    if target.isBoolean, x.element.bitWidth == 8 {
      return try n.compare(.notEqual, n.map(.bitcast(.ui8), x), 0)
    }
    guard x.element.bitWidth == target.bitWidth else {
      throw OpError("it reads \(x.element) as \(target), which has another width")
    }
    return x.element == target ? x : try n.map(.bitcast(target), x)
  }

  // MARK: Shapes

  private static func reshape(_ n: inout Lowering) throws(OpError) -> Value {
    n.ignore("consumed_inputs")
    let x = try n.input(0)
    let keepsZeros = try n.flag("allowzero")
    let wanted: [Extent]
    if n.version < 5 {
      wanted = try n.required(n.ints("shape"), "shape").map { Extent($0) }
    } else {
      wanted = try n.extents(of: try n.input(1), "shape")
    }
    return try n.reshape(x, try n.reshapedShape(of: x, wanted, keepsZeros: keepsZeros))
  }

  private static func flatten(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let given = try n.int("axis", default: 1)
    guard (-x.rank...x.rank).contains(given) else { throw OpError("axis \(given) is outside of rank \(x.rank)") }
    let axis = given < 0 ? given + x.rank : given
    let rows: Extent = x.shape[..<axis].reduce(.one) { $0 * $1 }
    let columns: Extent = x.shape[axis...].reduce(.one) { $0 * $1 }
    return try n.reshape(x, [rows, columns])
  }

  /// Axes are an attribute before opset 13, then an input.
  private static func givenAxes(_ n: inout Lowering) throws(OpError) -> [Int]? {
    if n.version < 13 { return try n.ints("axes") }
    guard let input = n.optional(1) else { return nil }
    return try n.integers(of: input, "axes")
  }

  private static func squeeze(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let axes: [Int]
    if let given = try givenAxes(&n) {
      axes = try n.axes(given, rank: x.rank)
    } else {
      if let extent = x.shape.first(where: { !$0.isFixed }) {
        throw .unsupported("whether \(extent) is 1 is not known")
      }
      axes = x.shape.indices.filter { x.shape[$0] == .one }
    }
    for axis in axes where x.shape[axis] != .one {
      guard x.shape[axis].isFixed else { throw .unsupported("whether \(x.shape[axis]) is 1 is not known") }
      throw OpError("dimension \(axis) of \(x.type) is not 1")
    }
    return try n.reshape(x, x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] })
  }

  private static func unsqueeze(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let given = try n.required(givenAxes(&n), "axes")
    let axes = Set(try n.axes(given, rank: x.rank + given.count))
    var rest = x.shape.makeIterator()
    return try n.reshape(x, (0..<x.rank + given.count).map { axes.contains($0) ? .one : rest.next() ?? .one })
  }

  private static func transpose(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let permutation = try n.ints("perm") ?? Array((0..<x.rank).reversed())
    guard permutation.sorted() == Array(0..<x.rank) else {
      throw OpError("perm \(permutation) is not a permutation of the dimensions of \(x.type)")
    }
    return try n.transpose(x, permutation)
  }

  private static func expand(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    let wanted = try n.shapeInput(1, "shape")
    var shape = [Extent](repeating: .one, count: max(x.rank, wanted.count))
    for extents in [wanted, x.shape] {
      let offset = shape.count - extents.count
      for (d, extent) in extents.enumerated() where extent != .one && shape[offset + d] != extent {
        let other = shape[offset + d]
        guard other == .one else {
          guard other.isFixed, extent.isFixed else {
            throw n.inequality(extent, other)
          }
          throw OpError("cannot expand \(x.type) to \(wanted)")
        }
        shape[offset + d] = extent
      }
    }
    return try n.broadcast(x, to: shape)
  }

  // MARK: Others

  /// The input itself, and a mask of ones: in inference, and in training where nothing is dropped.
  private static func dropout(_ n: inout Lowering) throws(OpError) -> [Value] {
    n.ignore("consumed_inputs", "seed")
    let x = try n.input(0)
    var ratio = n.version < 12 ? try n.float("ratio", default: 0.5) : 0.5
    var isTraining = false
    if n.version < 7 {
      isTraining = try !n.flag("is_test")
    } else if n.version >= 12 {
      if let given = n.optional(1), let literal = try n.literal(of: given), literal.elementCount == 1 {
        ratio = literal[0].realValue
      }
      if let mode = n.optional(2), ratio != 0 { isTraining = try n.integers(of: mode, "training mode") != [0] }
    }
    guard !isTraining || ratio == 0 else { throw .unsupported("training mode") }
    guard n.wantsOutput(1) else { return [x] }
    return [x, try n.splat(1, n.version < 10 ? x.element : .i1, x.shape)]
  }

  private static func image(_ n: inout Lowering) throws(OpError) -> (Value, block: Int) {
    let x = try n.input(0)
    let block = try n.required(n.int("blocksize"), "blocksize")
    guard x.rank == 4, block > 0, block < 1 << 20 else { throw OpError("it has blocks of \(block) in \(x.type)") }
    return (x, block)
  }

  private static func depthToSpace(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, block) = try image(&n)
    let (batch, depth, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let b = Extent(block)
    let features = depth.floorDivided(by: b * b)
    guard features * b * b == depth else { throw OpError("its \(depth) features do not fall into blocks of \(block)") }
    let mode = try n.string("mode", default: "DCR")
    let parts: Value
    switch mode {
    case "DCR":
      parts = try n.transpose(n.reshape(x, [batch, b, b, features, height, width]), [0, 3, 4, 1, 5, 2])
    case "CRD":
      parts = try n.transpose(n.reshape(x, [batch, features, b, b, height, width]), [0, 1, 4, 2, 5, 3])
    default: throw OpError("attribute 'mode' is '\(mode)', not DCR or CRD")
    }
    return try n.reshape(parts, [batch, features, height * block, width * block])
  }

  private static func spaceToDepth(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, block) = try image(&n)
    let (batch, depth, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let b = Extent(block)
    let (rows, columns) = (height.floorDivided(by: b), width.floorDivided(by: b))
    guard rows * b == height, columns * b == width else {
      throw OpError("its image of \(height) by \(width) does not fall into blocks of \(block)")
    }
    let mode = try n.string("mode", default: "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw OpError("attribute 'mode' is '\(mode)', not DCR or CRD") }
    let blocks = try n.reshape(x, [batch, depth, rows, b, columns, b])
    let order = mode == "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
    return try n.reshape(n.transpose(blocks, order), [batch, depth * b * b, rows, columns])
  }
}

extension Lowering {
  /// ONNX's conversion: floats are cut towards zero, and 8-bit floats without infinity may saturate.
  mutating func cast(
    _ x: Value, _ target: ElementType, saturates: Bool, _ rounding: ExponentRounding = .up
  ) throws(OpError) -> Value {
    if x.element == target { return x }
    if target == .f8E8M0FNU { return try castToExponent(x, saturates, rounding) }
    if target.isInteger, let known = folded(x, target, { $1 }) { return known }
    if x.element.isFloat, target.isFloat, target.bitWidth <= 8 { return try castToSmallFloat(x, target, saturates) }
    // Integers narrower than a byte take the lowest bits.
    if x.element.isFloat, target.isInteger, target.bitWidth < 8 { return try convert(convert(x, .i32), target) }
    if x.element.isComplex, !target.isComplex { throw .unsupported("a cast from \(x.element) to \(target)") }
    return try convert(x, target)
  }

  private mutating func castToSmallFloat(_ x: Value, _ target: ElementType, _ saturates: Bool) throws(OpError) -> Value
  {
    // A format without infinity or NaN takes its greatest value in their place by itself.
    if target == .f4E2M1FN { return try convert(x, target) }
    let greatest: Double
    switch target {
    case .f8E4M3FN: greatest = 448
    case .f8E4M3FNUZ: greatest = 240
    case .f8E5M2, .f8E5M2FNUZ: greatest = 57344
    default: throw .unsupported("a cast to \(target)")
    }
    guard saturates else { return try convert(x, target) }
    return try convert(minimum(maximum(x, -greatest), greatest), target)
  }
}

extension Onnx_TensorProto.DataType {
  /// The code of a type that is written as in TensorProto.DataType, as `Cast` did before opset 6.
  fileprivate static func code(named name: String) -> Int32? {
    let names: [String: Onnx_TensorProto.DataType] = [
      "FLOAT": .float, "UINT8": .uint8, "INT8": .int8, "UINT16": .uint16, "INT16": .int16, "INT32": .int32,
      "INT64": .int64, "BOOL": .bool, "FLOAT16": .float16, "DOUBLE": .double, "UINT32": .uint32, "UINT64": .uint64,
    ]
    return names[name].map { Int32($0.rawValue) }
  }
}
