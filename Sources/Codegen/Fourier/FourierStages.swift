import IR

/// The stages of a transform whose elements come out in order (T. G. Stockham, "High-speed convolution and correlation",
/// 1966): each replaces `count` lines of `length` elements, side by side, by `count * radix` lines of `length / radix`.
struct FourierStages {
  struct Stage {
    var radix: Int
    /// Elements of a line before the stage.
    var length: Int
    /// Lines side by side before the stage.
    var count: Int
    /// Where its roots begin in the list of all.
    var firstRoot = 0

    /// Elements of a line after it.
    var rest: Int { length / radix }
  }

  let length: Int
  let isInverse: Bool
  private(set) var stages: [Stage] = []

  /// Nil where a prime factor is too large. A first radix is asked for where lines are not side by side.
  init?(_ length: Int, isInverse: Bool, first: Int? = nil) {
    guard let primes = FourierTransform.primeFactors(of: length) else { return nil }
    self.length = length
    self.isInverse = isInverse
    var (rest, count) = (length, 1)
    for radix in Self.radices(primes, first) {
      stages.append(Stage(radix: radix, length: rest, count: count))
      rest /= radix
      count *= radix
    }
  }

  /// Eights as far as they go, fours, sixteen or two for the rest, nines and odd primes.
  private static func radices(_ primes: [Int], _ first: Int?) -> [Int] {
    var radices = first.map { [$0] } ?? []
    var twos = primes.count { $0 == 2 } - (first ?? 1).trailingZeroBitCount
    while twos > 0 {
      let bits = twos == 1 ? 1 : twos == 2 || twos == 5 ? 2 : twos == 4 ? 4 : 3
      radices.append(1 << bits)
      twos -= bits
    }
    var threes = primes.count { $0 == 3 }
    while threes > 0 {
      radices.append(threes > 1 ? 9 : 3)
      threes -= 2
    }
    radices += primes.filter { $0 > 3 }
    return radices.isEmpty ? [1] : radices
  }

  /// The roots of all stages, real parts and imaginary parts in turns. For the `p`th element after a stage there are those that
  /// its results but the first are multiplied by; of a stage whose elements lie in vectors, those of one result follow each
  /// other, in as many as the vectors have.
  mutating func roots(_ element: ElementType, vectorsIn vectorStage: Int?, lanes: Int) -> Literal {
    var values: [Double] = []
    for number in stages.indices where stages[number].rest > 1 {
      let stage = stages[number]
      stages[number].firstRoot = values.count
      func root(_ p: Int, _ k: Int) -> RootOfUnity { RootOfUnity(isInverse ? p * k : -p * k, of: stage.length) }
      if number == vectorStage {
        for k in 1..<stage.radix {
          let list = (0..<Self.padded(stage.rest, lanes)).map { root($0, k) }
          values += list.map(\.re) + list.map(\.im)
        }
      } else {
        for p in 0..<stage.rest {
          for k in 1..<stage.radix { values += [root(p, k).re, root(p, k).im] }
        }
      }
    }
    if values.isEmpty { values = [0] }
    return Literal(element, [values.count], values.map { .real($0) })
  }

  static func padded(_ count: Int, _ lanes: Int) -> Int { (count + lanes - 1) / lanes * lanes }
}
