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

  // MARK: Real lines

  /// The first half of the transform of real lines along the last dimension, and the element in the middle. Elements in pairs
  /// are complex numbers, whose transform is half as long; it is taken apart by its symmetry.
  mutating func halfTransformed(_ x: ValueID, _ n: Int) throws(OpError) -> ComplexParts {
    let (last, half) = (type(x).rank - 1, n / 2)
    let pairs = ComplexParts(re: try slice(x, last, 0, n, by: 2), im: try slice(x, last, 1, n, by: 2))
    let transform = try transformedByKernel(pairs, last, half, isInverse: false)
    let z = try apply(.complex, transform.re, try imaginary(transform))
    let around = try append(.concatenate(Concatenate(dimension: last)), z, try slice(z, last, 0, 1))
    let mirror = try append(.reverse(Reverse(dimensions: [last])), around)
    let roots = (0...half).map { k -> (re: Double, im: Double) in
      let root = RootOfUnity(-k, of: n)
      return (root.im / 2, -root.re / 2)
    }
    let (sum, turned) = try combined(try parts(of: around), try parts(of: mirror), roots)
    let one = try splat(0.5, like: sum.re)
    return ComplexParts(
      re: try apply(.add, try apply(.multiply, sum.re, one), turned.re),
      im: try apply(.add, try apply(.multiply, try imaginary(sum), one), try imaginary(turned)))
  }

  /// The real lines of `n` elements along the last dimension whose transforms begin with `z`.
  mutating func realLines(ofHalf z: ComplexParts, _ n: Int) throws(OpError) -> ValueID {
    let (last, half) = (type(z.re).rank - 1, n / 2)
    let value = try apply(.complex, z.re, try imaginary(z))
    var front = try parts(of: try slice(value, last, 0, half))
    let reversed = try append(.reverse(Reverse(dimensions: [last])), try slice(value, last, 1, half + 1))
    var back = try parts(of: reversed)
    // What must be real is taken so.
    front.im = try withoutFirst(try imaginary(front))
    back.im = try withoutFirst(try imaginary(back))
    let roots = (0..<half).map { k -> (re: Double, im: Double) in
      let root = RootOfUnity(k, of: n)
      return (-root.im, root.re)
    }
    let (sum, turned) = try combined(front, back, roots)
    let pairs = ComplexParts(
      re: try apply(.add, sum.re, turned.re), im: try apply(.add, try imaginary(sum), try imaginary(turned)))
    let lines = try transformedByKernel(pairs, last, half, isInverse: true)
    let extents = type(z.re).dimensions.dropLast()
    let columns = try [lines.re, try imaginary(lines)].map { (v) throws(OpError) in
      try reshaped(try apply(.multiply, v, try splat(1 / Double(n), like: v)), extents + [Extent(half), .one])
    }
    let both = try append(.concatenate(Concatenate(dimension: last + 1)), columns)
    return try reshaped(both, extents + [Extent(n)])
  }

  /// The sum of lines and others, conjugated, and their difference times `roots`.
  private mutating func combined(_ a: ComplexParts, _ b: ComplexParts, _ roots: [(re: Double, im: Double)])
    throws(OpError) -> (sum: ComplexParts, turned: ComplexParts)
  {
    let (ai, bi) = (try imaginary(a), try imaginary(b))
    let sum = ComplexParts(re: try apply(.add, a.re, b.re), im: try apply(.subtract, ai, bi))
    let (re, im) = (try apply(.subtract, a.re, b.re), try apply(.add, ai, bi))
    let (element, last) = (type(a.re).elementType, type(a.re).rank - 1)
    func table(_ values: [Double], _ c: inout Composer) throws(OpError) -> ValueID {
      let list = try c.append(.constant(Literal(element, [values.count], values.map { .real($0) })))
      return try c.spread(list, along: last, like: re)
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
  private mutating func withoutFirst(_ value: ValueID) throws(OpError) -> ValueID {
    let type = type(value)
    let position = try append(.iota(Iota(dimension: type.rank - 1, resultType: type.with(.i32))))
    let isFirst = try apply(.compare(.equal, .signed), position, try splat(0, like: position))
    return try apply(.select, isFirst, try splat(0, like: value), value)
  }
}
