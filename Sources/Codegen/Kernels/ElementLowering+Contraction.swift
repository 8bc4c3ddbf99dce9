import IR

/// Elements of products that no schedule of contractions takes.
extension ElementLowering {
  /// The element of a contraction at `index`.
  mutating func contracted(
    _ contraction: Contraction, _ node: Node, _ index: [IntegerExpression], _ mask: Register?, _ b: inout KernelBuilder
  ) -> Register {
    let (x, y) = (node.operands[0], node.operands[1])
    let (xType, yType) = (graph.type(of: x), graph.type(of: y))
    var i = [IntegerExpression](repeating: .zero, count: xType.rank)
    var j = [IntegerExpression](repeating: .zero, count: yType.rank)
    let lhsFree = contraction.lhsFree(rank: xType.rank)
    let rhsFree = contraction.rhsFree(rank: yType.rank)
    let batching = contraction.lhsBatching.count
    for (n, d) in contraction.lhsBatching.enumerated() { i[d] = index[n] }
    for (n, d) in contraction.rhsBatching.enumerated() { j[d] = index[n] }
    for (n, d) in lhsFree.enumerated() { i[d] = index[batching + n] }
    for (n, d) in rhsFree.enumerated() { j[d] = index[batching + lhsFree.count + n] }
    let sumType = Self.sumType(node.type.elementType)
    let width = widthOfElements([x, y], index, mask, b)
    let pairs = Array(zip(contraction.lhsContracting, contraction.rhsContracting))
    if width == 1, lanes > 1, let last = pairs.last {
      let sum = summedByLanes(node.operands, pairs.dropLast()[...], last, (i, j), sumType, mask, &b)
      return b.convert(sum, to: node.type.elementType)
    }
    let zero = b.constant(.zero(sumType), sumType, lanes: width)
    let sum = nest(contraction.lhsContracting[...], xType.dimensions, i, [zero], &b) { lowering, at, sums, b in
      var other = j
      for (l, r) in pairs { other[r] = at[l] }
      let a = lowering.element(of: x, at: at, mask: mask, in: &b)
      let c = lowering.element(of: y, at: other, mask: mask, in: &b)
      return [Self.addProduct(a, c, to: sums[0], sumType, &b)]
    }
    return b.convert(sum[0], to: node.type.elementType)
  }

  /// The sum of products of two lines, the innermost dimension of the depth in `lanes` independent parts.
  private mutating func summedByLanes(
    _ operands: [ValueID], _ outer: ArraySlice<(Int, Int)>, _ inner: (Int, Int),
    _ source: ([IntegerExpression], [IntegerExpression]), _ type: ElementType, _ mask: Register?,
    _ b: inout KernelBuilder
  ) -> Register {
    let shape = graph.type(of: operands[0]).dimensions
    let strips = VectorStrips(to: shape[inner.0], lanes: lanes, atOnce: vectorsAtOnce).strips
    let zeros = strips.map { b.constant(.zero(type), type, lanes: $0.lanes) }
    let sums = nest(outer.map(\.0)[...], shape, source.0, zeros, &b) { lowering, at, parts, b in
      zip(strips, parts).map { strip, part in
        b.loop(from: strip.lower, to: strip.upper, step: strip.lanes, carrying: [part]) { b, variable, carried in
          var next = carried
          lowering.withLanes(strip.lanes, used: strip.usedLanes, &b) { lowering, b in
            var (left, right) = (at, source.1)
            for (l, r) in outer { right[r] = at[l] }
            left[inner.0] = variable + .lane
            right[inner.1] = variable + .lane
            let valid = strip.mask(at: variable, &b)
            let x = lowering.element(of: operands[0], at: left, mask: b.and(mask, valid), in: &b)
            let y = lowering.element(of: operands[1], at: right, mask: b.and(mask, valid), in: &b)
            next = [Self.addProduct(x, y, to: carried[0], type, &b)]
            if let valid { next = [b.apply(.select, [valid, next[0], carried[0]])] }
          }
          return next
        }[0]
      }
    }
    guard let first = sums.first else { return b.constant(.zero(type), type) }
    let sum = sums.dropFirst().reduce(b.narrowed(first, to: lanes, .add)) {
      b.apply(.add, [$0, b.narrowed($1, to: lanes, .add)])
    }
    return b.fold(.add, sum)
  }

  /// The type in which products are summed.
  static func sumType(_ type: ElementType) -> ElementType { type.arithmeticType }

  /// A sum with the product of two elements added, all converted to the type of sums.
  static func addProduct(
    _ a: Register, _ c: Register, to sum: Register, _ type: ElementType, _ b: inout KernelBuilder
  ) -> Register {
    let (x, y) = (b.convert(a, to: type), b.convert(c, to: type))
    let width = b.lanes(of: sum)
    if type.isFloat { return b.multiplyAdd(b.widen(x, to: width), b.widen(y, to: width), sum) }
    return b.widen(b.apply(.add, [b.apply(.multiply, [x, y]), sum]), to: width)
  }
}
