import Foundation
import GraphBuilding
import IR

extension Operator {
  /// Ops whose values follow from attributes, shapes and small constants.
  static let constants: [Operator] = [
    Operator("Constant", one: constant),
    Operator("ConstantOfShape", one: constantOfShape),
    Operator("Range", one: range),
    Operator("EyeLike", one: eyeLike),
    Operator("Shape", one: shape),
    Operator("Size", one: size),
    Operator("OneHot", one: oneHot),
    Operator("HannWindow") { (n) throws(OpError) in [try window(&n, [0.5, 0.5])] },
    Operator("HammingWindow") { (n) throws(OpError) in [try window(&n, [25.0 / 46.0, 21.0 / 46.0])] },
    Operator("BlackmanWindow") { (n) throws(OpError) in [try window(&n, [0.42, 0.5, 0.08])] },
  ]

  private static func constant(_ n: inout Lowering) throws(OpError) -> Value {
    if let literal = try n.tensor("value") { return n.constant(literal) }
    if let value = try n.float("value_float") { return n.scalar(value, .f32) }
    if let value = try n.int("value_int") { return n.scalar(.integer(Int64(value)), .i64) }
    if let values = try n.floats("value_floats") { return n.vector(values, .f32) }
    if let values = try n.ints("value_ints") { return n.vector(values) }
    if let sparse = try n.sparseTensor("sparse_value") {
      return n.constant(try sparse.literal(directory: n.context.file.directory))
    }
    if n.has("value_string") || n.has("value_strings") { throw .unsupported("tensors of strings") }
    throw OpError("it has no value")
  }

  private static func constantOfShape(_ n: inout Lowering) throws(OpError) -> Value {
    let shape = try n.shapeInput(0, "shape")
    let literal = try n.tensor("value") ?? Literal(.f32, [1], [.real(0)])
    guard literal.elementCount == 1 else { throw OpError("attribute 'value' has \(literal.elementCount) elements") }
    let type = TensorType(literal.elementType, shape)
    try checkSize(type)
    if literal.elementType.isInteger, let fixed = type.fixedDimensions, fixed.reduce(1, *) <= Lowering.contentLimit {
      let element = Extent(Int(literal[0].integerValue))
      return n.known([Extent](repeating: element, count: fixed.reduce(1, *)), literal.elementType, fixed)
    }
    return try n.broadcast(n.scalar(literal[0], literal.elementType), to: shape, at: [])
  }

  /// `start, start + delta, …` to before `limit`.
  private static func range(_ n: inout Lowering) throws(OpError) -> Value {
    let (start, limit, delta) = (try n.input(0), try n.input(1), try n.input(2))
    for input in [start, limit, delta] where input.type.elementCount != .one {
      throw OpError("its inputs are scalars, not \(input.type)")
    }
    guard start.element == limit.element, start.element == delta.element else {
      throw OpError("its inputs have different types")
    }
    guard start.element.isInteger else { return try floatRange(&n, start, limit, delta) }
    let first = try n.extents(of: start, "start")[0]
    let last = try n.extents(of: limit, "limit")[0]
    guard let step = try n.extents(of: delta, "delta")[0].fixed, step != 0, step != .min else {
      throw .unsupported("a delta that is zero or a symbol")
    }
    guard let distance = step > 0 ? n.arithmetic.subtract(last, first) : n.arithmetic.subtract(first, last),
      distance.fixed.map({ $0 < elementCountLimit }) ?? true
    else { throw OpError("its limits \(first) and \(last) lie too far apart") }
    let count = (distance + (abs(step) - 1)).floorDivided(by: Extent(abs(step)))
    let extent = n.arithmetic.maximum(.zero, count)
    if let fixed = extent.fixed, fixed <= Lowering.contentLimit {
      return n.known((0..<fixed).map { first + $0 * step }, start.element, [fixed])
    }
    var result = try n.iota(start.element, [extent], axis: 0)
    if step != 1 { result = try n.multiply(result, Double(step)) }
    if first != .zero { result = try n.add(result, n.scalar(of: first, start.element)) }
    return result
  }

