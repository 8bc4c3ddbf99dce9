import TFC
import Testing

private typealias Number = Tensor<Float>

private struct Failure: Error, Equatable {
  var code: Int
  var next: Failure { Failure(code: code + 1) }
}

/// Functions of every shape that `@Graph` accepts.
@Suite(.serialized) struct GraphMacroFunctionTests {
  @Graph private static func returnsTuple(_ x: Number, y: Number) -> (sum: Number, Number) {
    if x .> y { return (x + y, x) }
    return (sum: x - y, y)
  }

  @Test func returnsEachPartOfATuple() {
    let greater = Self.returnsTuple(3, y: 1)
    #expect(greater.sum.scalar == 4)
    #expect(greater.1.scalar == 3)
    let less = Self.returnsTuple(1, y: 3)
    #expect(less.sum.scalar == -2)
    #expect(less.1.scalar == 3)
  }

  @Graph private static func assignsParameters(_ x: Number, _ total: inout Number, count: inout Number) {
    count += 1
    if x .> total {
      total = x
      return
    }
    total += x
  }

  @Test func handsBackInoutParameters() {
    var (total, count) = (Number(2), Number(0))
    Self.assignsParameters(3, &total, count: &count)
    Self.assignsParameters(1, &total, count: &count)
    #expect(total.scalar == 4)
    #expect(count.scalar == 2)
  }

  @Graph private static func passesOn(_ x: Number, _ total: inout Number) {
    var count = total
    assignsParameters(x, &total, count: &count)
  }

  @Graph private static func throwing(_ x: Number, _ limit: Int) throws -> Number {
    var y = x
    if limit > 3 { throw Failure(code: limit) }
    if x .> 1 {
      y = try checked(y, limit)
    } else {
      y -= 1
    }
    guard limit > 0 else { throw Failure(code: 0) }
    if y .> 10 { return try checked(y, limit) }
    while y .< 3 {
      y += try checked(1, limit)
    }
    return try checked(y, limit)
  }

  private static func checked(_ x: Number, _ limit: Int) throws(Failure) -> Number {
    if limit == 2 { throw Failure(code: 2) }
    return x
  }

  @Test func throwsFromBranchesAndLoops() throws {
    #expect(try Self.throwing(2, 1).scalar == 3)
    #expect(try Self.throwing(0, 1).scalar == 3)
    for code in [0, 2, 4] {
      #expect(throws: Failure(code: code)) { try Self.throwing(2, code) }
    }
    #expect(try Self.throwing(12, 1).scalar == 12)
  }

  @Graph private static func throwingItsType(_ x: Number, _ limit: Int) throws(Failure) -> Number {
    var y: Number
    if x .> 1 { y = try checked(x, limit) } else { y = x - 1 }
    for step in 0..<3 {
      if y .> 5 { break }
      y += try checked(Number(Float(step)), limit)
    }
    repeat { y += try checked(1, limit) } while y .< 0
    if limit > 3 { throw Failure(code: limit) }
    do {
      if limit > 0 { y += try checked(1, limit) - 1 }
    } catch {
      throw error.next
    }
    do throws(Failure) {
      if x .> 1 { y += try checked(1, limit) }
    } catch {
      throw Failure(code: error.code + 1)
    }
    if y .> 7 {
      if x .> 5 { return try checked(x, limit) }
      y -= 1
    }
    return y
  }

  @Graph private static func throwingConditions(_ x: Number, _ limit: Int) throws(Failure) -> Number {
    var y = x
    if limit > 0, try checked(x, limit).isKnown { y += 1 }
    if try checked(x, limit) .> 1 { y *= 2 } else { y = try checked(0, limit) }
    while try checked(y, limit) .< 6 { y += 5 }
    if try checked(y, limit) .> 9 {
      if x .> 20 { return x }
      y -= try checked(1, limit)
    }
    return try checked(y, limit)
  }

  @Test func throwsFromConditions() throws {
    #expect(try Self.throwingConditions(2, 1).scalar == 6)
    #expect(try Self.throwingConditions(5, 1).scalar == 11)
    #expect(try Self.throwingConditions(30, 1).scalar == 30)
    #expect(throws: Failure(code: 2)) { try Self.throwingConditions(0, 2) }
  }

  @Test func throwsItsOwnType() throws {
    #expect(try Self.throwingItsType(2, 1).scalar == 7)
    #expect(try Self.throwingItsType(9, 1).scalar == 9)
    #expect(try Self.throwingItsType(0, 1).scalar == 3)
    do throws(Failure) {
      _ = try Self.throwingItsType(2, 2)
    } catch {
      #expect(error.code == 2)
    }
  }

  @Graph private static func catches(_ x: Number, _ limit: Int) -> Number {
    var y = x
    do {
      if x .> 1 { y = try checked(y + 1, limit) } else { y -= 1 }
      y *= 2
    } catch {
      y = Number(Float(-3))
    }
    return y
  }

  @Test func catchesInside() {
    #expect(Self.catches(2, 1).scalar == 6)
    #expect(Self.catches(2, 2).scalar == -3)
    #expect(Self.catches(0, 2).scalar == -3)  // a trace runs both branches
  }

  @Graph private static func takesAnything(
    _ x: Number..., scale: Float = 2, `in` name: String? = nil, _: Int = 0, by change: (Number) -> Number,
    kind: Number.Type = Number.self
  ) -> Number {
    var y = change(x[0])
    for value in x.dropFirst() where scale > 1 {
      if value .> y { y = value * Number(scale) }
    }
    return name == nil ? y : -1
  }

  @Test func passesAnyParameter() {
    #expect(Self.takesAnything(1, 2, 3, 7) { $0 + 1 }.scalar == 14)
    #expect(Self.takesAnything(1, 2, scale: 1, in: "x") { $0 }.scalar == -1)
  }

