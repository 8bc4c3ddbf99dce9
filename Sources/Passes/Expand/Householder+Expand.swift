import IR

/// Panels of columns whose reflections are found one by one in a loop; products of reflections `1 - v t vᵀ` are applied to
/// the rest in contractions, as in LAPACK's `geqrf`.
extension HouseholderQR {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let a = operands[0]
    let type = c.type(a)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let (m, n) = try c.extents(a)
    let least = min(m, n)
    if c.isEmpty(a) { return [a, try c.zeros(try inferTypes([type])[1])] }
    let block = Composer.panel(least)
    var (pieces, factors) = ([ValueID](), [ValueID]())
    var (done, rest): (ValueID?, ValueID) = (nil, a)
    for first in stride(from: 0, to: least, by: block) {
      let size = min(block, least - first)
      let (height, width) = (m - first, n - first - size)
      let (lines, tau) = try c.panelReflections(try c.swappingLast(try c.part(rest, 0..<height, 0..<size)), size)
      factors.append(tau)
      let columns = try c.swappingLast(lines)
      var row = [try c.rows(columns, 0..<size)]
      var below = [try c.rows(columns, size..<height)]
      if let before = done {
        row.insert(try c.rows(before, 0..<size), at: 0)
        below.insert(try c.rows(before, size..<height), at: 0)
      }
      if width > 0 {
        let right = try c.part(rest, 0..<height, size..<size + width)
        let reflected = try c.reflected(right, try c.unitLines(lines), tau, isTransposed: true)
        row.append(try c.rows(reflected, 0..<size))
        rest = try c.rows(reflected, size..<height)
      }
      pieces.append(try c.joined(row, across))
      done = height > size ? try c.joined(below, across) : nil
    }
    if let done { pieces.append(done) }
    return [try c.joined(pieces, up), try c.joined(factors, up)]
  }
}

extension HouseholderProduct {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let (a, tau) = (operands[0], operands[1])
    let type = c.type(a)
    let (m, n) = try c.extents(a)
    if c.isEmpty(a) { return [a] }
    let count = c.type(tau).dimensions[type.rank - 2].fixed ?? 0
    let block = Composer.panel(count)
    func matrix(_ rows: Int, _ columns: Int) -> TensorType {
      TensorType(type.elementType, Array(type.dimensions.dropLast(2)) + [Extent(rows), Extent(columns)])
    }
    var product = count < n ? try c.identity(matrix(m - count, n - count)) : nil
    for first in stride(from: 0, to: count, by: block).reversed() {
      let size = min(block, count - first)
      let lines = try c.unitLines(try c.swappingLast(try c.part(a, first..<m, first..<first + size)))
      var wider = try c.identity(matrix(m - first, n - first))
      if let inner = product {
        let low = type.dimensions.indices.map { $0 < type.rank - 2 ? Extent.zero : Extent(size) }
        let none = [Int](repeating: 0, count: type.rank)
        let pad = Pad(low: low, high: none.map { Extent($0) }, interior: none)
        let zero = try c.append(.constant(.scalar(.zero(type.elementType), type.elementType)))
        let moved = try c.append(.pad(pad), inner, zero)
        let place = try c.positions(like: wider, along: type.rank - 2)
        let isAbove = try c.apply(.compare(.less, .signed), place, try c.splat(Double(size), like: place))
        wider = try c.apply(.select, isAbove, wider, moved)
      }
      product = try c.reflected(
        wider, lines, try c.slice(tau, type.rank - 2, first, first + size), isTransposed: false)
    }
    return [product ?? a]
  }
}

extension Composer {
  /// The reflections that make columns, which lie as rows, triangular, and their factors.
  fileprivate mutating func panelReflections(_ panel: ValueID, _ size: Int) throws(OpError) -> (ValueID, ValueID) {
    let type = self.type(panel)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let list = TensorType(type.elementType, Array(type.dimensions.dropLast(2)) + [Extent(size)])
    let result = try loop(size, carrying: [panel, try zeros(list)], reading: []) { (c, j, state, _) throws(OpError) in
      let value = state[0]
      let r = try c.reflection(try c.cut(value, at: [up: j]), j)
      let vectors = try c.repeated(r.vector, like: value, along: up)
      let products = try c.contracted(value, across, r.vector, across)
      let scaled = try c.apply(.multiply, products, try c.repeated(r.factor, like: products, along: up))
      let less = try c.apply(
        .subtract, value, try c.apply(.multiply, try c.repeated(scaled, like: value, along: across), vectors))
      let (row, place) = (try c.positions(like: value, along: up), try c.positions(like: value, along: across))
      let current = try c.spreadScalar(j, like: row)
      let length = try c.repeated(try c.repeated(r.length, like: r.vector, along: across), like: value, along: up)
      let isBelow = try c.apply(.compare(.greater, .signed), place, current)
      let isDiagonal = try c.apply(.compare(.equal, .signed), place, current)
      let own = try c.apply(.select, isBelow, vectors, try c.apply(.select, isDiagonal, length, value))
      let next = try c.apply(
        .select, try c.apply(.compare(.greater, .signed), row, current), less,
        try c.apply(.select, try c.apply(.compare(.equal, .signed), row, current), own, value))
      let factor = try c.reshaped(r.factor, Array(c.type(r.factor).dimensions.dropLast()))
      return [next, try c.replaced(state[1], factor, at: [up: j])]
    }
    return (result[0], result[1])
  }

