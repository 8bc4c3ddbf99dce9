import IR

/// Reflections make the matrix tridiagonal; halves of that are solved and joined, all of a level at once
/// (`docs/design/0039-eigenvalues-without-convergence.md`).
extension SymmetricEigen {
  func expand(_ operands: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    let a = operands[0]
    let type = c.type(a)
    if c.isEmpty(a) { return [a, try c.zeros(try inferTypes([type])[1])] }
    let (n, _) = try c.extents(a)
    let isRead = try c.compared(lower ? .greaterOrEqual : .lessOrEqual, a)
    let symmetric = try c.apply(.select, isRead, a, try c.swappingLast(a))
    let largest = try c.largestMagnitude(symmetric)
    let scale = try c.divisor(largest)
    let scaled = try c.apply(.divide, symmetric, try c.spread(scale, along: [type.rank - 2, type.rank - 1], like: a))
    let form = try c.tridiagonal(scaled, n)
    var (values, vectors) = try c.tridiagonalEigen(form.diagonal, form.beside, n)
    for stage in form.stages.reversed() { vectors = try c.reflected(vectors, by: stage, n) }
    values = try c.ascending(values)
    values = try c.apply(.multiply, values, try c.spread(largest, along: [type.rank - 2], like: values))
    return [vectors, values]
  }
}

/// Some of the reflections that make a matrix tridiagonal, of the rows from `first` on.
private struct ReflectionStage {
  var first: Int
  var count: Int
  var lines: ValueID
  var factors: ValueID
}

extension Composer {
  mutating func largestMagnitude(_ a: ValueID) throws(OpError) -> ValueID {
    let rank = type(a).rank
    return try fold(.maximum, try apply(.abs, a), over: [rank - 2, rank - 1])
  }

  fileprivate mutating func ascending(_ values: ValueID) throws(OpError) -> ValueID {
    let type = self.type(values)
    var comparator = Graph()
    let (x, y) = (
      comparator.addParameter(.scalar(type.elementType)), comparator.addParameter(.scalar(type.elementType))
    )
    comparator.results = [try comparator.append(.pointwise(.compare(.less, .totalOrder)), [x, y])]
    return try append(.sort(Sort(dimension: type.rank - 1, isStable: true, comparator: comparator)), values)
  }

  // MARK: Tridiagonal form

  /// The diagonal, what is beside it, and the reflections that lead there. What is done is cut off a few times, since a
  /// round goes over the whole matrix.
  fileprivate mutating func tridiagonal(_ a: ValueID, _ n: Int) throws(OpError)
    -> (diagonal: ValueID, beside: ValueID?, stages: [ReflectionStage])
  {
    let across = type(a).rank - 1
    let last = across - 1
    var (rest, first) = (a, 0)
    var (diagonals, besides, stages) = ([ValueID](), [ValueID](), [ReflectionStage]())
    while n - first > 2 {
      let extent = n - first
      let step = n <= 64 ? extent - 2 : max(16, n / 4)
      let count = extent - 2 <= step + 8 ? extent - 2 : step
      let round = try tridiagonalRounds(rest, extent, count)
      let diagonal = try fold(.add, try onDiagonal(round[0]), over: [across])
      diagonals.append(try slice(diagonal, last, 0, count))
      besides.append(round[3])
      stages.append(ReflectionStage(first: first, count: count, lines: round[1], factors: round[2]))
      rest = try part(round[0], count..<extent, count..<extent)
      first += count
    }
    diagonals.append(try fold(.add, try onDiagonal(rest), over: [across]))
    if n > 1 {
      let corner = try part(rest, 1..<2, 0..<1)
      besides.append(try reshaped(corner, Array(type(corner).dimensions.dropLast())))
    }
    return (try joined(diagonals, last), besides.isEmpty ? nil : try joined(besides, last), stages)
  }

