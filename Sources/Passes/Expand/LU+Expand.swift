import IR

/// Panels of columns, each of which is factored column by column in a loop; the rest are contractions, as in LAPACK's
/// `getrf`.
extension LUDecomposition {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let a = operands[0]
    let type = c.type(a)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let (m, n) = try c.extents(a)
    let least = min(m, n)
    if c.isEmpty(a) { return [a, try c.zeros(try inferTypes([type])[1])] }
    let block = Composer.panel(least)
    var (pieces, pivots) = ([ValueID](), [ValueID]())
    // What the rows below are, in the columns that are done and in those that are not.
    var (done, rest): (ValueID?, ValueID) = (nil, a)
    for first in stride(from: 0, to: least, by: block) {
      let size = min(block, least - first)
      let (height, width) = (m - first, n - first - size)
      let panel = try c.swappingLast(try c.part(rest, 0..<height, 0..<size))
      let (factors, order, exchanged) = try c.panelFactors(panel, size, height)
      pivots.append(try c.apply(.add, exchanged, try c.splat(Double(first), like: exchanged)))
      let columns = try c.swappingLast(factors)
      var row = [try c.rows(columns, 0..<size)]
      var below = [try c.rows(columns, size..<height)]
      if let before = done {
        let moved = try c.picked(before, up, order)
        row.insert(try c.rows(moved, 0..<size), at: 0)
        below.insert(try c.rows(moved, size..<height), at: 0)
      }
      if width > 0 {
        let moved = try c.picked(try c.part(rest, 0..<height, size..<size + width), up, order)
        let corner = try c.rows(columns, 0..<size)
        let upper = try c.solved(corner, try c.rows(moved, 0..<size), size, unitDiagonal: true)
        row.append(upper)
        if height > size {
          let known = try c.contracted(try c.rows(columns, size..<height), across, upper, up)
          rest = try c.apply(.subtract, try c.rows(moved, size..<height), known)
        }
      }
      pieces.append(try c.joined(row, across))
      done = height > size ? try c.joined(below, across) : nil
    }
    if let done { pieces.append(done) }
    return [try c.joined(pieces, up), try c.joined(pivots, up)]
  }
}

extension Composer {
  /// Rows and columns.
  func extents(_ value: ValueID) throws(OpError) -> (Int, Int) {
    let dimensions = type(value).dimensions.suffix(2).map(\.fixed)
    guard let rows = dimensions[0], let columns = dimensions[1] else {
      throw .unsupported("factors of matrices whose extents are open: \(type(value).detailedDescription)")
    }
    return (rows, columns)
  }

  func isEmpty(_ value: ValueID) -> Bool { type(value).dimensions.contains(.zero) }

  /// The factors of columns that lie as rows, the order of what were rows, and with which each was exchanged.
  fileprivate mutating func panelFactors(_ panel: ValueID, _ size: Int, _ height: Int) throws(OpError)
    -> (ValueID, ValueID, ValueID)
  {
    let type = self.type(panel)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let batch = Array(type.dimensions.dropLast(2))
    // One line more says where each row was: it is exchanged with the others.
    let line = TensorType(.i32, batch + [.one, Extent(height)])
    let numbers = try converted(
      try append(.iota(Iota(dimension: across, resultType: line))), to: type.elementType)
    let state = [try joined([panel, numbers], up), try zeros(TensorType(.i32, batch + [Extent(size)]))]
    let factored = try loop(size, carrying: state, reading: []) { (c, j, state, _) throws(OpError) in
      let value = state[0]
      let column = try c.cut(value, at: [up: j])
      let place = try c.positions(like: column, along: across)
      let current = try c.spreadScalar(j, like: place)
      // The first of the largest magnitudes; where there is NaN, the diagonal.
      let isRest = try c.apply(.compare(.greaterOrEqual, .signed), place, current)
      let magnitude = try c.apply(.select, isRest, try c.apply(.abs, column), try c.splat(-1, like: column))
      let largest = try c.repeated(try c.folded(.maximum, magnitude, along: across), like: column, along: across)
      let isLargest = try c.apply(.compare(.equal, .float), magnitude, largest)
      let length = try c.splat(Double(height), like: place)
      let fromEnd = try c.apply(
        .select, isLargest, try c.apply(.subtract, length, place), try c.zeros(like: place))
      let last = try c.fold(.maximum, fromEnd, over: [across])
      let isNone = try c.apply(.compare(.equal, .signed), last, try c.zeros(like: last))
      let pivot = try c.apply(
        .select, isNone, try c.spreadScalar(j, like: last),
        try c.apply(.subtract, try c.splat(Double(height), like: last), last))

      let (chosen, replaced) = (try c.picked(value, across, pivot), try c.cut(value, at: [across: j]))
      let divisor = try c.cut(chosen, at: [up: j])
      let isZero = try c.apply(.compare(.equal, .float), divisor, try c.zeros(like: divisor))
      let safe = try c.apply(.select, isZero, try c.splat(1, like: divisor), divisor)
      let pivots = try c.spread(pivot, along: [across], like: place)
      let isPivot = try c.apply(.compare(.equal, .signed), place, pivots)
      let exchanged = try c.apply(
        .select, isPivot, try c.repeated(try c.cut(replaced, at: [up: j]), like: column, along: across), column)
      let factor = try c.apply(.divide, exchanged, try c.repeated(safe, like: column, along: across))

      let (row, across2) = (try c.positions(like: value, along: up), try c.positions(like: value, along: across))
      let (round, limit) = (try c.spreadScalar(j, like: row), try c.splat(Double(size), like: row))
      let chosenRows = try c.repeated(chosen, like: value, along: across)
      let moved = try c.apply(
        .select, try c.apply(.compare(.equal, .signed), across2, round), chosenRows,
        try c.apply(
          .select, try c.apply(.compare(.equal, .signed), across2, try c.spread(pivot, along: [across], like: row)),
          try c.repeated(replaced, like: value, along: across), value))
      let factors = try c.repeated(factor, like: value, along: up)
      let less = try c.apply(.subtract, moved, try c.apply(.multiply, chosenRows, factors))
      let isLater = try c.apply(
        .and, try c.apply(.compare(.greater, .signed), row, round), try c.apply(.compare(.less, .signed), row, limit))
      let isCurrent = try c.apply(.compare(.equal, .signed), row, round)
      let isBelow = try c.apply(.compare(.greater, .signed), across2, round)
      let next = try c.apply(
        .select, isBelow, try c.apply(.select, isCurrent, factors, try c.apply(.select, isLater, less, moved)), moved)
      return [next, try c.replaced(state[1], pivot, at: [up: j])]
    }
    let order = try converted(try rows(factored[0], size..<size + 1), to: .i32)
    return (
      try rows(factored[0], 0..<size), try reshaped(order, batch + [Extent(height)]), factored[1]
    )
  }
}