  /// `1 - factor · vector · vectorᵀ` makes all of a line zero that is behind `place`, where `length` remains; all have the
  /// line's rank. Sums are of numbers below one, so that none overflows.
  mutating func reflection(_ line: ValueID, _ place: ValueID) throws(OpError)
    -> (vector: ValueID, factor: ValueID, length: ValueID)
  {
    let across = type(line).rank - 1
    let position = try positions(like: line, along: across)
    let current = try spreadScalar(place, like: position)
    let isBehind = try apply(.compare(.greater, .signed), position, current)
    let isPlace = try apply(.compare(.equal, .signed), position, current)
    let zero = try zeros(like: line)
    let isIn = try apply(.or, isBehind, isPlace)
    let largest = try folded(
      .maximum, try apply(.select, isIn, try apply(.abs, line), zero), along: across)
    let scale = try divisor(largest)
    let scaled = try apply(.divide, line, try repeated(scale, like: line, along: across))
    let behind = try apply(.select, isBehind, scaled, zero)
    let remaining = try folded(.maximum, try apply(.abs, behind), along: across)
    let isNothing = try apply(.compare(.equal, .float), remaining, try zeros(like: remaining))
    let squares = try folded(.add, try apply(.multiply, behind, behind), along: across)
    let alpha = try cut(scaled, at: [across: place])
    let norm = try apply(.squareRoot, try apply(.add, squares, try apply(.multiply, alpha, alpha)))
    let isNegative = try apply(.compare(.less, .float), alpha, try zeros(like: alpha))
    let beta = try apply(.select, isNegative, norm, try apply(.negate, norm))
    let one = try splat(1, like: beta)
    let safe = try apply(.select, isNothing, one, beta)
    let factor = try apply(
      .select, isNothing, try zeros(like: beta), try apply(.divide, try apply(.subtract, beta, alpha), safe))
    let divisor = try apply(.select, isNothing, one, try apply(.subtract, alpha, beta))
    let length = try apply(.multiply, try apply(.select, isNothing, alpha, beta), scale)
    let vector = try apply(
      .select, isBehind, try apply(.divide, behind, try repeated(divisor, like: line, along: across)),
      try apply(.select, isPlace, try splat(1, like: line), zero))
    return (vector, factor, length)
  }

  /// The vectors of reflections, which lie as rows of what `panelReflections` gives.
  mutating func unitLines(_ lines: ValueID) throws(OpError) -> ValueID {
    let zero = try zeros(like: lines)
    let edge = try apply(.select, try compared(.equal, lines), try splat(1, like: lines), zero)
    return try apply(.select, try compared(.less, lines), lines, edge)
  }

  /// What reflections one after the other, or the other way around, make of a matrix.
  ///
  /// Their product is `1 - v t vᵀ`, and `t` the inverse of `1 / tau` with what is above the diagonal of `vᵀ v`.
  mutating func reflected(_ matrix: ValueID, _ lines: ValueID, _ tau: ValueID, isTransposed: Bool) throws(OpError)
    -> ValueID
  {
    let (up, across) = (type(lines).rank - 2, type(lines).rank - 1)
    let (count, _) = try extents(lines)
    let inner = try contracted(lines, across, lines, across)
    let products = try contracted(lines, across, matrix, up)
    var solution: ValueID
    if isTransposed {
      let triangle = try apply(.multiply, inner, try spread(tau, along: [up], like: inner))
      solution = try solved(triangle, products, count, unitDiagonal: true)
      solution = try apply(.multiply, solution, try spread(tau, along: [across], like: solution))
    } else {
      let triangle = try apply(.multiply, inner, try spread(tau, along: [across], like: inner))
      let right = try apply(.multiply, products, try spread(tau, along: [across], like: products))
      let turned = try append(.reverse(Reverse(dimensions: [up, across])), triangle)
      let turnedRight = try append(.reverse(Reverse(dimensions: [up])), right)
      solution = try solved(turned, turnedRight, count, unitDiagonal: true)
      solution = try append(.reverse(Reverse(dimensions: [up])), solution)
    }
    return try apply(.subtract, matrix, try contracted(lines, up, solution, up))
  }
}