  /// The matrix after some rounds, the vectors of their reflections, the factors, and the elements beside the diagonal.
  private mutating func tridiagonalRounds(_ a: ValueID, _ n: Int, _ count: Int) throws(OpError) -> [ValueID] {
    let type = self.type(a)
    let (up, across) = (type.rank - 2, type.rank - 1)
    let batch = Array(type.dimensions.dropLast(2))
    let list = TensorType(type.elementType, batch + [Extent(count)])
    let lines = TensorType(type.elementType, batch + [Extent(count), Extent(n)])
    let state = [a, try zeros(lines), try zeros(list), try zeros(list)]
    return try loop(count, carrying: state, reading: []) { (c, j, state, _) throws(OpError) in
      let value = state[0]
      let next = try c.apply(.add, j, try c.append(.constant(.scalar(.integer(1), .i32))))
      let r = try c.reflection(try c.cut(value, at: [up: j]), next)
      let v = r.vector
      let product = try c.contracted(v, across, value, across)
      let place = try c.positions(like: v, along: across)
      let isBehind = try c.apply(.compare(.greater, .signed), place, try c.spreadScalar(j, like: place))
      let p = try c.apply(
        .select, isBehind, try c.apply(.multiply, product, try c.repeated(r.factor, like: v, along: across)),
        try c.zeros(like: v))
      let sum = try c.folded(.add, try c.apply(.multiply, p, v), along: across)
      let half = try c.apply(.multiply, try c.apply(.multiply, sum, r.factor), try c.splat(0.5, like: sum))
      let w = try c.apply(
        .subtract, p, try c.apply(.multiply, try c.repeated(half, like: v, along: across), v))
      func rows(_ x: ValueID, _ c: inout Composer) throws(OpError) -> ValueID {
        try c.repeated(x, like: value, along: up)
      }
      func columns(_ x: ValueID, _ c: inout Composer) throws(OpError) -> ValueID {
        try c.repeated(try c.swappingLast(x), like: value, along: across)
      }
      let both = try c.apply(
        .add, try c.apply(.multiply, try columns(v, &c), try rows(w, &c)),
        try c.apply(.multiply, try columns(w, &c), try rows(v, &c)))
      func element(_ x: ValueID, _ c: inout Composer) throws(OpError) -> ValueID {
        try c.reshaped(x, Array(c.type(x).dimensions.dropLast()))
      }
      return [
        try c.apply(.subtract, value, both), try c.replaced(state[1], v, at: [up: j]),
        try c.replaced(state[2], try element(r.factor, &c), at: [up: j]),
        try c.replaced(state[3], try element(r.length, &c), at: [up: j]),
      ]
    }
  }

  /// The product of a stage's reflections and a matrix.
  fileprivate mutating func reflected(_ matrix: ValueID, by stage: ReflectionStage, _ n: Int) throws(OpError) -> ValueID
  {
    let up = type(matrix).rank - 2
    let extent = n - stage.first
    let block = Self.panel(stage.count)
    var result = matrix
    for start in stride(from: 0, to: stage.count, by: block).reversed() {
      let end = min(stage.count, start + block)
      let row = stage.first + start + 1
      let lines = try part(stage.lines, start..<end, start + 1..<extent)
      let factors = try slice(stage.factors, up, start, end)
      let below = try reflected(try rows(result, row..<n), lines, factors, isTransposed: false)
      result = try joined([try rows(result, 0..<row), below], up)
    }
    return result
  }

  // MARK: Halves

