/// Gives each element of a source to the element that `select` chooses from its window of the operand: the gradient
/// of pooling (StableHLO spec, "select_and_scatter").
///
/// Operands: the operand, the source, the scalar initial value.
public struct SelectAndScatter: OpDefinition {
  /// One for each dimension of the operand; no dilation.
  public var window: [WindowDimension]
  /// Whether the first of two elements is kept.
  public var select: Graph
  /// Combines what an element has so far with one more element of the source.
  public var scatter: Graph
  public init(window: [WindowDimension], select: Graph, scatter: Graph) {
    self.window = window
    self.select = select
    self.scatter = scatter
  }
  public var mnemonic: String { "stablehlo.select_and_scatter" }
  public var op: Op { .selectAndScatter(self) }
  public var regions: [Graph] { [select, scatter] }
  public func withRegions(_ regions: [Graph]) -> Op {
    .selectAndScatter(SelectAndScatter(window: window, select: regions[0], scatter: regions[1]))
  }

  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try expect(operands, count: 3)
    let (x, source, initial) = (operands[0], operands[1], operands[2])
    guard x.elementType == source.elementType else {  // (C1)
      throw OpError("cannot scatter elements of \(source) by a choice among \(x)")
    }
    guard initial == .scalar(x.elementType) else {  // (C3)
      throw OpError("cannot start a fold of \(x) from \(initial)")
    }
    try window.requireFit(x, in: mnemonic)  // (C4)-(C8)
    guard window.allSatisfy({ $0.baseDilation == 1 && $0.windowDilation == 1 }) else {
      throw OpError("the window of select_and_scatter has no dilation")
    }
    let shape = zip(window, x.dimensions).map { $0.outputExtent(base: $1) }
    guard source.dimensions == shape else {  // (C2)
      let needed = TensorType(source.elementType, shape)
      throw OpError(
        "the source \(source.detailedDescription) is not \(needed.detailedDescription), one element for each window")
    }
    let element = TensorType.scalar(x.elementType)
    guard select.parameterTypes == [element, element], select.resultTypes == [.scalar(.i1)] else {  // (C9)
      throw OpError("select has type \(select.signature), which does not choose between two of \(x.elementType)")
    }
    try scatter.requireFold(of: [x.elementType], in: mnemonic)  // (C10)
    return [TensorType(scatter.resultTypes[0].elementType, x.dimensions)]  // (C11), (C12)
  }

  public func evaluate(_ operands: [Literal], results: [TensorType], in context: EvaluationContext) throws(OpError)
    -> [Literal]
  {
    let (x, source) = (operands[0], operands[1])
    let (xs, sources) = (x.scalars, source.scalars)
    let window = try self.window.resolved(in: context)
    let taps = window.compactMap(\.extent.fixed)
    let select = ElementFunction(self.select, in: context)
    let scatter = ElementFunction(self.scatter, in: context)
    var values = [Scalar](repeating: operands[2][0], count: x.elementCount)
    var next = 0
    try forEachIndex(source.dimensions) { (index: [Int]) throws(OpError) in
      var chosen: Int?
      try forEachIndex(taps) { (tap: [Int]) throws(OpError) in
        var position = 0
        for (d, extent) in x.dimensions.enumerated() {
          guard let place = window[d].place(ofTap: tap[d], at: index[d], extent: extent) else { return }
          position = position * extent + place
        }
        guard let best = chosen else {
          chosen = position
          return
        }
        if try !select([xs[best], xs[position]])[0].isTrue { chosen = position }
      }
      if let chosen { values[chosen] = try scatter([values[chosen], sources[next]])[0] }
      next += 1
    }
    return [Literal(results[0].elementType, x.dimensions, values)]
  }

  public func semantics(operands: [TensorType], results: [TensorType]) -> Semantics { .opaque }

  public func mappingExtents(_ replacement: (Extent) -> Extent) -> Op {
    var copy = self
    copy.window = window.map { $0.mappingExtent(replacement) }
    return .selectAndScatter(copy)
  }
}

extension SelectAndScatter {
  static let text = TextForm("stablehlo.select_and_scatter", nil) { (reader) throws(OpError) in
    .selectAndScatter(
      SelectAndScatter(window: try reader.window(), select: try reader.region(0), scatter: try reader.region(1)))
  } write: { op, writer in
    guard case .selectAndScatter(let op) = op else { return }
    writer.set("window_dimensions", extents: op.window.map(\.extent))
    writer.set("window_strides", integers: op.window.map(\.stride))
    writer.set("padding", pairs: op.window.map { ($0.paddingLow, $0.paddingHigh) })
  }
}
