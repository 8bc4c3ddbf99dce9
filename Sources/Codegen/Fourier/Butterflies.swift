import IR

/// Complex numbers whose parts lie in two registers.
struct ComplexParts {
  var re: Register
  var im: Register
}

/// Transforms of a few numbers, all in registers.
extension KernelBuilder {
  /// The discrete Fourier transform, forward or inverse, of a few numbers. The count has small prime factors: it is cut into
  /// two (Cooley and Tukey, 1965) until it is 4 or a prime.
  mutating func transformed(_ x: [ComplexParts], isInverse: Bool) -> [ComplexParts] {
    let count = x.count
    guard count > 1 else { return x }
    let first = count % 4 == 0 ? 4 : (2...count).first { count % $0 == 0 } ?? count
    if first == count {
      return count == 2 ? sumAndDifference(x) : count == 4 ? fourth(x, isInverse) : odd(x, isInverse)
    }
    let second = count / first
    var columns: [[ComplexParts]] = []
    for column in 0..<second {
      let part = transformed((0..<first).map { x[second * $0 + column] }, isInverse: isInverse)
      columns.append(
        part.enumerated().map { row, z in turned(z, by: isInverse ? column * row : -column * row, of: count) })
    }
    var result = x
    for row in 0..<first {
      for (place, z) in transformed(columns.map { $0[row] }, isInverse: isInverse).enumerated() {
        result[row + first * place] = z
      }
    }
    return result
  }

  private mutating func sumAndDifference(_ x: [ComplexParts]) -> [ComplexParts] {
    [plus(x[0], x[1]), minus(x[0], x[1])]
  }

  private mutating func fourth(_ x: [ComplexParts], _ isInverse: Bool) -> [ComplexParts] {
    let (a, b) = (plus(x[0], x[2]), minus(x[0], x[2]))
    let (c, d) = (plus(x[1], x[3]), minus(x[1], x[3]))
    // b + i d and b - i d.
    let up = ComplexParts(re: apply(.subtract, [b.re, d.im]), im: apply(.add, [b.im, d.re]))
    let down = ComplexParts(re: apply(.add, [b.re, d.im]), im: apply(.subtract, [b.im, d.re]))
    return [plus(a, c), isInverse ? up : down, minus(a, c), isInverse ? down : up]
  }

  /// An odd prime: sums and differences of numbers as far from both ends have real factors.
  private mutating func odd(_ x: [ComplexParts], _ isInverse: Bool) -> [ComplexParts] {
    let count = x.count
    let half = count / 2
    let sums = (1...half).map { plus(x[$0], x[count - $0]) }
    let differences = (1...half).map { minus(x[$0], x[count - $0]) }
    var result = x
    for sum in sums { result[0] = plus(result[0], sum) }
    for k in 1...half {
      var even = x[0]
      var odd: ComplexParts?
      for j in 1...half {
        let root = RootOfUnity(isInverse ? j * k : -j * k, of: count)
        even = added(sums[j - 1], times: root.re, to: even)
        odd = added(differences[j - 1], times: root.im, to: odd)
      }
      guard let odd else { continue }
      // even + i odd and even - i odd.
      result[k] = ComplexParts(re: apply(.subtract, [even.re, odd.im]), im: apply(.add, [even.im, odd.re]))
      result[count - k] = ComplexParts(re: apply(.add, [even.re, odd.im]), im: apply(.subtract, [even.im, odd.re]))
    }
    return result
  }

  private mutating func plus(_ a: ComplexParts, _ b: ComplexParts) -> ComplexParts {
    ComplexParts(re: apply(.add, [a.re, b.re]), im: apply(.add, [a.im, b.im]))
  }

  private mutating func minus(_ a: ComplexParts, _ b: ComplexParts) -> ComplexParts {
    ComplexParts(re: apply(.subtract, [a.re, b.re]), im: apply(.subtract, [a.im, b.im]))
  }

  private mutating func number(_ value: Double, like register: Register) -> Register {
    constant(value, type(of: register).element, lanes: lanes(of: register))
  }

  private mutating func added(_ z: ComplexParts, times factor: Double, to sum: ComplexParts?) -> ComplexParts {
    let factor = number(factor, like: z.re)
    guard let sum else {
      return ComplexParts(re: apply(.multiply, [z.re, factor]), im: apply(.multiply, [z.im, factor]))
    }
    return ComplexParts(re: multiplyAdd(z.re, factor, sum.re), im: multiplyAdd(z.im, factor, sum.im))
  }

  // MARK: Factors

  /// The number times the root of unity `exp(2π i k / n)`.
  private mutating func turned(_ z: ComplexParts, by k: Int, of n: Int) -> ComplexParts {
    let turns = ((k % n) + n) % n
    let (eighths, rest) = (8 * turns).quotientAndRemainder(dividingBy: n)
    if rest == 0 { return turned(z, byEighths: eighths) }
    let root = RootOfUnity(turns, of: n)
    return product(z, ComplexParts(re: number(root.re, like: z.re), im: number(root.im, like: z.re)))
  }

  private mutating func turned(_ z: ComplexParts, byEighths eighths: Int) -> ComplexParts {
    var result = z
    if eighths % 2 == 1 {
      let half = number(0.5.squareRoot(), like: z.re)
      let (re, im) = (apply(.subtract, [z.re, z.im]), apply(.add, [z.re, z.im]))
      result = ComplexParts(re: apply(.multiply, [re, half]), im: apply(.multiply, [im, half]))
    }
    switch eighths / 2 {
    case 0: return result
    case 1: return ComplexParts(re: apply(.negate, [result.im]), im: result.re)
    case 2: return ComplexParts(re: apply(.negate, [result.re]), im: apply(.negate, [result.im]))
    default: return ComplexParts(re: result.im, im: apply(.negate, [result.re]))
    }
  }

  /// The product; of two scalars' widths the wider.
  mutating func product(_ z: ComplexParts, _ w: ComplexParts) -> ComplexParts {
    ComplexParts(
      re: multiplyAdd(z.re, w.re, apply(.negate, [apply(.multiply, [z.im, w.im])])),
      im: multiplyAdd(z.re, w.im, apply(.multiply, [z.im, w.re])))
  }
}
