/// A complex tensor whose lines along a dimension are transformed one by one.
struct ComplexLines {
  private var dimensions: [Int]
  private var elements: [ComplexNumber]

  init(_ x: Literal) {
    dimensions = x.dimensions
    elements = x.scalars.map { ComplexNumber($0) }
  }

  /// The tensor, or its real part where the type is real.
  func literal(_ type: ElementType) -> Literal {
    Literal(type, dimensions, elements.map { type.isComplex ? $0.scalar(type) : .real($0.re) })
  }

  /// Replaces each line along `d` by `change` of it, `length` elements long.
  private mutating func mapLines(_ d: Int, length: Int, _ change: ([ComplexNumber]) -> [ComplexNumber]) {
    let (old, inner) = (dimensions[d], dimensions[(d + 1)...].reduce(1, *))
    let outer = dimensions[..<d].reduce(1, *)
    var changed = [ComplexNumber](repeating: .zero, count: outer * length * inner)
    for o in 0..<outer {
      for i in 0..<inner {
        let line = change((0..<old).map { elements[(o * old + $0) * inner + i] })
        for (k, element) in line.enumerated() { changed[(o * length + k) * inner + i] = element }
      }
    }
    dimensions[d] = length
    elements = changed
  }

  /// The discrete Fourier transform of each line along `d`, not divided by its length.
  mutating func transform(_ d: Int, isInverse: Bool) {
    let n = dimensions[d]
    let roots = (0..<n).map { k -> ComplexNumber in
      let root = RootOfUnity(isInverse ? k : -k, of: n)
      return ComplexNumber(root.re, root.im)
    }
    mapLines(d, length: n) { line in
      (0..<n).map { k in
        var sum = ComplexNumber.zero
        for (j, element) in line.enumerated() { sum = sum + element * roots[j * k % n] }
        return sum
      }
    }
  }

  /// The inverse transform of each line along `d`.
  mutating func invert(_ d: Int) {
    transform(d, isInverse: true)
    let scale = 1 / Double(dimensions[d])
    mapLines(d, length: dimensions[d]) { line in line.map { ComplexNumber($0.re * scale, $0.im * scale) } }
  }

  mutating func truncate(_ d: Int, to length: Int) {
    mapLines(d, length: length) { line in Array(line.prefix(length)) }
  }

  mutating func mirror(_ d: Int, to length: Int) {
    mapLines(d, length: length) { line in
      (0..<length).map { k in
        if k == 0 || 2 * k == length { return ComplexNumber(line[k].re, 0) }
        return 2 * k < length ? line[k] : line[length - k].conjugate
      }
    }
  }
}
