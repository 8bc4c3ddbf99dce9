import GraphBuilding
import IR

extension Operator {
  /// Conversions between floats and scaled integers, and products of the latter.
  static let quantization: [Operator] = [
    Operator("QuantizeLinear", one: quantizeLinear),
    Operator("DequantizeLinear", one: dequantizeLinear),
    Operator("DynamicQuantizeLinear", dynamicQuantizeLinear),
    Operator("MatMulInteger", one: matmulInteger),
    Operator("QLinearMatMul", one: linearMatmul),
    Operator("QLinearConv", one: linearConv),
  ]

  private static func quantizeLinear(_ n: inout Lowering) throws(OpError) -> Value {
    var (x, scale) = (try n.input(0), try n.input(1))
    let axis = try n.int("axis", default: 1)
    let block = try n.int("block_size", default: 0)
    let saturates = try n.flag("saturate", default: true)
    let zero = n.optional(2)
    let given = try n.elementAttribute("output_dtype")
    let target = zero?.element ?? given ?? .ui8
    if let precision = try n.elementAttribute("precision") {
      x = try n.convert(x, precision)
      scale = try n.convert(scale, precision)
    } else if x.element.isInteger {
      x = try n.convert(x, scale.element)
    }
    let scaled = try n.divide(x, n.spread(n.convert(scale, x.element), over: x, axis: axis, block: block))
    guard target.isInteger else {
      guard target.isFloat else { throw OpError("it quantizes to \(target)") }
      return try n.cast(scaled, target, saturates: saturates)
    }
    return try n.quantized(scaled, zero, target, axis: axis, block: block)
  }

  private static func dequantizeLinear(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, scale) = (try n.input(0), try n.input(1))
    let axis = try n.int("axis", default: 1)
    let block = try n.int("block_size", default: 0)
    let target = try n.elementAttribute("output_dtype") ?? scale.element
    var wide = try n.convert(x, .f32)
    if let zero = n.optional(2), x.element.isInteger {
      wide = try n.subtract(wide, n.spread(n.convert(zero, .f32), over: x, axis: axis, block: block))
    }
    let factor = try n.spread(n.convert(scale, .f32), over: x, axis: axis, block: block)
    return try n.convert(n.multiply(wide, factor), target)
  }

  /// Scale and zero point from the input's range, which is made to contain 0.
  private static func dynamicQuantizeLinear(_ n: inout Lowering) throws(OpError) -> [Value] {
    let x = try n.input(0)
    let all = Array(x.shape.indices)
    let greatest = try n.maximum(n.reduce(x, all, .maximum), 0)
    let least = try n.minimum(n.reduce(x, all, .minimum), 0)
    let scale = try n.divide(n.subtract(greatest, least), 255)
    // A range of nothing but 0 leaves the scale at 0; any other keeps its numbers.
    let divisor = try n.select(n.compare(.equal, scale, 0), n.scalar(1, x.element), scale)
    let position = try n.map(.roundNearestEven, n.subtract(0, n.divide(least, divisor)))
    let zero = try n.convert(n.minimum(n.maximum(position, 0), 255), .ui8)
    return [try n.quantized(n.divide(x, divisor), zero, .ui8, axis: 0, block: 0), scale, zero]
  }

  private static func matmulInteger(_ n: inout Lowering) throws(OpError) -> Value {
    let (a, b) = (try n.input(0), try n.input(1))
    return try n.matmul(n.centred(a, n.optional(2), isRow: true), n.centred(b, n.optional(3), isRow: false))
  }

  private static func linearMatmul(_ n: inout Lowering) throws(OpError) -> Value {
    let (a, b, zero) = (try n.input(0), try n.input(3), try n.input(7))
    let product = try n.matmul(
      n.centred(a, try n.input(2), isRow: true), n.centred(b, try n.input(5), isRow: false))
    var left = try n.convert(try n.input(1), .f32)
    var right = try n.convert(try n.input(4), .f32)
    if left.rank == 1, left.shape[0] != .one { left = try n.unsqueeze(left, 1) }
    if left.rank == 1 { left = try n.reshape(left, []) }
    if right.rank == 1, right.shape[0] == .one { right = try n.reshape(right, []) }
    let result = try n.reshape(n.convert(try n.input(6), .f32), [])
    let factor = try n.divide(n.multiply(left, right), result)
    let scaled = try n.multiply(n.convert(product, .f32), factor)
    return try n.quantized(scaled, n.reshape(zero, []), zero.element, axis: 0, block: 0)
  }

  private static func linearConv(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, kernel, zero) = (try n.input(0), try n.input(3), try n.input(7))
    let window = try n.kernelWindow(x, kernel)
    let groups = try n.int("group", default: 1)
    let image = try n.subtract(n.convert(x, .i32), n.convert(n.reshape(try n.input(2), []), .i32))
    let kernelZero = try n.channels(n.convert(try n.input(5), .i32), of: kernel, axis: 0)
    let weights = try n.subtract(n.convert(kernel, .i32), kernelZero)
    var sum = try n.convolution(image, weights, window, groups: groups)
    if let bias = n.optional(8) { sum = try n.add(sum, n.channels(bias, of: sum, axis: 1)) }
    let own = try n.divide(n.convert(try n.input(4), .f32), n.reshape(n.convert(try n.input(6), .f32), []))
    let factor = try n.multiply(own, n.reshape(n.convert(try n.input(1), .f32), []))
    let scaled = try n.multiply(n.convert(sum, .f32), n.channels(factor, of: sum, axis: 1))
    return try n.quantized(scaled, n.reshape(zero, []), zero.element, axis: 0, block: 0)
  }
}

extension Lowering {
  /// A scale or zero point for each element of `x`: one for all, one for each position along an axis, or one for each
  /// block of positions along it.
  mutating func spread(_ scale: Value, over x: Value, axis: Int, block: Int) throws(OpError) -> Value {
    if scale.type.elementCount == .one, block == 0 { return try broadcast(reshape(scale, []), to: x.shape, at: []) }
    let axis = try self.axis(axis, rank: x.rank)
    guard block > 0 else { return try channels(scale, of: x, axis: axis) }
    guard scale.rank == x.rank, block < 1 << 31 else { throw OpError("blocks of \(scale.type) do not fit \(x.type)") }
    var wide = scale.shape
    wide.insert(Extent(block), at: axis + 1)
    let dimensions = wide.indices.filter { $0 != axis + 1 }
    var whole = scale.shape
    whole[axis] *= Extent(block)
    let repeated = try reshape(broadcast(scale, to: wide, at: dimensions), whole)
    return try slice(repeated, axis: axis, 0, x.shape[axis])
  }

  /// The integers nearest to `scaled`, moved by the zero point and limited to the target's range.
  mutating func quantized(
    _ scaled: Value, _ zero: Value?, _ target: ElementType, axis: Int, block: Int
  ) throws(OpError) -> Value {
    // Sums of such floats are exact as far as the range goes, and converting limits to it.
    var moved = try convert(map(.roundNearestEven, scaled), .f32)
    if let zero { moved = try add(moved, spread(convert(zero, .f32), over: scaled, axis: axis, block: block)) }
    return try convert(moved, target)
  }

  /// A matrix of integers without its zero point, which may belong to rows or columns.
  mutating func centred(_ x: Value, _ zero: Value?, isRow: Bool) throws(OpError) -> Value {
    let wide = try convert(x, .i32)
    guard var zero else { return wide }
    if zero.rank == 1 { zero = zero.shape[0] == .one ? try reshape(zero, []) : isRow ? try unsqueeze(zero, 1) : zero }
    return try subtract(wide, convert(zero, .i32))
  }
}
