import IR

/// Transforms by `tfc.fourier_transform`, which has a kernel.
extension Composer {
  /// The longest lines that a kernel transforms at once: in the caches, and where lines lie side by side.
  private static let (longestLine, longestLineBesideOthers) = (16_384, 2048)

  /// Whether the lines of a length are transformed by a kernel.
  func hasKernel(forLength n: Int) -> Bool { transformsLines && FourierTransform.primeFactors(of: n) != nil }

  mutating func transformedByKernel(_ z: ComplexParts, _ d: Int, _ n: Int, isInverse: Bool) throws(OpError)
    -> ComplexParts
  {
    let value = try apply(.complex, z.re, try imaginary(z))
    return try parts(of: try transformedByKernel(value, d, n, isInverse: isInverse))
  }

  private mutating func parts(of value: ValueID) throws(OpError) -> ComplexParts {
    ComplexParts(re: try apply(.real, value), im: try apply(.imaginary, value))
  }

  /// Lines that are too long at once are squares: columns are transformed, turned, and rows transformed (D. H. Bailey,
  /// "FFTs in External or Hierarchical Memory", 1990).
  private mutating func transformedByKernel(_ value: ValueID, _ d: Int, _ n: Int, isInverse: Bool) throws(OpError)
    -> ValueID
  {
    if n == 1 { return value }
    let extents = type(value).dimensions
    let isAlone = n % 4 == 0 && extents[(d + 1)...].allSatisfy { $0 == .one }
    guard n > (isAlone ? Self.longestLine : Self.longestLineBesideOthers) else {
      return try append(.fourierTransform(FourierTransform(dimension: d, isInverse: isInverse)), value)
    }
    let columns = Self.divisor(n)
    let rows = n / columns
    let (outer, inner) = (Array(extents[..<d]), Array(extents[(d + 1)...]))
    let square = try reshaped(value, outer + [Extent(columns), Extent(rows)] + inner)
    let transformed = try transformedByKernel(square, d, columns, isInverse: isInverse)
    let roots = (0..<n).map { place -> Scalar in
      let turns = (place / rows) * (place % rows)
      let root = RootOfUnity(isInverse ? turns : -turns, of: n)
      return .complex(root.re, root.im)
    }
    let table = try append(.constant(Literal(type(value).elementType, [columns, rows], roots)))
    let turned = try apply(.multiply, transformed, try spread(table, over: [d, d + 1], type(square).dimensions))
    let result = try transformedByKernel(turned, d + 1, rows, isInverse: isInverse)
    var order = Array(0...extents.count)
    order.swapAt(d, d + 1)
    return try reshaped(try transposed(result, order), extents)
  }

  /// The largest divisor that is not above the root.
  private static func divisor(_ n: Int) -> Int {
    var divisor = Int(Double(n).squareRoot())
    while n % divisor != 0 { divisor -= 1 }
    return divisor
  }

  /// A value of which `value` is the transpose, and its permutation. Padding is done before the transpose.
  mutating func beforeTranspose(_ value: ValueID) throws(OpError) -> (source: ValueID, permutation: [Int]) {
    let node = graph[value]
    switch node.op {
    case .transpose(let transpose): return (node.operands[0], transpose.permutation)
    case .pad(let pad):
      guard case .transpose(let transpose) = graph[node.operands[0]].op else { break }
      var before = pad
      for (d, source) in transpose.permutation.enumerated() {
        (before.low[source], before.high[source]) = (pad.low[d], pad.high[d])
        before.interior[source] = pad.interior[d]
      }
      let source = graph[node.operands[0]].operands[0]
      return (try append(.pad(before), source, node.operands[1]), transpose.permutation)
    default: break
    }
    return (value, Array(0..<node.type.rank))
  }

  // MARK: Real lines

