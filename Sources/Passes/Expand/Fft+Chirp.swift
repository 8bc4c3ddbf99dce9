import IR

extension Composer {
  /// The last dimension transformed where its extent `n` has no small divisor (L. I. Bluestein, 1970): with
  /// `j k = (j² + k² - (k - j)²) / 2`, the transform is a convolution with the chirp `exp(π i j² / n)`, and a convolution is
  /// a product of transforms, of a length that is a power of two.
  mutating func transformByChirp(_ z: ComplexParts, _ n: Int, isInverse: Bool) throws(OpError) -> ComplexParts {
    let length = 1 << (Int.bitWidth - (2 * n - 2).leadingZeroBitCount)
    let chirp = ComplexTable.chirp(n, isInverse: isInverse)
    var filter = ComplexTable(zeros: length)
    for j in 0..<n {
      let (re, im) = (chirp.re[j] / Double(length), -chirp.im[j] / Double(length))
      (filter.re[j], filter.im[j]) = (re, im)
      if j > 0 { (filter.re[length - j], filter.im[length - j]) = (re, im) }
    }
    filter.transform()
    let last = type(z.re).rank - 1
    let turned = try multiplied(z, by: chirp)
    let long = try turned.map { (v) throws(OpError) in try padded(v, to: length) }
    let spectrum = try multiplied(try transformLast(long, length, isInverse: false), by: filter)
    let sums = try transformLast(spectrum, length, isInverse: true)
    return try multiplied(try sums.map { (v) throws(OpError) in try slice(v, last, 0, n) }, by: chirp)
  }

  /// Zeros behind the elements of the last dimension.
  private mutating func padded(_ value: ValueID, to length: Int) throws(OpError) -> ValueID {
    let type = self.type(value)
    let none = [Extent](repeating: .zero, count: type.rank)
    var high = none
    high[type.rank - 1] = Extent(length) - type.dimensions[type.rank - 1]
    let zero = try append(.constant(.scalar(.zero(type.elementType), type.elementType)))
    return try append(.pad(Pad(low: none, high: high, interior: none.map { _ in 0 })), value, zero)
  }

  /// Each element of the last dimension times the table's.
  private mutating func multiplied(_ z: ComplexParts, by table: ComplexTable) throws(OpError) -> ComplexParts {
    let type = self.type(z.re)
    func factors(_ values: [Double], _ c: inout Composer) throws(OpError) -> ValueID {
      let list = try c.append(.constant(Literal(type.elementType, [values.count], values.map { .real($0) })))
      return try c.spread(list, along: type.rank - 1, like: z.re)
    }
    let (cosines, sines) = (try factors(table.re, &self), try factors(table.im, &self))
    let (re, im) = (try apply(.multiply, z.re, cosines), try apply(.multiply, z.re, sines))
    guard let imaginary = z.im else { return ComplexParts(re: re, im: im) }
    return ComplexParts(
      re: try apply(.subtract, re, try apply(.multiply, imaginary, sines)),
      im: try apply(.add, im, try apply(.multiply, imaginary, cosines)))
  }
}

/// Complex numbers of f64, computed when a graph is compiled.
private struct ComplexTable {
  var re: [Double]
  var im: [Double]

  init(zeros count: Int) {
    re = [Double](repeating: 0, count: count)
    im = re
  }

  /// `exp(∓π i j² / n)` for `j` in `0..<n`; the square is reduced first, so that angles are exact.
  static func chirp(_ n: Int, isInverse: Bool) -> ComplexTable {
    var table = ComplexTable(zeros: n)
    var square = 0
    for j in 0..<n {
      let root = RootOfUnity(isInverse ? square : -square, of: 2 * n)
      (table.re[j], table.im[j]) = (root.re, root.im)
      square = (square + 2 * j + 1) % (2 * n)
    }
    return table
  }

  /// The discrete Fourier transform in place; the length is a power of two.
  mutating func transform() {
    let count = re.count
    var reversed = 0
    for place in 1..<count {
      var bit = count >> 1
      while reversed & bit != 0 {
        reversed ^= bit
        bit >>= 1
      }
      reversed |= bit
      if place < reversed {
        re.swapAt(place, reversed)
        im.swapAt(place, reversed)
      }
    }
    let roots = (0..<count / 2).map { RootOfUnity($0, of: count) }
    var half = 1
    while half < count {
      for start in stride(from: 0, to: count, by: 2 * half) {
        for offset in 0..<half {
          let (low, high) = (start + offset, start + offset + half)
          let root = roots[offset * (count / (2 * half))]
          let (x, y) = (re[high] * root.re + im[high] * root.im, im[high] * root.re - re[high] * root.im)
          (re[high], im[high]) = (re[low] - x, im[low] - y)
          (re[low], im[low]) = (re[low] + x, im[low] + y)
        }
      }
      half *= 2
    }
  }
}
