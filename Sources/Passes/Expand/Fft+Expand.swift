import IR

extension Fft {
  /// The longest line whose roots of unity a library may hold.
  private static let longest = 1 << 26

  /// Products with matrices of roots of unity: long lines are cut into short ones (Cooley and Tukey), short ones are
  /// one contraction. Long lines without a small divisor are convolutions (`Fft+Chirp.swift`).
  func expand(_ x: [ValueID], _ c: inout Composer) throws(OpError) -> [ValueID] {
    guard lengths.allSatisfy({ $0 > 0 }) else { throw .unsupported("stablehlo.fft of no elements") }
    if let longest = lengths.max(), longest > Self.longest {
      throw .unsupported("stablehlo.fft of \(longest) elements, whose roots of unity take too much memory")
    }
    let rank = c.type(x[0]).rank
    // Kernels transform lines along any dimension: what is turned for the op's sake is not turned for them.
    let (source, order) = c.transformsLines ? try c.beforeTranspose(x[0]) : (x[0], Array(0..<rank))
    let result = try expand(source, along: Array(order.suffix(lengths.count)), &c)
    return [try c.transposed(result, order)]
  }

  /// The transform along some dimensions, in the order of the lengths.
  private func expand(_ x: ValueID, along dimensions: [Int], _ c: inout Composer) throws(OpError) -> ValueID {
    let isInverse = kind == .inverse || kind == .realInverse
    let (last, others) = (dimensions[lengths.count - 1], dimensions.dropLast().reversed())
    let length = lengths[lengths.count - 1]
    let isHalved = length % 2 == 0 && c.hasKernel(forLength: length / 2)
    var z: ComplexParts
    if kind == .realForward {
      z = ComplexParts(re: x, im: nil)
    } else {
      z = ComplexParts(re: try c.apply(.real, x), im: try c.apply(.imaginary, x))
    }
    if isInverse { for d in others.reversed() { z = try c.transform(z, d, isInverse: true) } }
    if kind == .realInverse {
      if isHalved { return try c.realLines(ofHalf: z, along: last, length) }
      z = try c.mirrored(z, last, length)
    }
    if kind == .realForward, isHalved {
      z = try c.halfTransformed(x, along: last, length)
    } else {
      z = try c.transform(z, last, isInverse: isInverse)
      if kind == .realForward { z = try z.map { (v) throws(OpError) in try c.slice(v, last, 0, length / 2 + 1) } }
    }
    if !isInverse { for d in others { z = try c.transform(z, d, isInverse: false) } }
    if kind == .realInverse { return z.re }
    return try c.apply(.complex, z.re, try c.imaginary(z))
  }
}

/// A complex tensor by its parts; no imaginary part where it is zero.
struct ComplexParts {
  var re: ValueID
  var im: ValueID?

  func map(_ change: (ValueID) throws(OpError) -> ValueID) throws(OpError) -> ComplexParts {
    var changed: ValueID?
    if let im { changed = try change(im) }
    return ComplexParts(re: try change(re), im: changed)
  }
}

extension Composer {
  /// The longest line that is transformed by one matrix, and the longest one without a divisor up to that.
  private static let directLength = 64
  private static let undividedLength = 256

  mutating func imaginary(_ z: ComplexParts) throws(OpError) -> ValueID {
    if let im = z.im { return im }
    return try splat(0, like: z.re)
  }

  /// The lines along dimension `d` transformed; inverse transforms are divided by the length.
  fileprivate mutating func transform(_ z: ComplexParts, _ d: Int, isInverse: Bool) throws(OpError) -> ComplexParts {
    let extents = type(z.re).dimensions
    guard let length = extents[d].fixed else { throw OpError("fft of \(extents[d]) elements") }
    let placed: ComplexParts
    if hasKernel(forLength: length) {
      placed = try transformedByKernel(z, d, length, isInverse: isInverse)
    } else {
      // The dimension comes last for the contractions, and goes back.
      let rank = extents.count
      let order = (0..<rank).filter { $0 != d } + [d]
      var back = [Int](repeating: 0, count: rank)
      for (position, dimension) in order.enumerated() { back[dimension] = position }
      let moved = try z.map { (v) throws(OpError) in try transposed(v, order) }
      let result = try transformLast(moved, length, isInverse: isInverse)
      placed = try result.map { (v) throws(OpError) in try transposed(v, back) }
    }
    if !isInverse { return placed }
    return try placed.map { (v) throws(OpError) in try apply(.multiply, v, try splat(1 / Double(length), like: v)) }
  }

  /// With `n = n1 * n2`, element `k1 + n1 * k2` is a transform over `n2` of roots times a transform over `n1`.
  mutating func transformLast(_ z: ComplexParts, _ n: Int, isInverse: Bool) throws(OpError) -> ComplexParts {
    if hasKernel(forLength: n) {
      return try transformedByKernel(z, type(z.re).rank - 1, n, isInverse: isInverse)
    }
    let n1 = Self.factor(n)
    if n > Self.undividedLength, n1 == n { return try transformByChirp(z, n, isInverse: isInverse) }
    if n <= Self.directLength || n1 == n { return try product(z, n, isInverse: isInverse) }
    let n2 = n / n1
    let outer = Array(type(z.re).dimensions.dropLast())
    let rank = outer.count
    let swap = Array(0..<rank) + [rank + 1, rank]
    let table = try z.map { (v) throws(OpError) in
      try transposed(try reshaped(v, outer + [Extent(n1), Extent(n2)]), swap)
    }
    // [n2, k1]
    let columns = try product(table, n1, isInverse: isInverse)
    let turned = try rotated(columns, n, n2, n1, isInverse: isInverse)
    let rows = try turned.map { (v) throws(OpError) in try transposed(v, swap) }
    // [k1, k2], to be read with k1 running fastest
    let both = try transformLast(rows, n2, isInverse: isInverse)
    return try both.map { (v) throws(OpError) in try reshaped(try transposed(v, swap), outer + [Extent(n)]) }
  }

