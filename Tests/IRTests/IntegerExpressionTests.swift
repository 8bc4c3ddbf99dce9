import IR
import Testing

@Suite struct IntegerExpressionTests {
  typealias Expression = IntegerExpression

  @Test func atomsAreCounted() {
    let (a, i, j) = (Expression.symbol("a"), Expression.variable(0), Expression.variable(1))
    let samples: [(Expression, Int)] = [
      (7, 0), (a, 1), (a * a * 3 + i, 3), (Expression(.floorDivide(i * 5 + j, a)), 4),
      (Expression(.element(operand: 0, index: [i, j + 1])) + a, 4),
      (Expression(.minimum(a, Expression(.modulo(i, a)))), 5),
    ]
    for (expression, count) in samples {
      #expect(!expression.hasMoreAtoms(than: count), "\(expression)")
      #expect(count == 0 || expression.hasMoreAtoms(than: count - 1), "\(expression)")
    }
  }

  /// A product of 40 sums has 2⁴⁰ terms.
  @Test func countsOfTooManyTermsAreRefused() throws {
    var graph = Graph()
    let dimensions = (0..<40).map { Extent.symbol("s\($0)") }
    let x = graph.addParameter(TensorType(.f32, dimensions))
    let edge = graph.addParameter(.scalar(.f32))
    let zeros = dimensions.map { _ in Extent.zero }
    func pad(_ count: Int) -> Op {
      let low = dimensions.indices.map { $0 < count ? Extent.one : .zero }
      return .pad(Pad(low: low, high: zeros, interior: dimensions.map { _ in 0 }))
    }
    try graph.append(pad(12), [x, edge])
    #expect(throws: OpError.self) { try graph.append(pad(40), [x, edge]) }
    let reshape = Reshape(resultDimensions: [dimensions.reduce(.one) { $0 * $1 }])
    let flat = try graph.append(.reshape(reshape), [x])
    #expect(throws: OpError.self) {
      try graph.append(.reshape(Reshape(resultDimensions: dimensions.map { $0 + 1 })), [flat])
    }
  }

  /// An expression and, written separately, what it is for values of `a`, `b` and variables 0 and 1.
  struct Sample {
    var expression: Expression
    var value: ([Int]) -> Int?
  }

  static let symbols = [Symbol("a"), Symbol("b")]

  static func evaluate(_ expression: Expression, _ values: [Int]) -> Int? {
    expression.evaluated { atom in
      switch atom {
      case .symbol(let symbol): symbols.firstIndex(of: symbol).map { values[$0] }
      case .variable(let k): values[2 + k]
      default: nil
      }
    }
  }

  static func random(depth: Int, using g: inout SeededGenerator) -> Sample {
    if depth == 0 {
      switch Int.random(in: 0..<6, using: &g) {
      case 0, 1:
        let k = Int.random(in: -6...6, using: &g)
        return Sample(expression: Expression(k)) { _ in k }
      case 2: return Sample(expression: .symbol("a")) { $0[0] }
      case 3: return Sample(expression: .symbol("b")) { $0[1] }
      case 4: return Sample(expression: .variable(0)) { $0[2] }
      default: return Sample(expression: .variable(1)) { $0[3] }
      }
    }
    let x = random(depth: depth - 1, using: &g)
    let y = random(depth: Int.random(in: 0..<depth, using: &g), using: &g)
    func both(_ operation: @escaping (Int, Int) -> Int?) -> ([Int]) -> Int? {
      { values in
        guard let a = x.value(values), let b = y.value(values) else { return nil }
        return operation(a, b)
      }
    }
    switch Int.random(in: 0..<9, using: &g) {
    case 0, 1: return Sample(expression: x.expression + y.expression, value: both { $0 &+ $1 })
    case 2: return Sample(expression: x.expression - y.expression, value: both { $0 &- $1 })
    case 3, 4: return Sample(expression: x.expression * y.expression, value: both { $0 &* $1 })
    case 5:
      return Sample(
        expression: x.expression.floorDivided(by: y.expression), value: both { $1 == 0 ? nil : floor($0, $1) })
    case 6:
      return Sample(
        expression: x.expression.modulo(y.expression), value: both { $1 == 0 ? nil : $0 &- floor($0, $1) &* $1 })
    case 7: return Sample(expression: .minimum(x.expression, y.expression), value: both { Swift.min($0, $1) })
    default: return Sample(expression: .maximum(x.expression, y.expression), value: both { Swift.max($0, $1) })
    }
  }

  static func floor(_ a: Int, _ b: Int) -> Int {
    var quotient = 0
    let (x, y) = b < 0 ? (-a, -b) : (a, b)
    quotient = x / y
    if quotient * y > x { quotient -= 1 }
    return quotient
  }

  @Test func arithmeticAgreesWithIntegers() {
    for seed in 0..<3000 {
      var g = SeededGenerator(seed: seed)
      let sample = Self.random(depth: 4, using: &g)
      for _ in 0..<6 {
        let values = (0..<4).map { _ in Int.random(in: 0...7, using: &g) }
        // A quotient by zero has no value; an expression that no longer contains it may have one.
        if let expected = sample.value(values), expected.magnitude < 1 << 40 {
          #expect(
            Self.evaluate(sample.expression, values) == expected, "seed \(seed): \(sample.expression) at \(values)")
        }
      }
    }
  }

  @Test func substitutionAgreesWithIntegers() {
    for seed in 0..<1500 {
      var g = SeededGenerator(seed: seed)
      let sample = Self.random(depth: 3, using: &g)
      let new = [Self.random(depth: 1, using: &g), Self.random(depth: 2, using: &g)]
      let substituted = sample.expression.substituting { atom in
        if case .variable(let k) = atom { return new[k].expression }
        return nil
      }
      for _ in 0..<6 {
        let values = (0..<4).map { _ in Int.random(in: 0...7, using: &g) }
        guard let x = new[0].value(values), let y = new[1].value(values) else { continue }
        guard let expected = sample.value([values[0], values[1], x, y]), expected.magnitude < 1 << 40 else { continue }
        #expect(Self.evaluate(substituted, values) == expected, "seed \(seed): \(sample.expression) at \(values)")
      }
    }
  }

  /// With variable 0 below `b` and variable 1 below 5, what the bounds simplify away is nothing.
  @Test func boundsSimplifyCorrectly() {
    func bound(_ atom: Expression.Atom) -> Expression? {
      switch atom {
      case .variable(0): .symbol("b")
      case .variable(1): 5
      default: nil
      }
    }
    for seed in 0..<3000 {
      var g = SeededGenerator(seed: seed)
      let x = Self.random(depth: 3, using: &g)
      let divisor: Sample
      switch seed % 3 {
      case 0:
        let k = Int.random(in: 1...12, using: &g)
        divisor = Sample(expression: Expression(k)) { _ in k }
      case 1: divisor = Sample(expression: .symbol("b")) { $0[1] }
      default: divisor = Sample(expression: .symbol("a") * 2 + 1) { $0[0] * 2 + 1 }
      }
      let quotient = x.expression.floorDivided(by: divisor.expression, bound: bound)
      let remainder = x.expression.modulo(divisor.expression, bound: bound)
      let smaller = Expression.minimum(x.expression, divisor.expression, bound: bound)
      let larger = Expression.maximum(x.expression, divisor.expression, bound: bound)
      let isWithin = x.expression.isWithin(divisor.expression, bound: bound)
      let range = x.expression.range(bound)
      for _ in 0..<8 {
        let b = Int.random(in: 1...7, using: &g)
        let values = [
          Int.random(in: 0...7, using: &g), b, Int.random(in: 0..<b, using: &g), Int.random(in: 0..<5, using: &g),
        ]
        guard let a = x.value(values), let d = divisor.value(values), a.magnitude < 1 << 40 else { continue }
        let text: Comment = "seed \(seed): \(x.expression) by \(divisor.expression) at \(values)"
        #expect(Self.evaluate(quotient, values) == Self.floor(a, d), text)
        #expect(Self.evaluate(remainder, values) == a - Self.floor(a, d) * d, text)
        #expect(Self.evaluate(smaller, values) == Swift.min(a, d), text)
        #expect(Self.evaluate(larger, values) == Swift.max(a, d), text)
        if isWithin { #expect(a >= 0 && a < d, text) }
        if let range {
          #expect(Self.evaluate(range.lowest, values).map { $0 <= a } == true, text)
          #expect(Self.evaluate(range.highest, values).map { $0 >= a } == true, text)
        }
      }
    }
  }

  @Test func polynomialsHaveOneForm() {
    for seed in 0..<500 {
      var g = SeededGenerator(seed: seed)
      let x = Self.random(depth: 3, using: &g).expression
      let y = Self.random(depth: 3, using: &g).expression
      let z = Self.random(depth: 2, using: &g).expression
      #expect(x + y == y + x)
      #expect((x + y) + z == x + (y + z))
      #expect(x * y == y * x)
      #expect(x - x == .zero)
      #expect((x + y) * z == x * z + y * z)
      #expect(Expression.sum([x, y, z]) == x + y + z)
      #expect(Expression.minimum(x, y) == Expression.minimum(y, x))
    }
  }

  private let a = Expression.symbol("a")
  private let b = Expression.symbol("b")
  private let i = Expression.variable(0)
  private let j = Expression.variable(1)

  @Test func quotientsSimplify() {
    let bound: Expression.Bound = { atom in
      switch atom {
      case .variable(0): .symbol("a")
      case .variable(1): 4
      default: nil
      }
    }
    #expect((i * 4 + j).floorDivided(by: 4, bound: bound) == i)
    #expect((i * 4 + j).modulo(4, bound: bound) == j)
    #expect((i * 8 + j).floorDivided(by: 4, bound: bound) == i * 2)
    #expect((j * a + i).floorDivided(by: a, bound: bound) == j)
    #expect((j * a + i).modulo(a, bound: bound) == i)
    #expect((a * 6).floorDivided(by: a * 2) == 3)
    #expect((a * 2 + 2).floorDivided(by: a + 1) == 2)
    #expect(((a + 1) * (b + 2)).floorDivided(by: b + 2) == a + 1)
    #expect((a * b * 12).floorDivided(by: 4) == a * b * 3)
    #expect(i.floorDivided(by: 2).floorDivided(by: 3) == i.floorDivided(by: 6))
    #expect(i.modulo(12).modulo(4) == i.modulo(4))
    #expect(j.floorDivided(by: 2, bound: bound).isWithin(2, bound: bound))
    #expect((a - 1 - i).isWithin(a, bound: bound))
    #expect(!(a - i).isWithin(a, bound: bound))
    #expect(Expression.minimum(a, a + 3) == a)
    #expect(Expression.maximum(i, 0, bound: bound) == i)
    #expect(Expression.zero.floorDivided(by: a) == .zero)
    #expect(Expression.zero.floorDivided(by: 0).fixed == nil)
  }

  @Test func splitDimensionsJoinAgain() {
    let k = Expression.variable(2)
    let position = i * 12 + j
    let joined = position.substituting { atom in
      switch atom {
      case .variable(0): k.floorDivided(by: 12)
      case .variable(1): k.modulo(12)
      default: nil
      }
    }
    #expect(joined == k)
  }

  @Test func textIsReadable() {
    #expect("\(a * 2 + 1)" == "2*a + 1")
    #expect("\(-a + i * 3 - 4)" == "-a + 3*d0 - 4")
    #expect("\((i + 1).floorDivided(by: 2))" == "floordiv(d0 + 1, 2)")
  }

  /// Thousands of terms, and atoms nested deeply, are handled in time that grows with their number.
  @Test(.timeLimit(.minutes(1))) func longExpressionsStayFast() {
    let terms: [Expression] = (0..<1000).map { Expression.variable($0) * ($0 + 1) }
    let sum = Expression.sum(terms)
    #expect(sum.terms.count == 1000)
    #expect(terms.reduce(.zero, +) == sum)
    #expect(sum - sum == .zero)
    #expect((sum * a).floorDivided(by: a) == sum)
    #expect(((sum * a).substituting { $0 == .symbol(Symbol("a")) ? .symbol("b") : nil }) == sum * b)
    #expect(sum.evaluated { _ in 1 } == 500_500)
    var nested = Expression.variable(0)
    for k in 0..<200 { nested = (nested + .variable(k)).floorDivided(by: 3) + 1 }
    #expect(nested + i == i + nested)
    #expect(nested - nested == .zero)
  }
}