  private static func floatRange(_ n: inout Lowering, _ start: Value, _ limit: Value, _ delta: Value) throws(OpError)
    -> Value
  {
    let first = try n.numbers(of: start, "start")[0]
    let last = try n.numbers(of: limit, "limit")[0]
    let step = try n.numbers(of: delta, "delta")[0]
    let count = ((last - first) / step).rounded(.up)
    guard count.isFinite, count < 0x1p31 else { throw OpError("its limits \(first) and \(last) lie too far apart") }
    let elements: [Scalar] = (0..<max(0, Int(count))).map { Scalar(first + Double($0) * step, start.element) }
    return n.constant(Literal(start.element, [elements.count], elements))
  }

  private static func eyeLike(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    guard x.rank == 2 else { throw OpError("its input is a matrix, not \(x.type)") }
    let element = try n.elementAttribute("dtype") ?? x.element
    let diagonal = try n.int("k", default: 0)
    let row = try n.add(n.iota(.i64, x.shape, axis: 0), Double(diagonal))
    return try n.convert(n.compare(.equal, row, n.iota(.i64, x.shape, axis: 1)), element)
  }

  private static func shape(_ n: inout Lowering) throws(OpError) -> Value {
    let x = try n.input(0)
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + x.rank : index, 0), x.rank) }
    let start = clamped(try n.int("start", default: 0))
    let end = clamped(try n.int("end", default: x.rank))
    return n.known(start < end ? Array(x.shape[start..<end]) : [])
  }

  private static func size(_ n: inout Lowering) throws(OpError) -> Value {
    n.known([try n.input(0).type.elementCount], .i64, [])
  }

  /// `values[1]` where the index counts up to the position along `axis`, `values[0]` elsewhere.
  private static func oneHot(_ n: inout Lowering) throws(OpError) -> Value {
    let (indices, depth, values) = (try n.input(0), try n.input(1), try n.input(2))
    guard depth.type.elementCount == .one, values.shape == [2] else {
      throw OpError("its depth is \(depth.type) and its values are \(values.type)")
    }
    let extent: Extent
    if depth.element.isInteger {
      extent = try n.extents(of: depth, "depth")[0]
    } else {
      guard let number = Int(exactly: try n.numbers(of: depth, "depth")[0].rounded(.towardZero)) else {
        throw OpError("its depth is not a number of elements")
      }
      extent = Extent(number)
    }
    let axis = try n.axis(try n.int("axis", default: -1), rank: indices.rank + 1)
    var shape = indices.shape
    shape.insert(extent, at: axis)
    let dimensions = shape.indices.filter { $0 != axis }
    let whole = try n.convert(indices, .i64)
    let isNegative = try n.compare(.less, whole, 0)
    let counted = try n.select(isNegative, n.add(whole, n.scalar(of: extent, .i64)), whole)
    let isHot = try n.compare(.equal, n.broadcast(counted, to: shape, at: dimensions), n.iota(.i64, shape, axis: axis))
    let off = try n.reshape(n.slice(values, axis: 0, 0, 1), [])
    let on = try n.reshape(n.slice(values, axis: 0, 1, 2), [])
    return try n.select(isHot, on, off)
  }

  /// A cosine window: `c[0] - c[1] cos(x) + c[2] cos(2x)`.
  private static func window(_ n: inout Lowering, _ coefficients: [Double]) throws(OpError) -> Value {
    let element = try n.elementAttribute("output_datatype") ?? .f32
    let isPeriodic = try n.flag("periodic", default: true)
    guard let count = try n.integers(of: try n.input(0), "size").first, (0..<1 << 28).contains(count) else {
      throw OpError("its size is not a number of elements")
    }
    let period = Double(isPeriodic ? count : count - 1)
    let elements: [Double] = (0..<count).map { index in
      let angle = 2 * Double.pi * Double(index) / period
      var value = coefficients[0] - coefficients[1] * cos(angle)
      if coefficients.count > 2 { value += coefficients[2] * cos(2 * angle) }
      return value
    }
    return n.vector(elements, element)
  }
}

extension Lowering {
  /// An attribute that names an element type.
  mutating func elementAttribute(_ name: String) throws(OpError) -> ElementType? {
    guard let code = try int(name) else { return nil }
    return try elementType(Int32(clamping: code))
  }

  /// An input that is a shape: known extents, none of them negative.
  mutating func shapeInput(_ index: Int, _ what: String) throws(OpError) -> [Extent] {
    let extents = try extents(of: try input(index), what)
    for extent in extents {
      if let fixed = extent.fixed, fixed < 0 || fixed > elementCountLimit {
        throw OpError("its \(what) has the extent \(fixed)")
      }
    }
    return extents
  }
}