  @Graph private static func generic<Value: TensorGroup, C: GraphCondition>(
    _ value: Value, or other: some TensorGroup, if condition: C, _ f: (Value) -> Number
  ) -> Value {
    var result = value
    if condition { result = value }
    return result
  }
}

@TensorGroup
private struct Counter {
  var count: Number = 0
  var best: Number = 0
  let step: Float

  @Graph mutating func add(_ x: Number) {
    if x .> best { best = x }
    count += Number(step)
  }

  @Graph mutating func addTwice(_ x: Number) -> Number {
    if x .> self.count {
      add(x)
      self.add(x + 1)
      return best
    } else {
      self = Counter(count: count, best: 0, step: step)
    }
    return count
  }

  @Graph func scaled(_ x: Number) -> Number {
    let y = x .> count ? x : count
    return y * Number(step)
  }

  @Graph static func make(_ x: Number) -> Counter {
    var counter = Counter(step: 2)
    for _ in 0..<2 { counter.add(x) }
    if x .> 3 { counter.count = x }
    return counter
  }

  @Graph func callAsFunction(_ x: Number) -> Number { scaled(x) }
}

extension GraphMacroFunctionTests {
  @Test func mutatesSelf() {
    var counter = Counter(step: 2)
    counter.add(3)
    counter.add(1)
    #expect(counter.count.scalar == 4)
    #expect(counter.best.scalar == 3)
    #expect(counter.addTwice(5).scalar == 6)
    #expect(counter.count.scalar == 8)
    #expect(counter.addTwice(2).scalar == 8)
    #expect(counter.best.scalar == 0)
    #expect(counter(10).scalar == 20)
    #expect(Counter.make(2).count.scalar == 4)
    #expect(Counter.make(7).count.scalar == 7)
  }
}

private final class Trainer {
  var total: Number = 0
  var counter = Counter(step: 1)
  let inner: Inner = Inner()
  final class Inner {
    var value: Number = 1
    func reset() {}
  }

  @Graph func count(_ x: Number) -> Number {
    if x .> 1 { self.counter.add(x) } else { self.inner.reset() }
    if x .> 2 { self.counter.add(x) }
    return counter.best
  }

  @Graph func run(_ x: Number) -> Number {
    if x .> 1 {
      total += x
      self.counter.count = x
      inner.value = total
    } else {
      self.total -= x
    }
    let alias = inner
    if x .> 2 { alias.value += 1 }
    return total
  }
}

extension GraphMacroFunctionTests {
  @Test func assignsMembersOfAClass() {
    let trainer = Trainer()
    #expect(trainer.run(3).scalar == 3)
    #expect(trainer.counter.count.scalar == 3)
    #expect(trainer.inner.value.scalar == 4)
    #expect(trainer.run(1).scalar == 2)
    #expect(trainer.counter.count.scalar == 3)
    #expect(trainer.inner.value.scalar == 4)
    #expect(trainer.count(0).scalar == 0)
    #expect(trainer.count(2).scalar == 2)
    #expect(trainer.count(5).scalar == 5)
    #expect(trainer.counter.count.scalar == 6)
  }

  @Graph private static func upTo(_ n: Tensor<Int32>, _ limit: Number) -> (Number, Tensor<Int32>) {
    var sum = Number(0)
    var last: Tensor<Int32> = 0
    for i in 0..<n {
      if sum .> limit { break }
      if i .== 1 { continue }
      sum += 2
      last = i
    }
    for _ in 0..<n { sum += 1 }
    return (sum, last)
  }

  @Test func loopsOverATracedRange() {
    let all = Self.upTo(5, 100)
    #expect(all.0.scalar == 13)
    #expect(all.1.scalar == 4)
    let some = Self.upTo(5, 3)
    #expect(some.0.scalar == 9)
    #expect(some.1.scalar == 2)
    #expect(Self.upTo(0, 3).0.scalar == 0)
  }

  @Graph private func voidWithReturns(_ x: Number, into y: inout Number) {
    guard x .> 0 else { return }
    y += 1
    if x .> 1 {
      if x .> 2 {
        y = 10
        return
      }
      y += 1
    }
    y *= 2
  }

  @Graph private static func defers(_ x: Number, into total: inout Number) -> Number {
    var y = x
    var n = 0
    defer { total = y }
    if x .> 1 {
      y += 1
      return x
    }
    n += 1
    y -= Number(Float(n))
    return x * 2
  }

  @Test func defersAfterEveryReturn() {
    var total = Number(0)
    #expect(Self.defers(3, into: &total).scalar == 3)
    #expect(total.scalar == 4)
    #expect(Self.defers(1, into: &total).scalar == 2)
    #expect(total.scalar == 0)
  }

  @Test func returnsNothing() {
    for (x, expected) in [(0, 1), (1, 4), (2, 6), (3, 10)] as [(Float, Float)] {
      var y = Number(1)
      voidWithReturns(Number(x), into: &y)
      #expect(y.scalar == expected)
    }
  }

  @Graph private static func opaque(_ x: Number) -> some TensorGroup {
    var y = x
    if x .> 1 { y += 1 }
    return y
  }

  @Graph private static func optionals(_ x: Number, _ known: Bool) -> Number? {
    var best: Number?
    var name: String?
    if known { best = x }
    if x .> 1 {
      best = best ?? x
      best? += 1
    }
    if known { return best } else if name == nil { name = "x" }
    let both = known ? nil : best
    return both
  }

  @Test func keepsOptionals() {
    #expect(Self.optionals(2, true)?.scalar == 3)
    #expect(Self.optionals(1, true)?.scalar == 1)
  }
}
