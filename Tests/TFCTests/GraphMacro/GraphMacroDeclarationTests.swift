import TFC
import Testing

private typealias Number = Tensor<Float>

private protocol Layer: TensorGroup {
  associatedtype Input: TensorGroup
  func forward(_ x: Input) -> Number
}

extension Layer where Input == Number {
  @Graph fileprivate func twice(_ x: Number) -> Number {
    var y = forward(x)
    if y .> 3 { y -= 1 }
    return forward(y)
  }

  @Graph fileprivate mutating func replaced(by other: Self, if condition: Tensor<Bool>) {
    if condition { self = other }
  }
}

@TensorGroup
private struct Scale<Value: TensorGroup>: Layer {
  var factor: Number
  var value: Value

  @Graph func forward(_ x: Number) -> Number { factor * x }

  @Graph @discardableResult
  mutating func swapped<Other: Layer>(_ value: Value, with other: Other, x: Other.Input) -> Value
  where Other.Input == Number {
    defer { self.value = value }
    let result = other.forward(x) .> factor ? self.value : value
    if x .> 1 { factor = x }
    return result
  }

  @Graph static func unit(_ value: Value, _ flag: Tensor<Bool>) -> Scale {
    var scale = Scale(factor: 1, value: value)
    if flag { scale.factor += 1 }
    return scale
  }
}

private class Base {
  var total: Number = 1
  @Graph func add(_ x: Number) -> Number {
    total += x
    return total
  }
}

private final class Derived: Base {
  @Graph override func add(_ x: Number) -> Number {
    if x .> 1 { return super.add(x) }
    total *= 2
    return total
  }
}

/// `@Graph` on declarations of every kind.
@Suite(.serialized) struct GraphMacroDeclarationTests {
  @Test func extendsProtocols() {
    var scale = Scale(factor: 2, value: Number(1))
    #expect(scale.twice(1).scalar == 4)
    #expect(scale.twice(2).scalar == 6)
    scale.replaced(by: Scale(factor: 5, value: 1), if: Tensor(false))
    #expect(scale.factor.scalar == 2)
    scale.replaced(by: Scale(factor: 5, value: 1), if: Tensor(true))
    #expect(scale.factor.scalar == 5)
  }

  @Test func keepsGenerics() {
    var scale = Scale(factor: 2, value: Number(1))
    #expect(scale.swapped(7, with: Scale(factor: 1, value: 0), x: 3).scalar == 1)
    #expect(scale.factor.scalar == 3)
    #expect(scale.value.scalar == 7)
    #expect(scale.swapped(8, with: Scale(factor: 1, value: 0), x: 1).scalar == 8)
    #expect(Scale.unit(Number(1), Tensor(true)).factor.scalar == 2)
    #expect(Scale.unit(3, Tensor(false)).factor.scalar == 1)
  }

  @Test func overridesMethods() {
    let derived = Derived()
    #expect(derived.add(2).scalar == 3)
    #expect(derived.add(1).scalar == 6)
    #expect(derived.total.scalar == 6)
  }

  @Graph private func callsClosure(
    _ x: Number, _ total: inout Number, _ change: (Number) throws -> Number
  ) throws -> ((Number, Int), last: Number) {
    var y = x
    if x .> 0 {
      if x .> 2 { return ((try change(x), 2), last: total) }
      y = try change(y)
    } else {
      total += 1
    }
    while try change(y) .< 5 {
      y += try change(1)
      total += 1
    }
    return ((y, 2), last: total)
  }

  @Test func callsClosuresInBranches() throws {
    var total = Number(0)
    let early = try callsClosure(3, &total) { $0 * 2 }
    #expect(early.0.0.scalar == 6)
    #expect(early.0.1 == 2)
    #expect(total.scalar == 0)
    let late = try callsClosure(1, &total) { $0 + 1 }
    #expect(late.0.0.scalar == 4)
    #expect(late.last.scalar == 1)
    #expect(total.scalar == 1)
  }

  @MainActor @Graph private func onActor(_ x: Number) -> Number {
    var y = x
    for _ in 0..<2 { if y .< 3 { y += 1 } }
    return y
  }

  @MainActor @Test func runsOnAnActor() {
    #expect(onActor(1).scalar == 3)
    #expect(onActor(2).scalar == 3)
  }

  @Graph private func escapes(_ x: consuming Number, _ log: @escaping (Int) -> Void) -> Number {
    var count = 0
    let closures = [{ count += 1 }, { log(count) }]
    for closure in closures { closure() }
    if x .> 1 { return x }
    return Number(Float(count))
  }

  @Test func keepsEscapingClosures() {
    var logged: [Int] = []
    let count = escapes(0) { logged.append($0) }
    #expect(count.scalar == 1)
    #expect(logged == [1])
  }

  @Graph private func comparesOptional(_ x: Number, _ known: Int?, _ names: [String]) -> Number {
    if known == nil { return x }
    if names.isEmpty, x .> 1 { return x + 1 }
    let y = known == nil ? x : x + 2
    let name: String? = names.isEmpty ? nil : names[0]
    let small = x .> 100 ? Optional.some(y) : y
    return name == nil ? small ?? x : y * 2
  }

  @Test func choosesPlainValues() {
    #expect(comparesOptional(1, nil, []).scalar == 1)
    #expect(comparesOptional(2, 1, []).scalar == 3)
    #expect(comparesOptional(1, 1, ["a"]).scalar == 6)
    #expect(comparesOptional(1, 1, []).scalar == 3)
  }
}