  /// The first half of the transform of real lines along a dimension, and the element in the middle. Elements in pairs
  /// are complex numbers, whose transform is half as long; it is taken apart by its symmetry.
  mutating func halfTransformed(_ x: ValueID, along d: Int, _ n: Int) throws(OpError) -> ComplexParts {
    let half = n / 2
    let pairs = ComplexParts(re: try slice(x, d, 0, n, by: 2), im: try slice(x, d, 1, n, by: 2))
    let transform = try transformedByKernel(pairs, d, half, isInverse: false)
    let z = try apply(.complex, transform.re, try imaginary(transform))
    let first = try parts(of: try slice(z, d, 0, 1))
    let (ends, none) = (try imaginary(first), try splat(0, like: first.re))
    var pieces = [ComplexParts(re: try apply(.add, first.re, ends), im: none)]
    if half > 1 {
      let inside = try slice(z, d, 1, half)
      let mirror = try append(.reverse(Reverse(dimensions: [d])), inside)
      let roots = (1..<half).map { k -> (re: Double, im: Double) in
        let root = RootOfUnity(-k, of: n)
        return (root.im / 2, -root.re / 2)
      }
      let (sum, turned) = try combined(try parts(of: inside), try parts(of: mirror), d, roots)
      let one = try splat(0.5, like: sum.re)
      pieces.append(
        ComplexParts(
          re: try apply(.add, try apply(.multiply, sum.re, one), turned.re),
          im: try apply(.add, try apply(.multiply, try imaginary(sum), one), try imaginary(turned))))
    }
    pieces.append(ComplexParts(re: try apply(.subtract, first.re, ends), im: none))
    let values = try pieces.map { (piece) throws(OpError) in try apply(.complex, piece.re, try imaginary(piece)) }
    return try parts(of: try append(.concatenate(Concatenate(dimension: d)), values))
  }

  /// The real lines of `n` elements along a dimension whose transforms begin with `z`.
  mutating func realLines(ofHalf z: ComplexParts, along d: Int, _ n: Int) throws(OpError) -> ValueID {
    let half = n / 2
    let value = try apply(.complex, z.re, try imaginary(z))
    var front = try parts(of: try slice(value, d, 0, half))
    let reversed = try append(.reverse(Reverse(dimensions: [d])), try slice(value, d, 1, half + 1))
    var back = try parts(of: reversed)
    // What must be real is taken so.
    front.im = try withoutFirst(try imaginary(front), d)
    back.im = try withoutFirst(try imaginary(back), d)
    let roots = (0..<half).map { k -> (re: Double, im: Double) in
      let root = RootOfUnity(k, of: n)
      return (-root.im, root.re)
    }
    let (sum, turned) = try combined(front, back, d, roots)
    let pairs = ComplexParts(
      re: try apply(.add, sum.re, turned.re), im: try apply(.add, try imaginary(sum), try imaginary(turned)))
    let lines = try transformedByKernel(pairs, d, half, isInverse: true)
    let extents = type(z.re).dimensions
    let (outer, inner) = (Array(extents[..<d]), Array(extents[(d + 1)...]))
    let columns = try [lines.re, try imaginary(lines)].map { (v) throws(OpError) in
      let scaled = try apply(.multiply, v, try splat(1 / Double(n), like: v))
      return try reshaped(scaled, outer + [Extent(half), .one] + inner)
    }
    let both = try append(.concatenate(Concatenate(dimension: d + 1)), columns)
    return try reshaped(both, outer + [Extent(n)] + inner)
  }

  /// The sum of lines and others, conjugated, and their difference times `roots`.
  private mutating func combined(_ a: ComplexParts, _ b: ComplexParts, _ d: Int, _ roots: [(re: Double, im: Double)])
    throws(OpError) -> (sum: ComplexParts, turned: ComplexParts)
  {
    let (ai, bi) = (try imaginary(a), try imaginary(b))
    let sum = ComplexParts(re: try apply(.add, a.re, b.re), im: try apply(.subtract, ai, bi))
    let (re, im) = (try apply(.subtract, a.re, b.re), try apply(.add, ai, bi))
    let element = type(a.re).elementType
    func table(_ values: [Double], _ c: inout Composer) throws(OpError) -> ValueID {
      let list = try c.append(.constant(Literal(element, [values.count], values.map { .real($0) })))
      return try c.spread(list, along: d, like: re)
    }
    let (cosines, sines) = (try table(roots.map(\.re), &self), try table(roots.map(\.im), &self))
    return (
      sum,
      ComplexParts(
        re: try apply(.subtract, try apply(.multiply, re, cosines), try apply(.multiply, im, sines)),
        im: try apply(.add, try apply(.multiply, re, sines), try apply(.multiply, im, cosines)))
    )
  }

  /// Zero in place of each line's first element.
  private mutating func withoutFirst(_ value: ValueID, _ d: Int) throws(OpError) -> ValueID {
    let type = type(value)
    let position = try append(.iota(Iota(dimension: d, resultType: type.with(.i32))))
    let isFirst = try apply(.compare(.equal, .signed), position, try splat(0, like: position))
    return try apply(.select, isFirst, try splat(0, like: value), value)
  }
}