  /// Eigenvalues, almost ascending, and eigenvectors of a tridiagonal matrix.
  fileprivate mutating func tridiagonalEigen(_ diagonal: ValueID, _ beside: ValueID?, _ n: Int) throws(OpError)
    -> (ValueID, ValueID)
  {
    let last = type(diagonal).rank - 1
    let batch = Array(type(diagonal).dimensions.dropLast())
    let element = type(diagonal).elementType
    guard let beside else { return (diagonal, try splat(1, like: try reshaped(diagonal, batch + [.one, .one]))) }
    var largest = try fold(.maximum, try apply(.abs, diagonal), over: [last])
    largest = try divisor(try apply(.maximum, largest, try fold(.maximum, try apply(.abs, beside), over: [last])))
    let d = try apply(.divide, diagonal, try spread(largest, along: [last], like: diagonal))
    let e = try apply(.divide, beside, try spread(largest, along: [last], like: beside))
    let size = Self.paddedExtent(n)
    let none = try zeros(TensorType(element, batch + [.one]))
    let after = try joined([e, try zeros(TensorType(element, batch + [Extent(size - n + 1)]))], last)
    let magnitudes = try apply(.abs, after)
    let before = try joined([none, try slice(magnitudes, last, 0, size - 1)], last)
    var padded = d
    if size > n {
      // Above all that a matrix of elements below one has.
      let above = try splat(4, like: try zeros(TensorType(element, batch + [Extent(size - n)])))
      padded = try joined([d, above], last)
    }
    let parts = try apply(.subtract, try apply(.subtract, padded, magnitudes), before)
    let problem = batch + [.one, Extent(size)]
    let (values, vectors) = try halves(
      try reshaped(parts, problem), try reshaped(after, problem), size)
    let all = try reshaped(values, batch + [Extent(size)])
    let w = try apply(.multiply, all, try spread(largest, along: [last], like: all))
    let v = try reshaped(vectors, batch + [Extent(size), Extent(size)])
    return (try slice(w, last, 0, n), try part(v, 0..<n, 0..<n))
  }

  /// An extent that is at most an eighth larger and takes the least work to halve.
  private static func paddedExtent(_ n: Int) -> Int {
    func work(_ n: Int) -> Double {
      n == 1 ? 0 : Double(n) * Double(n) * Double(n) + 1e4 + (n % 2 == 0 ? 2 * work(n / 2) : work(n - 1))
    }
    return (n...(n + n / 8)).min { work($0) < work($1) } ?? n
  }

  /// Solves problems of one extent side by side; in `beside` the last element couples a problem with the next.
  private mutating func halves(_ diagonal: ValueID, _ beside: ValueID, _ n: Int) throws(OpError) -> (ValueID, ValueID) {
    let type = self.type(diagonal)
    let (problems, last) = (type.rank - 2, type.rank - 1)
    let prefix = Array(type.dimensions.dropLast())
    if n == 1 { return (diagonal, try splat(1, like: try reshaped(diagonal, prefix + [.one, .one]))) }
    if n % 2 == 1 {
      let (values, vectors) = try halves(
        try slice(diagonal, last, 0, n - 1), try slice(beside, last, 0, n - 1), n - 1)
      let own = try slice(diagonal, last, n - 1, n)
      let one = try splat(1, like: try reshaped(own, prefix + [.one, .one]))
      return try merged((values, vectors), (own, one), try slice(beside, last, n - 2, n - 1))
    }
    let half = Extent(n / 2)
    let doubled = Array(type.dimensions.dropLast(2)) + [prefix[problems] * 2]
    let (values, vectors) = try halves(
      try reshaped(diagonal, doubled + [half]), try reshaped(beside, doubled + [half]), n / 2)
    let pairs = try reshaped(values, prefix + [2, half])
    let pairsOfVectors = try reshaped(vectors, prefix + [2, half, half])
    func side(_ k: Int, _ c: inout Composer) throws(OpError) -> (ValueID, ValueID) {
      let own = try c.slice(pairs, last, k, k + 1)
      let ownVectors = try c.slice(pairsOfVectors, last, k, k + 1)
      return (try c.reshaped(own, prefix + [half]), try c.reshaped(ownVectors, prefix + [half, half]))
    }
    return try merged(try side(0, &self), try side(1, &self), try slice(beside, last, n / 2 - 1, n / 2))
  }

  /// A list as rows, or columns, of a square.
  private mutating func square(_ list: ValueID, asRow: Bool) throws(OpError) -> ValueID {
    let type = self.type(list)
    let last = type.rank - 1
    let dimensions = Array(0..<last) + [asRow ? last + 1 : last]
    return try append(
      .broadcastInDim(
        BroadcastInDim(dimensions: dimensions, resultDimensions: type.dimensions + [type.dimensions[last]])), list)
  }

  /// The product over a dimension.
  private mutating func product(_ value: ValueID, over dimension: Int) throws(OpError) -> ValueID {
    let element = type(value).elementType
    let one = try append(.constant(.scalar(Scalar(1, element), element)))
    var body = Graph()
    let (a, b) = (body.addParameter(.scalar(element)), body.addParameter(.scalar(element)))
    body.results = [try body.append(.pointwise(.multiply), [a, b])]
    return try append(.reduce(Reduce(dimensions: [dimension], body: body)), value, one)
  }

