import GraphBuilding
import IR

extension Operator {
  /// How often values occur.
  static let histograms: [Operator] = [
    Operator(
      "Bincount",
      one: { (n) throws(OpError) in
        let (x, weights) = (try n.input(0), try n.input(2))
        let count = try n.extent(1, "size")
        let total = x.type.elementCount
        let isCounting = weights.type.elementCount == .zero && total != .zero
        if !isCounting { try n.unify(weights.shape, x.shape, "it weighs \(x.type) by \(weights.type)") }
        let terms = try isCounting ? n.splat(1, weights.element, [total]) : n.reshape(weights, [total])
        return try n.scatter(
          terms, into: n.splat(0, weights.element, [count]), at: n.reshape(x, [total, .one]), .add)
      }),
    Operator("HistogramFixedWidth", one: histogram),
  ]

  /// How many values lie in each of the bins of equal width between limits; what lies beyond is in the first or last one.
  private static func histogram(_ n: inout Lowering) throws(OpError) -> Value {
    let (x, limits) = (try n.input(0), try n.input(1))
    let count = try n.extent(2, "number of bins")
    let element = try n.elementType("dtype", default: .i32)
    guard limits.shape == [2], limits.element == x.element else { throw OpError("its limits are \(limits.type)") }
    let total = x.type.elementCount
    let work: ElementType = x.element == .f32 ? .f32 : .f64
    let wide = try n.convert(limits, work)
    let least = try n.reshape(n.slice(wide, axis: 0, 0, 1), [])
    let greatest = try n.reshape(n.slice(wide, axis: 0, 1, 2), [])
    let step = try n.divide(n.subtract(greatest, least), n.scalar(of: count, work))
    let offset = try n.subtract(n.map(.maximum, n.reshape(n.convert(x, work), [total]), least), least)
    let bins = try n.map(.minimum, n.convert(n.divide(offset, step), .i64), n.scalar(of: count - 1, .i64))
    return try n.scatter(
      n.splat(1, element, [total]), into: n.splat(0, element, [count]), at: n.unsqueeze(bins, 1), .add)
  }
}