  /// The largest divisor up to the direct length; the number itself where it has none but 1.
  private static func factor(_ n: Int) -> Int {
    (2...directLength).reversed().first { n % $0 == 0 } ?? n
  }

  /// The product of the last dimension with the matrix of roots.
  fileprivate mutating func product(_ z: ComplexParts, _ n: Int, isInverse: Bool) throws(OpError) -> ComplexParts {
    let element = type(z.re).elementType
    let cosines = try roots(element, n, n, n, .cosine)
    let sines = try roots(element, n, n, n, .sine, isNegated: !isInverse)
    let re = try contracted(z.re, cosines)
    let im = try contracted(z.re, sines)
    guard let imaginary = z.im else { return ComplexParts(re: re, im: im) }
    let crossRe = try apply(.subtract, re, try contracted(imaginary, sines))
    return ComplexParts(re: crossRe, im: try apply(.add, im, try contracted(imaginary, cosines)))
  }

  /// Each element `[i, j]` of the last two dimensions times the root `i * j` of `n`.
  fileprivate mutating func rotated(_ z: ComplexParts, _ n: Int, _ rows: Int, _ columns: Int, isInverse: Bool)
    throws(OpError)
    -> ComplexParts
  {
    let type = self.type(z.re)
    let places = [type.rank - 2, type.rank - 1]
    let cosines = try spread(try roots(type.elementType, n, rows, columns, .cosine), over: places, type.dimensions)
    let sineTable = try roots(type.elementType, n, rows, columns, .sine, isNegated: !isInverse)
    let sines = try spread(sineTable, over: places, type.dimensions)
    let im = try imaginary(z)
    let re = try apply(.subtract, try apply(.multiply, z.re, cosines), try apply(.multiply, im, sines))
    let cross = try apply(.add, try apply(.multiply, z.re, sines), try apply(.multiply, im, cosines))
    return ComplexParts(re: re, im: cross)
  }

  /// One part of the roots `i * j` of `n`.
  fileprivate mutating func roots(
    _ element: ElementType, _ n: Int, _ rows: Int, _ columns: Int, _ part: ScalarFunction, isNegated: Bool = false
  ) throws(OpError) -> ValueID {
    let table = (0..<n).map { k in
      let root = RootOfUnity(k, of: n)
      let value = part == .cosine ? root.re : root.im
      return isNegated ? -value : value
    }
    let values = allIndices([rows, columns]).map { Scalar.real(table[$0[0] * $0[1] % n]) }
    return try append(.constant(Literal(element, [rows, columns], values)))
  }

  fileprivate mutating func contracted(_ value: ValueID, _ matrix: ValueID) throws(OpError) -> ValueID {
    let type = self.type(value)
    let contraction = Contraction(lhsContracting: [type.rank - 1], rhsContracting: [0])
    return try append(.dotGeneral(DotGeneral(contraction, resultType: type.elementType)), value, matrix)
  }

  mutating func reshaped(_ value: ValueID, _ dimensions: [Extent]) throws(OpError) -> ValueID {
    if type(value).dimensions == dimensions { return value }
    return try append(.reshape(Reshape(resultDimensions: dimensions)), value)
  }

  mutating func spread(_ table: ValueID, over places: [Int], _ extents: [Extent]) throws(OpError) -> ValueID {
    try append(.broadcastInDim(BroadcastInDim(dimensions: places, resultDimensions: extents)), table)
  }

  mutating func transposed(_ value: ValueID, _ permutation: [Int]) throws(OpError) -> ValueID {
    if permutation == Array(permutation.indices) { return value }
    return try append(.transpose(Transpose(permutation: permutation)), value)
  }

  mutating func slice(_ value: ValueID, _ d: Int, _ start: Int, _ limit: Int, by step: Int = 1) throws(OpError)
    -> ValueID
  {
    let extents = type(value).dimensions
    var (starts, limits) = ([Extent](repeating: .zero, count: extents.count), extents)
    (starts[d], limits[d]) = (Extent(start), Extent(limit))
    var strides = [Int](repeating: 1, count: extents.count)
    strides[d] = step
    return try append(.slice(Slice(starts: starts, limits: limits, strides: strides)), value)
  }

  /// The whole line of a real signal's transform: the second half is the first one's mirror image, conjugated; the
  /// elements that are their own images are real.
  fileprivate mutating func mirrored(_ z: ComplexParts, _ d: Int, _ length: Int) throws(OpError) -> ComplexParts {
    let re = try mirrored(z.re, d, length)
    let im = try imaginary(z)
    let zero = try splat(0, like: try slice(im, d, 0, 1))
    let middle = (length + 1) / 2
    var pieces = [zero]
    if middle > 1 { pieces.append(try slice(im, d, 1, middle)) }
    if length % 2 == 0 { pieces.append(zero) }
    if middle > 1 {
      let image = try append(.reverse(Reverse(dimensions: [d])), try slice(im, d, 1, middle))
      pieces.append(try apply(.negate, image))
    }
    return ComplexParts(
      re: re, im: try graph.append(.concatenate(Concatenate(dimension: d)), pieces, location: location))
  }

  fileprivate mutating func mirrored(_ re: ValueID, _ d: Int, _ length: Int) throws(OpError) -> ValueID {
    let middle = (length + 1) / 2
    if middle <= 1 { return re }
    let image = try append(.reverse(Reverse(dimensions: [d])), try slice(re, d, 1, middle))
    return try append(.concatenate(Concatenate(dimension: d)), re, image)
  }
}