  /// Joins two problems: of `diagonal(d) + z zᵀ`, the eigenvalues lie between neighbours of `d`.
  ///
  /// Equal ones are kept apart by a distance far below an ulp, which is carried beside them, and elements of `z` above zero:
  /// so no case is special. Each eigenvalue is a distance from the nearer neighbour, found by halving its bits; `z` is
  /// computed anew from them (Gu and Eisenstat), so that vectors are orthogonal.
  private mutating func merged(_ a: (ValueID, ValueID), _ b: (ValueID, ValueID), _ coupling: ValueID) throws(OpError)
    -> (ValueID, ValueID)
  {
    let list = type(a.0)
    let last = list.rank - 1
    let element = list.elementType
    let (sizeA, sizeB) = (list.dimensions[last].fixed ?? 0, type(b.0).dimensions[last].fixed ?? 0)
    let size = sizeA + sizeB
    // 2^-36 and 2^-56 beside an ulp of 2^-23; squares of their quotients stay in range.
    let (distance, least) = element == .f64 ? (0x1p-80, 0x1p-130) : (0x1p-36, 0x1p-56)
    let d = try joined([a.0, b.0], last)
    let lastRow = try reshaped(try rows(a.1, sizeA - 1..<sizeA), type(a.0).dimensions)
    let firstRow = try reshaped(try rows(b.1, 0..<1), type(b.0).dimensions)
    let isNegative = try apply(.compare(.less, .float), coupling, try zeros(like: coupling))
    let flip = try apply(.select, isNegative, try splat(-1, like: coupling), try splat(1, like: coupling))
    let turned = try apply(.multiply, firstRow, try repeated(flip, like: firstRow, along: last))
    let z = try joined([lastRow, turned], last)
    let strength = try repeated(try apply(.abs, coupling), like: z, along: last)
    let weights = try apply(
      .maximum, try apply(.multiply, strength, try apply(.multiply, z, z)), try splat(least, like: z))

    // Which place each pole has among all, as a distance.
    let (poleRows, poleColumns) = (try square(d, asRow: false), try square(d, asRow: true))
    let numbers = TensorType(.i32, type(poleRows).dimensions)
    let (row, column) = (
      try append(.iota(Iota(dimension: last, resultType: numbers))),
      try append(.iota(Iota(dimension: last + 1, resultType: numbers)))
    )
    let isEqual = try apply(
      .and, try apply(.compare(.equal, .float), poleColumns, poleRows),
      try apply(.compare(.less, .signed), column, row))
    let comesBefore = try apply(.or, try apply(.compare(.less, .float), poleColumns, poleRows), isEqual)
    let rank = try fold(.add, try apply(.convert(.i32), comesBefore), over: [last + 1])
    let unit = try splat(distance, like: d)
    let offset = try apply(.multiply, try apply(.convert(element), rank), unit)
    let sorted = try ascending(d)
    let place = try append(.iota(Iota(dimension: last, resultType: TensorType(.i32, type(d).dimensions))))
    let ownOffset = try apply(.multiply, try apply(.convert(element), place), unit)

    // What is above each root: the next pole, or the sum of weights.
    let sum = try folded(.add, weights, along: last)
    let isLast = try apply(.compare(.equal, .signed), place, try splat(Double(size - 1), like: place))
    let next = try joined([try slice(sorted, last, 1, size), try slice(sorted, last, size - 1, size)], last)
    let toNext = try apply(.add, try apply(.subtract, next, sorted), unit)
    let gap = try apply(.select, isLast, try repeated(sum, like: d, along: last), toNext)
    let middle = try apply(.multiply, gap, try splat(0.5, like: gap))
    let one = try splat(1, like: d)
    let atMiddle = try secular(d, offset, weights, sorted, ownOffset, middle)
    let isUpper = try apply(
      .and, try apply(.not, isLast),
      try apply(.compare(.lessOrEqual, .float), atMiddle, try zeros(like: atMiddle)))
    let origin = try apply(.select, isUpper, next, sorted)
    let originOffset = try apply(.select, isUpper, try apply(.add, ownOffset, unit), ownOffset)
    let sign = try apply(.select, isUpper, try splat(-1, like: d), one)
    let limit = try apply(.select, isLast, gap, middle)

    let bits: ElementType = element == .f64 ? .i64 : .i32
    let high = try apply(.bitcast(bits), limit)
    let bounds = try loop(
      element.bitWidth - 1, carrying: [try zeros(like: high), high],
      reading: [d, offset, weights, origin, originOffset, sign]
    ) { (c, _, bounds, read) throws(OpError) in
      let width = try c.apply(.subtract, bounds[1], bounds[0])
      let half = try c.apply(
        .add, bounds[0], try c.apply(.shiftRightArithmetic, width, try c.splat(1, like: width)))
      let root = try c.apply(.multiply, try c.apply(.bitcast(element), half), read[5])
      let value = try c.secular(read[0], read[1], read[2], read[3], read[4], root)
      let signed = try c.apply(.multiply, value, read[5])
      let isBelow = try c.apply(.compare(.greater, .float), signed, try c.zeros(like: signed))
      return [
        try c.apply(.select, isBelow, bounds[0], half), try c.apply(.select, isBelow, half, bounds[1]),
      ]
    }
    let magnitude = try apply(.bitcast(element), bounds[1])
    let root = try apply(.multiply, magnitude, sign)
    let values = try apply(.add, origin, root)

    // The weights of which the roots are exactly the eigenvalues.
    let toRoot = try distances(d, offset, origin, originOffset, root)
    let toPole = try distances(d, offset, sorted, ownOffset, nil)
    let isOwn = try apply(
      .compare(.equal, .signed), try square(rank, asRow: false), try square(place, asRow: true))
    let terms = try apply(.select, isOwn, try apply(.negate, toRoot), try apply(.divide, toRoot, toPole))
    let exact = try apply(.squareRoot, try apply(.abs, try product(terms, over: last + 1)))
    let isBackward = try apply(.compare(.less, .float), z, try zeros(like: z))
    let directed = try apply(.select, isBackward, try apply(.negate, exact), exact)
    let raw = try apply(
      .divide, try apply(.multiply, try square(directed, asRow: false), try square(magnitude, asRow: true)), toRoot)
    let length = try apply(.squareRoot, try folded(.add, try apply(.multiply, raw, raw), along: last))
    let u = try apply(.divide, raw, try repeated(length, like: raw, along: last))
    let vectors = try joined(
      [
        try contracted(a.1, last + 1, try rows(u, 0..<sizeA), last),
        try contracted(b.1, last + 1, try rows(u, sizeA..<size), last),
      ], last)
    return (values, vectors)
  }

  /// Poles, as rows, less roots: `(d - origin) + (offset - origin's offset) - root`.
  private mutating func distances(
    _ d: ValueID, _ offset: ValueID, _ origin: ValueID, _ originOffset: ValueID, _ root: ValueID?
  ) throws(OpError) -> ValueID {
    let whole = try apply(.subtract, try square(d, asRow: false), try square(origin, asRow: true))
    let fraction = try apply(.subtract, try square(offset, asRow: false), try square(originOffset, asRow: true))
    let sum = try apply(.add, whole, fraction)
    guard let root else { return sum }
    return try apply(.subtract, sum, try square(root, asRow: true))
  }

  /// `1 + Σ weight / (pole - root)`, which is zero at eigenvalues and rises between poles.
  private mutating func secular(
    _ d: ValueID, _ offset: ValueID, _ weights: ValueID, _ origin: ValueID, _ originOffset: ValueID, _ root: ValueID
  ) throws(OpError) -> ValueID {
    let toRoot = try distances(d, offset, origin, originOffset, root)
    let terms = try apply(.divide, try square(weights, asRow: false), toRoot)
    let sum = try fold(.add, terms, over: [type(d).rank - 1])
    return try apply(.add, sum, try splat(1, like: sum))
  }
}
